import { AsyncLocalStorage } from "node:async_hooks";
import type { InlineKeyboardButton } from "@grammyjs/types";

/** What a button shows: its text, or an object of text, style and icon. */
export type ButtonLabel = string | InlineKeyboardButton.AbstractInlineKeyboardButton;

/** What a data button carries. */
export interface ButtonData {
  readonly value: unknown;
  /** Calls something where the button was made: that is how its unit of work is found. */
  readonly whereMade: <T>(call: () => T) => T;
}

/** Enumerable, so that it stays with the button when the button is spread into a new one; and left out of JSON. */
const DATA = Symbol.for("perdure.dataButton");

/** More than the 64 bytes that Telegram takes: sent past the application, a message with it is refused. */
const NO_TOKEN = "dataButton of perdure, sent past the Application of its bot, which puts a token here";

/**
 * An inline button that carries any value that the codec keeps, of any size: `dataButton("Buy", { id: 17, size: "L" })`. For arrays and
 * for grammY's `InlineKeyboard`: `new InlineKeyboard().add(dataButton("Buy", order)).url("Help", url)`.
 *
 * When it is sent, through `ctx` or through the api of a bot that has an `Application`, a token stands in its `callback_data`, and the value is
 * kept in the commit of the unit of work whose context sends it (through `bot.api`, of the one in which the button was made, or of the one that
 * sends it if that is over or if there was none; else in a commit of its own, when the message is sent). A press gives it back: `ctx.callbackData`. Each sending keeps the value as it is
 * then, also of a button that is sent again. A value that cannot be kept makes the call reject with `PERDURE_CANNOT_KEEP` before anything is sent.
 *
 * Throws a `TypeError` for `undefined`, which is no value.
 */
export function dataButton(text: ButtonLabel, value: unknown): InlineKeyboardButton.CallbackButton {
  const label = typeof text === "string" ? { text } : text;
  if (value === undefined) {
    throw new TypeError(`dataButton(${JSON.stringify(label.text)}): undefined is no value. Give null for none.`);
  }
  const data: ButtonData = { value, whereMade: AsyncLocalStorage.snapshot() };
  return { ...label, callback_data: NO_TOKEN, [DATA]: data } as InlineKeyboardButton.CallbackButton;
}

/** What a button carries, if it is a data button. */
export function dataOf(button: object): ButtonData | undefined {
  return (button as { readonly [DATA]?: ButtonData })[DATA];
}

/** The button as it is sent: with this in the place of what it carries. */
export function withToken<B extends object>(button: B, token: PropertyDescriptor): B {
  const copy = { ...button, [DATA]: undefined };
  return Object.defineProperty(copy, "callback_data", { ...token, enumerable: true, configurable: true });
}
