import { BOT_KEY, isSameRecord, type KeptRecord } from "../data/record.ts";
import { freezeDeep } from "./freeze-deep.ts";
import type { Values } from "./values.ts";

/**
 * The bot's data to read: one frozen value for all units of work that see the same record, decoded once and not once for
 * each of them, since it is read in every update of some bots and may be large. A value that cannot be frozen whole is
 * shared by none.
 */
export class BotView {
  readonly #values: Values;
  #shared: { readonly of: KeptRecord | undefined; readonly value: unknown } | undefined;

  constructor(values: Values) {
    this.#values = values;
  }

  /** The frozen value of this record. */
  of(record: KeptRecord | undefined): unknown {
    if (this.#shared !== undefined && isSameRecord(this.#shared.of, record)) return this.#shared.value;
    const { value } = this.#values.load(BOT_KEY, record);
    if (freezeDeep(value)) this.#shared = { of: record, value };
    return value;
  }
}
