import { isKeptText } from "../data/kept-text.ts";
import type { Engine } from "../engine/engine.ts";
import type { KeptValue } from "../engine/kept-value.ts";
import type { UnitOfWork, UnitReference } from "../engine/unit-of-work.ts";
import type { KeyOf } from "../data/record.ts";
import type { CallbackDataHost } from "./callback-data-host.ts";
import { isInlineKeyboard, type Payload } from "./inline-keyboards.ts";
import { InvalidCallbackData } from "./invalid-callback-data.ts";
import { KeptLimits, type Limits } from "./kept-limits.ts";
import { MessageKeyboards } from "./message-keyboards.ts";
import { isPlaceKey, placeOfMessage } from "./message-place.ts";
import { Press, valueIn } from "./press.ts";
import { SentKeyboards, type Answer, type SendOptions } from "./sent-keyboards.ts";
import { readToken } from "./token.ts";

/** Presses within so long after a use that was noted are not noted, in milliseconds. */
const NOTED_EVERY = 60 * 60 * 1000;

/** So many records are removed in one unit of work, where they need not be removed in one. */
const DROPPED_AT_ONCE = 100;

/** As much of a callback query as is needed to drop its keyboard. */
export interface DroppableQuery {
  readonly id?: string | undefined;
  readonly data?: string | undefined;
  readonly message?: unknown;
}

/** As much of a message as is needed to read the values of its buttons. */
export interface MessageWithKeyboard {
  readonly reply_markup?: unknown;
  readonly from?: { readonly id: number } | undefined;
  readonly via_bot?: { readonly id: number } | undefined;
}

/** The values of data buttons: kept when buttons are sent, found when they are pressed, and removed when nobody can press them. */
export class CallbackData {
  readonly #host: CallbackDataHost;
  readonly #limits: { readonly keyboard: KeptLimits; readonly callbackQuery: KeptLimits };
  readonly #messages: MessageKeyboards;
  readonly #sent: SentKeyboards;

