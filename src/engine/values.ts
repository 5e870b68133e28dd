import type { Codec, LiveObjects } from "../data/codec.ts";
import { keyName, type KeptRecord, type KeyOf, type RecordKey, type Scope } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import type { Schema, ScopeSchema } from "./schema.ts";

/** A value of the current version, and the record that it equals as long as nobody changes it. */
export interface LoadedValue {
  readonly value: unknown;
  /** `undefined` where there is no record and nothing to begin with: then the value is `undefined` too. */
  readonly unchanged: KeptRecord | undefined;
}

/** Records other than a scope's data begin as nothing, and have no migrations. */
const NOTHING: ScopeSchema = { initial: () => undefined, migrations: [] };

/** Turns records into values and back, as the application's schema and codec say. */
export class Values {
  readonly #codec: Codec;
  readonly #schema: Schema;
  readonly #live: LiveObjects | undefined;

  constructor(codec: Codec, schema: Schema, live?: LiveObjects) {
    this.#codec = codec;
    this.#schema = schema;
    this.#live = live;
  }

  /** A fresh value. */
  load(key: RecordKey, record: KeptRecord | undefined): LoadedValue {
    const schema = this.#schemaOf(key);
    if (record === undefined) return this.#fresh(key, schema.initial());
    requireKnown(key, record, schema);
    const value = this.#decode(key, record);
    if (record.version === schema.migrations.length) return { value, unchanged: record };
    return this.#fresh(key, migrate(key, value, record.version, schema));
  }

  /**
   * The record that keeps this value; none for `undefined` where that means nothing. Throws `PERDURE_CANNOT_KEEP` with the path
   * of what can't be kept.
   */
  encode(key: RecordKey, value: unknown): KeptRecord | undefined {
    const schema = this.#schemaOf(key);
    if (value === undefined && schema === NOTHING) return undefined;
    const text: unknown = this.#codec.encode(value, { name: keyName(key), live: this.#live });
    if (typeof text !== "string") {
      throw new PerdureError("PERDURE_CANNOT_KEEP", `${keyName(key)}: the codec gave ${typeof text} instead of text.`);
    }
    return { text, version: schema.migrations.length };
  }

  #decode(key: RecordKey, record: KeptRecord): unknown {
    return this.#codec.decode(record.text, { name: keyName(key), live: this.#live });
  }

  #schemaOf(key: RecordKey): ScopeSchema {
    return isScope(key) ? this.#schema[key.kind] : NOTHING;
  }

  /** Decoded anew, since what `initial` and migrations return may share parts with the program's own objects. */
  #fresh(key: RecordKey, value: unknown): LoadedValue {
    const unchanged = this.encode(key, value);
    return { value: unchanged === undefined ? undefined : this.#decode(key, unchanged), unchanged };
  }
}

/** Whether a record is a scope's data: that has an initial value and migrations. */
export function isScope(key: RecordKey): key is KeyOf<Scope> {
  return key.kind === "bot" || key.kind === "chat" || key.kind === "user";
}

/** Throws `PERDURE_NEWER_RECORD` for a record that a newer version of the bot has written. */
function requireKnown(key: RecordKey, record: KeptRecord, schema: ScopeSchema): void {
  const known = schema.migrations.length;
  if (record.version <= known) return;
  throw new PerdureError(
    "PERDURE_NEWER_RECORD",
    `${keyName(key)} was kept by a newer version of this bot: it has been through ${record.version} migrations, this ` +
      `code knows ${known}. It is left as it is. Run the newer code, or bring its migrations back.`,
  );
}

function migrate(key: RecordKey, old: unknown, version: number, schema: ScopeSchema): unknown {
  let value = old;
  for (const [index, migration] of schema.migrations.entries()) {
    if (index < version) continue;
    try {
      // A migration that returns nothing has changed the value in place.
      value = migration(value as never) ?? value;
    } catch (cause) {
      throw new PerdureError(
        "PERDURE_MIGRATION",
        `Migration ${index} of ${key.kind} data failed for ${keyName(key)} (version ${version}). The record is left as it is.`,
        { cause },
      );
    }
  }
  return value;
}
