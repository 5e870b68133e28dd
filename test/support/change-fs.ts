import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { onTestFinished } from "vitest";

/** Puts these functions in the place of those of `node:fs`, for whoever imports them, until what it returns is called, or the test ends. */
export function changeFs(functions: Partial<Record<keyof typeof fs, unknown>>): () => void {
  const names = Object.keys(functions) as (keyof typeof fs)[];
  const originals = Object.fromEntries(names.map((name) => [name, fs[name]]));
  const put = (them: object): void => {
    Object.assign(fs, them);
    syncBuiltinESMExports();
  };
  const restore = (): void => put(originals);
  put(functions);
  onTestFinished(restore);
  return restore;
}
