import { AsyncLocalStorage } from "node:async_hooks";
import type { KeptValue } from "../engine/kept-value.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { isPerdureError } from "../errors.ts";
import type { CallbackDataHost } from "./callback-data-host.ts";
import { isInlineKeyboard, type Payload } from "./inline-keyboards.ts";
import type { KeptLimits } from "./kept-limits.ts";
import { placeKey, placesEdited, type MessagePlace } from "./message-place.ts";
import { readToken } from "./token.ts";

/** The limits of both kinds of records. */
export interface LimitsOfBoth {
  readonly keyboard: KeptLimits;
  readonly callbackQuery: KeptLimits;
}

/**
 * Which keyboard stands in which message, so that the values go when the bot deletes the message or replaces its keyboard.
 *
 * What Telegram has done is done, whatever becomes of the unit of work that asked for it. So a unit removes what it has touched itself, and
 * the rest is removed beside it, in units of their own.
 */
export class MessageKeyboards {
  readonly #host: CallbackDataHost;
  readonly #limits: LimitsOfBoth;
  readonly #outside = AsyncLocalStorage.snapshot();
  #waiting = new Set<MessagePlace>();
  #running: Promise<void> | undefined;

  constructor(host: CallbackDataHost, limits: LimitsOfBoth) {
    this.#host = host;
    this.#limits = limits;
  }

  /** A message has a new keyboard. */
  async put(unit: UnitOfWork, place: MessagePlace, keyboard: string): Promise<void> {
    const value = await unit.open(placeKey(place));
    const old = value.get();
    value.set(keyboard);
    value.foundBy = { time: this.#host.now() };
    this.#limits.callbackQuery.watch(unit, value);
    if (typeof old !== "string" || old === keyboard) return;
    const known = unit.known({ kind: "keyboard", id: old });
    if (known === undefined) this.#start(() => this.#drop(old));
    else this.#dropKeyboard(unit, known);
  }

  /** A call was made that may have taken keyboards away. */
  async edited(method: string, payload: Payload): Promise<void> {
    const places = placesEdited(method, payload);
    // One that has data buttons was put there.
    if (places.length === 0 || this.#hasTokens(payload)) return;
    const unit = this.#host.current();
    const isUsing = unit !== undefined && unit.opened("keyboard").length > 0;
    for (const place of places) {
      if (!isUsing || !(await unit.perform(method, () => this.#dropKnown(unit, place)))) this.#waiting.add(place);
    }
    if (this.#waiting.size > 0) this.#start(() => this.#dropWaiting());
  }

  /** Removes a keyboard, and that it stands in this message. */
  async remove(unit: UnitOfWork, keyboard: string, place: MessagePlace | undefined): Promise<boolean> {
    // Always in this order, so that nobody waits for the other.
    const value = await unit.open({ kind: "keyboard", id: keyboard });
    const wasThere = value.current !== undefined;
    this.#dropKeyboard(unit, value);
    if (place !== undefined) this.#forget(unit, await unit.open(placeKey(place)), keyboard);
    return wasThere;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #dropKnown(unit: UnitOfWork, place: MessagePlace): Promise<boolean> {
    const stands = await unit.open(placeKey(place));
    const keyboard = stands.get();
    if (typeof keyboard !== "string") return stands.loaded === undefined;
    const value = unit.known({ kind: "keyboard", id: keyboard });
    if (value === undefined) return false;
    this.#dropKeyboard(unit, value);
    this.#forget(unit, stands, keyboard);
    return true;
  }

  #dropKeyboard(unit: UnitOfWork, value: KeptValue): void {
    value.drop();
    this.#limits.keyboard.watch(unit, value);
  }

  #forget(unit: UnitOfWork, stands: KeptValue, keyboard: string): void {
    if (stands.get() !== keyboard) return;
    stands.drop();
    this.#limits.callbackQuery.watch(unit, stands);
  }

  #hasTokens({ reply_markup: markup }: Payload): boolean {
    if (!isInlineKeyboard(markup)) return false;
    const botId = this.#host.botId();
    return markup.inline_keyboard.flat().some((button) => {
      return "callback_data" in button && typeof readToken(button.callback_data, botId) === "object";
    });
  }

  #start(work: () => Promise<void>): void {
    const before = this.#running ?? Promise.resolve();
    const running = this.#outside(() => before.then(work))
      .catch((error: unknown) => {
        const isOver = isPerdureError(error, "PERDURE_STOPPED") || isPerdureError(error, "PERDURE_CLOSED");
        if (!isOver) this.#host.report(error);
      })
      .finally(() => {
        if (this.#running === running) this.#running = undefined;
      });
    this.#running = running;
  }

  async #dropWaiting(): Promise<void> {
    const places = [...this.#waiting];
    this.#waiting.clear();
    if (places.length === 0 || !(await this.#limits.callbackQuery.hasAny())) return;
    const engine = await this.#host.engine();
    const keyboards = await engine.records.copies(places.map(placeKey));
    for (const [index, place] of places.entries()) {
      const keyboard = keyboards[index];
      if (typeof keyboard === "string") await this.#drop(keyboard, place);
    }
  }

  async #drop(keyboard: string, place?: MessagePlace): Promise<void> {
    await this.#host.join("removing a keyboard that was replaced", async (unit) => {
      if (place === undefined) return this.remove(unit, keyboard, place);
      const value = await unit.open({ kind: "keyboard", id: keyboard });
      const stands = await unit.open(placeKey(place));
      // It may have another keyboard by now.
      if (stands.get() !== keyboard) return false;
      this.#dropKeyboard(unit, value);
      this.#forget(unit, stands, keyboard);
      return true;
    });
  }
}
