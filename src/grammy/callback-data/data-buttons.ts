import type { Context, Transformer } from "grammy";
import type { CallbackData } from "../../callback-data/callback-data.ts";
import type { Payload } from "../../callback-data/inline-keyboards.ts";
import type { Answer, SendOptions } from "../../callback-data/sent-keyboards.ts";
import type { Press } from "../../callback-data/press.ts";
import type { Logger } from "../../engine/logger.ts";
import type { UnitOfWork, UnitReference } from "../../engine/unit-of-work.ts";
import type { BoundButtons } from "../context.ts";

/** What the bot says when a button's value is gone and nobody else says anything. */
const NO_LONGER_VALID = "This button is no longer valid.";

/** What becomes of presses whose value is gone. */
export interface DataButtonsOptions<C> {
  readonly logger: Logger;
  readonly onInvalid: ((ctx: C) => unknown) | undefined;
}

/** Data buttons in grammY: tokens in the calls that go out, values in the presses that come in. */
export class DataButtons<C extends Context> {
  readonly callbackData: CallbackData;
  readonly #options: DataButtonsOptions<C>;
  /** The ids of the callback queries whose data is invalid, until they are answered. */
  readonly #unanswered = new Set<string>();
  /** Whose calls these payloads are. Other transformers may make a call much later, where nobody knows its unit any more. */
  readonly #within = new WeakMap<object, UnitReference>();

  constructor(callbackData: CallbackData, options: DataButtonsOptions<C>) {
    this.callbackData = callbackData;
    this.#options = options;
  }

  /** For the bot's api, next to the network: what other transformers do with a keyboard is done by then. */
  readonly transformer: Transformer = (prev, method, payload, signal) =>
    this.#send(method, payload, {}, async (sent) => {
      const answer = await prev(method, sent as never, signal);
      if (answer.ok) await this.#answered(method, sent);
      return answer;
    }) as never;

  /** For another api, whose calls may be answered without being made: those of a conversation that is replayed. */
  readonly transformerOfApi: Transformer = (prev, method, payload, signal) =>
    this.#send(method, payload, { mayReplay: true }, (sent) => prev(method, sent as never, signal)) as never;

  /** Handles an update: with its press, if it is one, and with an api whose data buttons belong to its unit of work. */
  handle(ctx: C, unit: UnitOfWork, run: (buttons: BoundButtons) => Promise<void>): Promise<void> {
    // V8 may make grammY's array of transformers among old objects, and then keeps what is in it until its next full collection.
    const within = unit.reference;
    ctx.api.config.use(
      (prev, method, payload, signal) =>
        this.#send(method, payload, { within }, (sent) => {
          this.#within.set(sent, within);
          return prev(method, sent as never, signal);
        }) as never,
    );
    const { data, id } = ctx.update.callback_query ?? {};
    if (data !== undefined && id !== undefined)
      return this.#handlePress(ctx, id, this.callbackData.press(unit, data), run);
    return run({ callbackData: this.callbackData, press: undefined });
  }

  async #handlePress(
    ctx: C,
    queryId: string,
    pressing: Promise<Press | undefined>,
    run: (buttons: BoundButtons) => Promise<void>,
  ): Promise<void> {
    const press = await pressing;
    if (press !== undefined) this.#unanswered.add(queryId);
    try {
      await run({ callbackData: this.callbackData, press });
      if (press?.isInvalid === true && this.#unanswered.has(queryId)) await this.#onInvalid(ctx, press);
    } finally {
      this.#unanswered.delete(queryId);
    }
  }

  #send(
    method: string,
    payload: unknown,
    options: SendOptions,
    perform: (payload: Payload) => Promise<Answer>,
  ): Promise<Answer> {
    return this.callbackData.send(method, (payload ?? {}) as Payload, options, perform);
  }

  async #answered(method: string, payload: Payload): Promise<void> {
    if (method === "answerCallbackQuery") this.#unanswered.delete(String(payload["callback_query_id"]));
    else await this.callbackData.edited(method, payload, this.#within.get(payload));
  }

  async #onInvalid(ctx: C, press: Press): Promise<void> {
    const { onInvalid, logger } = this.#options;
    if (onInvalid !== undefined) {
      await onInvalid(ctx);
      return;
    }
    try {
      await ctx.answerCallbackQuery(NO_LONGER_VALID);
    } catch (error) {
      // The query may be too old to be answered. The update has been handled all the same.
      logger.debug("An invalid button could not be answered.", press.value, error);
    }
  }
}
