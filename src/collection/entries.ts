import { isKeptText } from "../data/kept-text.ts";
import type { EntryKey } from "../data/record.ts";
import type { Engine } from "../engine/engine.ts";
import type { KeptValue } from "../engine/kept-value.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { PerdureError } from "../errors.ts";

/** What entries need of the application. */
export interface EntriesHost {
  /** The engine, opened if need be. */
  engine(): Promise<Engine>;
  /** Does something in the unit of work that the caller is a handler of, or as one of its own. */
  join<T>(name: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T>;
}

/** The entries with one name, as part of the unit of work that the caller is a handler of, or each call as a unit of its own. */
export class Entries {
  readonly name: string;
  readonly #host: EntriesHost;

  constructor(name: string, host: EntriesHost) {
    this.name = name;
    this.#host = host;
  }

  /** Owns an entry until the commit. Rejects with `PERDURE_CANNOT_KEEP` for an id that is no such text. */
  use<R>(id: string, use: (entry: KeptValue) => R): Promise<R> {
    return this.#host.join(`${this.name}.${id}`, async (unit) => {
      const key: EntryKey = { kind: "entry", collection: this.name, id: requireText(this.name, id) };
      return use(await unit.open(key));
    });
  }

  /** Their ids: those of the last commit, and what this unit has changed by then. */
  async *ids(): AsyncGenerator<string> {
    const engine = await this.#host.engine();
    const own = new OwnEntries(this.name, engine.current);
    for await (const { id } of engine.records.keys("entry", this.name)) if (own.list(id)?.current !== null) yield id;
    for (const [id] of own.unlisted()) yield id;
  }

  /** Their ids and copies of their values, likewise. */
  async *copies(): AsyncGenerator<[id: string, value: unknown]> {
    const engine = await this.#host.engine();
    const own = new OwnEntries(this.name, engine.current);
    for await (const { key, value } of engine.records.values("entry", this.name)) {
      const entry = own.list(key.id);
      if (entry?.current !== null) yield [key.id, entry === undefined ? value : entry.current.copy()];
    }
    for (const [id, entry] of own.unlisted()) yield [id, entry.copy()];
  }
}

/** What a unit has of the entries with one name while it lists them, which it may go on changing. Once it has ended, listing throws. */
class OwnEntries {
  readonly #name: string;
  readonly #unit: UnitOfWork | undefined;
  readonly #listed = new Set<string>();

  constructor(name: string, unit: UnitOfWork | undefined) {
    this.#name = name;
    this.#unit = unit;
  }

  /** What the unit has of an entry that is listed now: `null` if it has removed it; `undefined` if it does not have it. */
  list(id: string): { readonly current: KeptValue | null } | undefined {
    if (this.#unit === undefined) return undefined;
    this.#listed.add(id);
    const entry = this.#unit.known({ kind: "entry", collection: this.#name, id });
    return entry && { current: entry.isThere ? entry : null };
  }

  /** Those that were not listed: the unit has added them. */
  *unlisted(): Generator<[id: string, entry: KeptValue]> {
    for (const { key } of this.#unit?.opened("entry") ?? []) {
      if (key.collection !== this.#name || this.#listed.has(key.id)) continue;
      const entry = this.#unit?.known(key);
      if (entry?.isThere === true) yield [key.id, entry];
    }
  }
}

function requireText(collection: string, id: unknown): string {
  if (typeof id !== "string") throw new TypeError(`${collection}: an entry's id is a string, not ${typeof id}.`);
  if (isKeptText(id)) return id;
  throw new PerdureError(
    "PERDURE_CANNOT_KEEP",
    `${collection}: ${JSON.stringify(id)} is no id. It must be well-formed text without U+0000, to come back as it is.`,
  );
}
