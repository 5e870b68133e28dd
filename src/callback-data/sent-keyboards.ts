import type { KeptValue } from "../engine/kept-value.ts";
import type { UnitOfWork, UnitReference } from "../engine/unit-of-work.ts";
import { PerdureError, isPerdureError } from "../errors.ts";
import type { CallbackDataHost } from "./callback-data-host.ts";
import type { Payload } from "./inline-keyboards.ts";
import type { KeptLimits } from "./kept-limits.ts";
import type { MessageKeyboards } from "./message-keyboards.ts";
import { placeAnswered } from "./message-place.ts";
import { drawTokens, type NewButton, type NewKeyboard, type OutgoingCall } from "./outgoing-call.ts";

/** What the Bot API has answered. */
export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error_code: number };

type Outcome<A> = { readonly answer: A } | { readonly error: unknown };

/** Where a call comes from. */
export interface SendOptions {
  /** That of the context whose api makes it. */
  readonly within?: UnitReference | undefined;
  /** Whether it may be answered without being made: then what nobody has sent is not kept. */
  readonly mayReplay?: boolean | undefined;
}

/** Keeps the values of data buttons that are sent. */
export class SentKeyboards {
  readonly #host: CallbackDataHost;
  readonly #limits: KeptLimits;
  readonly #messages: MessageKeyboards;

  constructor(host: CallbackDataHost, limits: KeptLimits, messages: MessageKeyboards) {
    this.#host = host;
    this.#limits = limits;
    this.#messages = messages;
  }

  /**
   * Makes a call of the Bot API by `perform`, with tokens in the place of data buttons, whose values are kept with `within`, with
   * the unit of work in which they were made where that is missing or over, or with one of its own.
   *
   * A call that Telegram refuses leaves nothing kept. One that ends without an answer (the connection broke, Telegram has an error of its own) may have
   * arrived: its values stay, and their buttons work if they are there.
   */
  async send<A extends Answer>(
    method: string,
    payload: Payload,
    { within, mayReplay = false }: SendOptions,
    perform: (payload: Payload) => Promise<A>,
  ): Promise<A> {
    const call = drawTokens(payload, this.#host.botId(), mayReplay);
    if (call.keyboards.length === 0) return perform(payload);
    let outcome: Outcome<A> | undefined;
    const send = async (unit: UnitOfWork): Promise<void> => {
      const values = await this.#keepAll(unit, method, call.keyboards);
      outcome = await settled(perform(call.payload));
      if (!unit.isOver) await this.#conclude(unit, call, values, outcome);
    };
    const unit = this.#unitOf(call.keyboards, within);
    try {
      await (unit === undefined ? this.#host.join(method, send) : unit.perform(method, () => send(unit)));
    } catch (error) {
      if (unit?.isOver !== true || !isPerdureError(error, "PERDURE_UNIT_OVER")) throw error;
      // The unit did not wait for its call, and has failed with that. Nobody may hear of it here, so the call is made and answered as any other.
      outcome ??= await settled(perform(call.payload));
    }
    if (outcome === undefined) throw new TypeError(`${method} was not sent.`);
    if ("error" in outcome) throw outcome.error;
    return outcome.answer;
  }

  async #keepAll(unit: UnitOfWork, method: string, keyboards: readonly NewKeyboard[]): Promise<readonly KeptValue[]> {
    const values: KeptValue[] = [];
    try {
      for (const keyboard of keyboards) values.push(await this.#keep(unit, method, keyboard));
      return values;
    } catch (error) {
      for (const value of values) value.drop();
      throw error;
    }
  }

  async #conclude(
    unit: UnitOfWork,
    { keyboards, payload }: OutgoingCall,
    values: readonly KeptValue[],
    outcome: Outcome<Answer>,
  ): Promise<void> {
    for (const [index, keyboard] of keyboards.entries()) {
      if (!keyboard.isSent || isRefused(outcome)) values[index]?.drop();
      else await this.#sent(unit, keyboard, payload, outcome);
    }
  }

  async #keep(unit: UnitOfWork, method: string, { id, buttons }: NewKeyboard): Promise<KeptValue> {
    const value = await unit.open({ kind: "keyboard", id });
    const keep = (some: readonly NewButton[]): void =>
      value.putCopy(Object.fromEntries(some.map((button) => [button.id, button.data.value])));
    try {
      keep(buttons);
    } catch (error) {
      value.drop();
      throw named(error, method, buttons, keep, value);
    }
    value.foundBy = { time: this.#host.now() };
    this.#limits.watch(unit, value);
    return value;
  }

  /** Keyboards of inline results may come to stand in many messages; of the others it is known which message has it. */
  async #sent(unit: UnitOfWork, { id, place }: NewKeyboard, payload: Payload, outcome: Outcome<Answer>): Promise<void> {
    if (place === "results[].reply_markup" || !("answer" in outcome) || !outcome.answer.ok) return;
    const message = placeAnswered(payload, outcome.answer.result);
    if (message !== undefined) await this.#messages.put(unit, message, id, payload);
  }

  #unitOf(keyboards: readonly NewKeyboard[], within: UnitReference | undefined): UnitOfWork | undefined {
    if (within?.unit?.isAside === false) return within.unit;
    for (const { buttons } of keyboards) {
      for (const { data } of buttons) {
        const unit = data.whereMade(() => this.#host.current());
        if (unit !== undefined) return unit;
      }
    }
    return this.#host.current();
  }
}

async function settled<A>(promise: Promise<A>): Promise<Outcome<A>> {
  try {
    return { answer: await promise };
  } catch (error) {
    return { error };
  }
}

/** Whether Telegram has said that it did nothing. */
function isRefused(outcome: Outcome<Answer>): boolean {
  return "answer" in outcome && !outcome.answer.ok && outcome.answer.error_code < 500;
}

/** The error for the button that cannot be kept, which it names. */
function named(
  error: unknown,
  method: string,
  buttons: readonly NewButton[],
  keep: (some: readonly NewButton[]) => void,
  value: KeptValue,
): unknown {
  if (!isPerdureError(error, "PERDURE_CANNOT_KEEP")) return error;
  for (const button of buttons) {
    try {
      keep([button]);
    } catch (cause) {
      const { message } = cause as Error;
      const name = `dataButton(${JSON.stringify(button.text)})`;
      // Codecs begin with the path, which begins with the record's name and the button's id.
      const tail = message.slice(message.indexOf(button.id) + button.id.length).replace(/^"\]/, "");
      const what = message.includes(button.id) ? `${name}${tail}` : `${name}: ${message}`;
      return new PerdureError("PERDURE_CANNOT_KEEP", `${what} (${method}, ${button.path})`, { cause });
    } finally {
      value.drop();
    }
  }
  return error;
}
