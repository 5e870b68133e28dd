import { AsyncLocalStorage } from "node:async_hooks";
import type { KeptValue } from "../engine/kept-value.ts";
import type { UnitOfWork, UnitReference } from "../engine/unit-of-work.ts";
import { isPerdureError } from "../errors.ts";
import type { CallbackDataHost } from "./callback-data-host.ts";
import { isInlineKeyboard, type Payload } from "./inline-keyboards.ts";
import type { KeptLimits } from "./kept-limits.ts";
import { placeKey, placesEdited, type MessagePlace } from "./message-place.ts";
import { keyboardsIn } from "./token.ts";

const NONE: ReadonlySet<string> = new Set();

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
 *
 * Nobody waits for the record of a message, which no handler knows of: two units that edit the same messages would wait for each other. What is
 * not noted for that reason goes with the limits.
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

  /** A message has a new keyboard, in a call with this payload. */
  async put(unit: UnitOfWork, place: MessagePlace, keyboard: string, payload: Payload): Promise<void> {
    this.#waiting.delete(place);
    const value = await unit.openFree(placeKey(place));
    if (value === undefined) return;
    const old = value.get();
    value.set(keyboard);
    value.foundBy = { time: this.#host.now() };
    this.#limits.callbackQuery.watch(unit, value);
    // Buttons that were received may be sent again, beside new ones.
    if (typeof old !== "string" || this.#keyboardsIn(payload).has(old)) return;
    const known = unit.known({ kind: "keyboard", id: old });
    if (known === undefined) this.#start(() => this.#drop(old));
    else this.#dropKeyboard(unit, known);
  }

  /** A call was made that may have taken keyboards away; `within` is that of the context whose api has made it. */
  async edited(method: string, payload: Payload, within?: UnitReference): Promise<void> {
    const places = placesEdited(method, payload);
    // One that has data buttons was put there.
    if (places.length === 0 || this.#keyboardsIn(payload).size > 0) return;
    for (const place of places) {
      const unit = this.#userOf(place, within);
      const isDropped = await unit?.perform(method, () => this.#dropKnown(unit, place));
      if (isDropped !== true) this.#waiting.add(place);
    }
    // A call alone opens nothing. What waits is removed with the next one.
    if (this.#waiting.size > 0 && this.#host.isOpen()) this.#start(() => this.#dropWaiting());
  }

  /** Removes a keyboard, and that it stands in this message. */
  async remove(unit: UnitOfWork, keyboard: string, place: MessagePlace | undefined): Promise<boolean> {
    const value = await unit.open({ kind: "keyboard", id: keyboard });
    const wasThere = value.current !== undefined;
    this.#dropKeyboard(unit, value);
    if (place !== undefined) this.#forget(unit, await unit.openFree(placeKey(place)), keyboard);
    return wasThere;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** The unit of work that may own the keyboard of a message itself. */
  #userOf(place: MessagePlace, within: UnitReference | undefined): UnitOfWork | undefined {
    if (within !== undefined) {
      const { unit } = within;
      return unit?.isAside === false && unit.opened("keyboard").length > 0 ? unit : undefined;
    }
    // A transformer may have made the call in the midst of another unit, which must not be kept from ending.
    const current = this.#host.current();
    return current?.known(placeKey(place)) === undefined ? undefined : current;
  }

  async #dropKnown(unit: UnitOfWork, place: MessagePlace): Promise<boolean> {
    const stands = await unit.openFree(placeKey(place));
    if (stands === undefined) return false;
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

  #forget(unit: UnitOfWork, stands: KeptValue | undefined, keyboard: string): void {
    if (stands?.get() !== keyboard) return;
    stands.drop();
    this.#limits.callbackQuery.watch(unit, stands);
  }

  #keyboardsIn({ reply_markup: markup }: Payload): ReadonlySet<string> {
    return isInlineKeyboard(markup) ? keyboardsIn(markup, this.#host.botId()) : NONE;
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
    const hasAny = await this.#limits.callbackQuery.hasAny();
    const engine = await this.#host.engine();
    // Not before: until then another keyboard may have come, and have ended the waiting.
    const places = [...this.#waiting];
    this.#waiting.clear();
    if (!hasAny || places.length === 0) return;
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
      const stands = await unit.openFree(placeKey(place));
      // It may have another keyboard by now.
      if (stands !== undefined && stands.get() !== keyboard) return false;
      this.#dropKeyboard(unit, value);
      this.#forget(unit, stands, keyboard);
      return true;
    });
  }
}
