import { BOT_KEY, type KeptRecord } from "../data/record.ts";
import { freezeDeep } from "./freeze-deep.ts";
import type { Values } from "./values.ts";

/**
 * The bot's data to read: one frozen value for all units of work that see the same record, decoded once and not once for
 * each of them, since it is read in every update of some bots and may be large.
 */
export class BotView {
  readonly #values: Values;
  #of: { record: KeptRecord | undefined; value: unknown } | undefined;

  constructor(values: Values) {
    this.#values = values;
  }

  /** The frozen value of this record. */
  of(record: KeptRecord | undefined): unknown {
    if (this.#of === undefined || !sameRecord(this.#of.record, record)) {
      this.#of = { record, value: freezeDeep(this.#values.load(BOT_KEY, record).value) };
    }
    return this.#of.value;
  }
}

function sameRecord(a: KeptRecord | undefined, b: KeptRecord | undefined): boolean {
  return a?.text === b?.text && a?.version === b?.version;
}
