import type { Entries } from "./entries.ts";

/**
 * Named records of the bot's own, one value each: for what would make a chat's or the bot's data grow. Made by
 * `app.collection(name)`.
 *
 * In a handler and in `app.transaction` everything belongs to that unit of work: an entry is the unit's from its first touch
 * until the commit, others wait for it, and what was set, changed in place or deleted becomes durable with all the rest, or
 * not at all. Elsewhere each call is a unit of its own.
 *
 * Ids are well-formed texts without U+0000; another one gives `PERDURE_CANNOT_KEEP`. Where two units of work would wait for each other's entries,
 * one of them fails with `PERDURE_DEADLOCK`.
 */
export class Collection<T> {
  readonly #entries: Entries;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  /** The name that it is kept under. */
  get name(): string {
    return this.#entries.name;
  }

  /** The entry's value; `undefined` when there is none. In a unit of work it may be changed in place; elsewhere it is a copy. */
  get(id: string): Promise<T | undefined> {
    return this.#entries.use(id, (entry) => entry.get() as T | undefined);
  }

  /** Whether there is an entry. */
  has(id: string): Promise<boolean> {
    return this.#entries.use(id, (entry) => entry.get() !== undefined);
  }

  /** Keeps a value. Rejects with a `TypeError` for `undefined`, which is no entry. */
  set(id: string, value: T): Promise<void> {
    return this.#entries.use(id, (entry) => {
      if (value === undefined)
        throw new TypeError(`${this.name}.${id}: undefined is no entry. delete(id) removes one.`);
      entry.set(value);
    });
  }

  /** Removes an entry. Answers whether there was one. */
  delete(id: string): Promise<boolean> {
    return this.#entries.use(id, (entry) => {
      // Neither decoded nor encoded: what cannot be can still be removed.
      const was = entry.isThere;
      entry.drop();
      return was;
    });
  }

  /** The ids of all entries, in no particular order, read page by page: those of the last commit, and what this unit changed. */
  keys(): AsyncGenerator<string> {
    return this.#entries.ids();
  }

  /** All entries, likewise. The values are copies, and the entries are not owned: another unit may change them meanwhile. */
  entries(): AsyncGenerator<[id: string, value: T]> {
    return this.#entries.copies() as AsyncGenerator<[id: string, value: T]>;
  }
}
