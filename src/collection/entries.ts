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

  /** Their ids: those of the last commit, and what this unit changed. */
  async *ids(): AsyncGenerator<string> {
    const engine = await this.#host.engine();
    const own = this.#own(engine.current);
    for await (const { id } of engine.keys("entry", this.name)) if (!own.has(id)) yield id;
    for (const [id, entry] of own) if (entry.current !== undefined) yield id;
  }

  /** Their ids and copies of their values, likewise. */
  async *copies(): AsyncGenerator<[id: string, value: unknown]> {
    const engine = await this.#host.engine();
    const own = this.#own(engine.current);
    for await (const { key, value } of engine.values("entry", this.name)) if (!own.has(key.id)) yield [key.id, value];
    for (const [id, entry] of own) if (entry.current !== undefined) yield [id, entry.copy()];
  }

  /** What the unit has of them. */
  #own(unit: UnitOfWork | undefined): ReadonlyMap<string, KeptValue> {
    const own = new Map<string, KeptValue>();
    for (const entry of unit?.opened("entry") ?? [])
      if (entry.key.collection === this.name) own.set(entry.key.id, entry);
    return own;
  }
}

function requireText(collection: string, id: unknown): string {
  if (typeof id !== "string") throw new TypeError(`${collection}: an entry's id is a string, not ${typeof id}.`);
  if (id.isWellFormed() && !id.includes("\0")) return id;
  throw new PerdureError(
    "PERDURE_CANNOT_KEEP",
    `${collection}: ${JSON.stringify(id)} is no id. It must be well-formed text without U+0000, to come back as it is.`,
  );
}
