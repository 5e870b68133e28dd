import type { InlineKeyboardMarkup } from "@grammyjs/types";
import type { ApiClientOptions, BotConfig } from "grammy";
import type { MyContext } from "./made-app.ts";

/** A call that a bot has made. */
export interface MadeCall {
  readonly method: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What Telegram answers: a result, or `{ ok: false, ... }` whole. Thrown, the connection breaks. */
export type Script = (call: MadeCall) => unknown;

/** A Telegram that does what a test says, and by default sends each message. Every call goes through JSON, as over the network. */
export class ScriptedTelegram {
  readonly calls: MadeCall[] = [];
  script: Script = () => undefined;
  #lastMessage = 1000;

  /** For `makeApp`. */
  config(client: ApiClientOptions = {}): BotConfig<MyContext> {
    return {
      client: { ...client, fetch: (async (url: string, init: { body: string }) => this.#fetch(url, init)) as never },
    };
  }

  /** The callback data of the keyboard that was sent last, or of the last but so many. */
  data(before = 0): string[] {
    const found = this.calls.flatMap(({ payload }) => keyboardsIn(payload));
    const keyboard = found.at(-1 - before);
    return (keyboard?.inline_keyboard ?? []).flat().map((button) => String((button as never)["callback_data"]));
  }

  /** The calls of one method. */
  of(method: string): MadeCall["payload"][] {
    return this.calls.filter((call) => call.method === method).map(({ payload }) => payload);
  }

  async #fetch(url: string, { body }: { body: string }): Promise<{ json(): unknown }> {
    const call = { method: url.slice(url.lastIndexOf("/") + 1), payload: JSON.parse(body) as MadeCall["payload"] };
    this.calls.push(call);
    const answer = (await this.script(call)) ?? this.#sent(call);
    const isWhole = typeof answer === "object" && answer !== null && "ok" in answer;
    const whole: unknown = isWhole ? answer : { ok: true, result: answer };
    return { json: () => JSON.parse(JSON.stringify(whole)) };
  }

  #sent({ method, payload }: MadeCall): unknown {
    const { chat_id: chat, message_id: edited, reply_markup: markup, inline_message_id: inline } = payload;
    if (!/^(send|edit|copy)/.test(method) || inline !== undefined) return true;
    const id = method.startsWith("edit") ? edited : (this.#lastMessage += 1);
    const from = { id: 1, is_bot: true, first_name: "bot" };
    return { message_id: id, date: 0, from, chat: { id: Number(chat), type: "group" }, reply_markup: markup };
  }
}

function keyboardsIn({ reply_markup: markup, result, results = [] }: Record<string, unknown>): InlineKeyboardMarkup[] {
  const nested = [result, ...(results as unknown[])].map((one) => (one as { reply_markup?: unknown })?.reply_markup);
  return [markup, ...nested].filter((one) => one !== undefined) as InlineKeyboardMarkup[];
}

let nextId = 1;

/** The press of a button with this data under a message, or under an inline message. */
export function pressUpdate(
  data: string,
  { chat = -1, user = 7, message = 1001, inline, markup }: PressOptions = {},
): never {
  const from = { id: user, is_bot: false, first_name: "Ann" };
  const bot = { id: 1, is_bot: true, first_name: "bot" };
  const under =
    inline === undefined
      ? {
          message: { message_id: message, date: 1, from: bot, chat: { id: chat, type: "group" }, reply_markup: markup },
        }
      : { inline_message_id: inline };
  const query = { id: String(nextId), from, chat_instance: "1", data, ...under };
  return { update_id: 1_000_000 + nextId++, callback_query: query } as never;
}

interface PressOptions {
  readonly chat?: number;
  readonly user?: number;
  readonly message?: number;
  readonly inline?: string;
  readonly markup?: unknown;
}
