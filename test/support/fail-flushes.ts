import { changeFs } from "./change-fs.ts";

/** Lets the system's flushes fail with this code, until what it returns is called, or the test ends. */
export function failFlushes(code: string): () => void {
  const error = Object.assign(new Error(`${code}: fdatasync`), { code, syscall: "fdatasync" });
  return changeFs({
    fdatasyncSync() {
      throw error;
    },
    fdatasync: (_descriptor: number, done: (failure: Error) => void) => void setImmediate(done, error),
  });
}
