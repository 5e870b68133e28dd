import type { StorageAdapter } from "grammy";
import type { Entries } from "../collection/entries.ts";

/**
 * Entries as grammY's `StorageAdapter`. As with every adapter, what is read is a copy, and what is written is kept as it was then:
 * later changes of the object do not count.
 */
export function storageAdapterOf<T>(entries: Entries): StorageAdapter<T> {
  const all = (): AsyncGenerator<[key: string, value: T]> =>
    entries.copies() as AsyncGenerator<[key: string, value: T]>;
  return {
    read: (key) => entries.use(key, (entry) => entry.copy() as T | undefined),
    write: (key, value) => entries.use(key, (entry) => entry.putCopy(value)),
    delete: (key) => entries.use(key, (entry) => entry.drop()),
    has: (key) => entries.use(key, (entry) => entry.current !== undefined),
    readAllKeys: () => entries.ids(),
    async *readAllValues() {
      for await (const [, value] of all()) yield value;
    },
    readAllEntries: all,
  };
}
