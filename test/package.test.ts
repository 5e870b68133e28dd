import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Package {
  readonly types?: string;
  readonly typings?: string;
  readonly exports?: unknown;
  readonly dependencies: Readonly<Record<string, string>>;
}

function packageOf(folder: string): Package {
  return JSON.parse(readFileSync(new URL(`../${folder}package.json`, import.meta.url), "utf8")) as Package;
}

const { dependencies } = packageOf("");
const names = Object.keys(dependencies).filter((name) => !name.startsWith("@types/"));

test.each(names)(
  "the types of %s come with the package: without them, ours would be any for those who install it",
  (name) => {
    const { types, typings, exports } = packageOf(`node_modules/${name}/`);
    const hasOwn = types !== undefined || typings !== undefined || JSON.stringify(exports ?? {}).includes('"types"');
    expect(hasOwn || `@types/${name}` in dependencies).toBe(true);
  },
);
