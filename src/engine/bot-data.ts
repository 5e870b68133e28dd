import { isPromise } from "../data/maybe-promise.ts";
import { BOT_KEY, type KeptRecord, type RecordChange } from "../data/record.ts";
import type { BotView } from "./bot-view.ts";
import type { Values } from "./values.ts";

/** The bot's data in one unit of work: to read, and to be changed by a function once the unit owns the record. */
export class BotData {
  readonly #values: Values;
  readonly #view: BotView;
  #record: KeptRecord | undefined;
  #shown: { readonly of: KeptRecord | undefined; readonly value: unknown } | undefined;
  #change: RecordChange | undefined;

  /** `record` is the bot's data as of the last commit. */
  constructor(record: KeptRecord | undefined, values: Values, view: BotView) {
    this.#record = record;
    this.#values = values;
    this.#view = view;
  }

  /** The data as this unit sees it, frozen. */
  get(): unknown {
    if (this.#shown === undefined || this.#shown.of !== this.#record) {
      this.#shown = { of: this.#record, value: this.#view.of(this.#record) };
    }
    return this.#shown.value;
  }

  /** What the unit changed. */
  get change(): RecordChange | undefined {
    return this.#change;
  }

  /** The newest record, once the unit owns it. */
  begin(record: KeptRecord | undefined): void {
    this.#record = record;
  }

  /** Gives `change` a fresh value to change in place. If it throws, nothing has happened. */
  update<T>(change: (data: unknown) => T): T {
    const { value, unchanged } = this.#values.load(BOT_KEY, this.#record);
    const result = change(value);
    if (isPromise(result)) {
      // Its own failure would otherwise be reported as unhandled, and hide this error. What is no promise may only begin with `then`.
      if (result instanceof Promise) result.catch(() => {});
      throw new TypeError(
        "The function given to updateBotData is asynchronous. Wait for things before it: other chats' updates wait for it.",
      );
    }
    const record = this.#values.encode(BOT_KEY, value);
    if (record?.text !== unchanged?.text) {
      this.#record = record;
      this.#change = { key: BOT_KEY, record };
    }
    return result;
  }
}