  constructor(limits: Limits, host: CallbackDataHost) {
    this.#host = host;
    this.#limits = {
      keyboard: new KeptLimits("keyboard", limits, host),
      callbackQuery: new KeptLimits("callbackQuery", limits, host),
    };
    this.#messages = new MessageKeyboards(host, this.#limits);
    this.#sent = new SentKeyboards(host, this.#limits.keyboard, this.#messages);
  }

  /** Makes a call with tokens in the place of data buttons: see {@link SentKeyboards.send}. */
  send<A extends Answer>(
    method: string,
    payload: Payload,
    options: SendOptions,
    perform: (payload: Payload) => Promise<A>,
  ): Promise<A> {
    return this.#sent.send(method, payload, options, perform);
  }

  /** A call was made that may have taken keyboards away; `within` is that of the context whose api has made it. */
  edited(method: string, payload: Payload, within?: UnitReference): Promise<void> {
    return this.#messages.edited(method, payload, within);
  }

  /**
   * The press of a button with this data, in its update's unit of work, which owns the keyboard from here on. It waits for a unit that has sent
   * the keyboard and is not committed. `undefined` for data that is no token.
   */
  async press(unit: UnitOfWork, data: string): Promise<Press | undefined> {
    const token = readToken(data, this.#host.botId());
    if (token === undefined) return undefined;
    if (token === "forged") return new Press(data, unit, undefined);
    this.#limits.keyboard.used();
    const keyboard = await this.#open(unit, "callbackData", token.keyboard);
    if (keyboard.current === undefined) return new Press(data, unit, undefined);
    const { time = 0 } = keyboard.foundBy;
    const now = this.#host.now();
    if (now - time >= NOTED_EVERY) keyboard.foundBy = { time: now };
    return new Press(data, unit, { token, keyboard });
  }

  /**
   * The values of a message's buttons, row by row (PTB statements 171, 172): `undefined` for a button that is no data button, and for all buttons of
   * messages that neither are the bot's own nor were sent via it.
   */
  valuesIn(unit: UnitOfWork, message: MessageWithKeyboard): Promise<(readonly unknown[])[]> {
    return unit.perform("callbackDataIn", async () => {
      const { reply_markup: markup, via_bot: via, from: sender } = message;
      const owner = via ?? sender;
      if (!isInlineKeyboard(markup)) return [];
      const isOurs = owner?.id === this.#host.botId();
      const rows: unknown[][] = [];
      for (const row of markup.inline_keyboard) {
        const values: unknown[] = [];
        for (const button of row) {
          const { callback_data: data } = button as { readonly callback_data?: unknown };
          const isReadable = typeof data === "string" && (owner === undefined || isOurs);
          values.push(isReadable ? await this.#valueOf(unit, data, isOurs) : undefined);
        }
        rows.push(values);
      }
      return rows;
    });
  }

  /**
   * Removes the keyboard that a callback query came from (PTB statement 174), in the caller's unit of work or in one of its own. Rejects with
   * {@link InvalidCallbackData} when there is none.
   */
  drop(query: DroppableQuery): Promise<void> {
    const { data = "", id, message } = query;
    return this.#host.join("dropCallbackData", async (unit) => {
      const token = readToken(data, this.#host.botId());
      const dropped = [
        typeof token === "object" && (await this.#messages.remove(unit, token.keyboard, placeOfMessage(message))),
        id !== undefined && (await this.#dropQuery(unit, id)),
      ];
      if (!dropped.includes(true)) throw new InvalidCallbackData(data);
    });
  }

  /** Removes all keyboards whose last use was before this moment (PTB statement 175), and with `Infinity` all. */
  clear(before: number): Promise<void> {
    return this.#clear("clearCallbackData", "keyboard", (value) => (value.foundBy.time ?? 0) < before);
  }

  /** Removes what is remembered of callback queries (PTB statement 175). */
  clearQueries(): Promise<void> {
    return this.#clear(
      "clearCallbackQueries",
      "callbackQuery",
      ({ key }) => !isPlaceKey(key as KeyOf<"callbackQuery">),
    );
  }

  /** Resolves when nothing is under way beside units of work. */
  async idle(): Promise<void> {
    await this.#messages.idle();
    await Promise.all([this.#limits.keyboard.idle(), this.#limits.callbackQuery.idle()]);
  }

  /** A keyboard that is too old is none. */
  async #open(unit: UnitOfWork, name: string, id: string): Promise<KeptValue> {
    return unit.perform(name, async () => {
      const keyboard = await unit.open({ kind: "keyboard", id });
      if (this.#limits.keyboard.isExpired(keyboard.foundBy.time)) this.#drop(unit, keyboard);
      return keyboard;
    });
  }

  async #valueOf(unit: UnitOfWork, data: string, isOurs: boolean): Promise<unknown> {
    const token = readToken(data, this.#host.botId());
    if (token === undefined) return undefined;
    const value =
      token === "forged"
        ? new InvalidCallbackData(data)
        : valueIn((await this.#open(unit, "callbackDataIn", token.keyboard)).get(), token, data);
    // A channel's message has no sender: it may be another bot's.
    return value instanceof InvalidCallbackData && !isOurs ? undefined : value;
  }

  /** Drops the keyboard of a query that came from PTB. */
  async #dropQuery(unit: UnitOfWork, id: string): Promise<boolean> {
    if (!isKeptText(id)) return false;
    const query = await unit.open({ kind: "callbackQuery", id });
    const keyboard = query.get();
    if (typeof keyboard !== "string") return false;
    this.#drop(unit, await unit.open({ kind: "keyboard", id: keyboard }));
    this.#drop(unit, query);
    return true;
  }

  #drop(unit: UnitOfWork, value: KeptValue): void {
    value.drop();
    this.#limits[value.key.kind as "keyboard" | "callbackQuery"].watch(unit, value);
  }

  async #clear(
    name: string,
    kind: "keyboard" | "callbackQuery",
    isWanted: (value: KeptValue) => boolean,
  ): Promise<void> {
    const dropAll = async (unit: UnitOfWork, keys: readonly KeyOf<typeof kind>[]): Promise<void> => {
      for (const key of keys) {
        const value = await unit.open(key);
        if (value.current !== undefined && isWanted(value)) this.#drop(unit, value);
      }
    };
    // In a handler all of it belongs to its update, and so does what the update itself has added.
    if (this.#host.current() !== undefined) {
      return this.#host.join(name, async (unit) => {
        for await (const key of (await this.#host.engine()).records.keys(kind)) await dropAll(unit, [key]);
        await dropAll(
          unit,
          unit.opened(kind).map(({ key }) => key),
        );
      });
    }
    const engine: Engine = await this.#host.engine();
    let page: KeyOf<typeof kind>[] = [];
    for await (const key of engine.records.keys(kind)) {
      if (page.push(key) < DROPPED_AT_ONCE) continue;
      const full = page;
      page = [];
      await this.#host.join(name, (unit) => dropAll(unit, full));
    }
    await this.#host.join(name, (unit) => dropAll(unit, page));
  }
}
