import type { Codec, LiveObjects } from "../data/codec.ts";
import { keyName, type KeptRecord, type RecordKey } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import type { Schema, ScopeSchema } from "./schema.ts";

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

  /** A value of the current version, fresh, and the record that it equals as long as nobody changes it. */
  load(key: RecordKey, record: KeptRecord | undefined): { value: unknown; unchanged: KeptRecord } {
    const schema = this.#schema[key.kind];
    if (record === undefined) return this.#fresh(key, schema.initial());
    this.#requireKnown(key, record);
    const value = this.#codec.decode(record.text, { name: keyName(key), live: this.#live });
    if (record.version === schema.migrations.length) return { value, unchanged: record };
    return this.#fresh(key, migrate(key, value, record.version, schema));
  }

  /** The record that keeps this value. Throws `PERDURE_CANNOT_KEEP` with the path of what can't be kept. */
  encode(key: RecordKey, value: unknown): KeptRecord {
    const text: unknown = this.#codec.encode(value, { name: keyName(key), live: this.#live });
    if (typeof text !== "string") {
      throw new PerdureError("PERDURE_CANNOT_KEEP", `${keyName(key)}: the codec gave ${typeof text} instead of text.`);
    }
    return { text, version: this.#schema[key.kind].migrations.length };
  }

  /** Throws `PERDURE_NEWER_RECORD` for a record that a newer version of the bot has written. */
  #requireKnown(key: RecordKey, record: KeptRecord): void {
    const known = this.#schema[key.kind].migrations.length;
    if (record.version <= known) return;
    throw new PerdureError(
      "PERDURE_NEWER_RECORD",
      `${keyName(key)} was kept by a newer version of this bot: it has been through ${record.version} migrations, this ` +
        `code knows ${known}. It is left as it is. Run the newer code, or bring its migrations back.`,
    );
  }

  /** Decoded anew, since what `initial` and migrations return may share parts with the program's own objects. */
  #fresh(key: RecordKey, value: unknown): { value: unknown; unchanged: KeptRecord } {
    const unchanged = this.encode(key, value);
    return { value: this.#codec.decode(unchanged.text, { name: keyName(key), live: this.#live }), unchanged };
  }
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
