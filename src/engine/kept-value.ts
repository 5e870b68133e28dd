import type { KeptRecord, RecordChange, RecordKey } from "../data/record.ts";
import type { Values } from "./values.ts";

/** One record in one unit of work: decoded when it is first touched, and found changed by encoding it at the end. */
export class KeptValue {
  readonly key: RecordKey;
  /** What was kept when the unit began. */
  readonly loaded: KeptRecord | undefined;
  readonly #values: Values;
  #touched: { value: unknown; unchanged: KeptRecord } | undefined;

  constructor(key: RecordKey, loaded: KeptRecord | undefined, values: Values) {
    this.key = key;
    this.loaded = loaded;
    this.#values = values;
  }

  get(): unknown {
    return this.#touch().value;
  }

  set(value: unknown): void {
    this.#touch().value = value;
  }

  /**
   * What is to be kept anew, if anything. A value that was only read is no change: neither the initial value of a record
   * that does not exist nor a migrated one is written for its own sake.
   */
  change(): RecordChange | undefined {
    if (this.#touched === undefined) return undefined;
    const record = this.#values.encode(this.key, this.#touched.value);
    return record.text === this.#touched.unchanged.text ? undefined : { key: this.key, record };
  }

  #touch(): { value: unknown; unchanged: KeptRecord } {
    this.#touched ??= this.#values.load(this.key, this.loaded);
    return this.#touched;
  }
}
