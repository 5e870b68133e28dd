import type { InlineKeyboardMarkup } from "@grammyjs/types";
import { badRequest } from "../telegram-error.ts";
import { isRecord, type Parameters } from "./parameters.ts";

/** "Data to be sent in a callback query to the bot when the button is pressed, 1-64 bytes" (InlineKeyboardButton). */
const MAX_CALLBACK_DATA = 64;

/** Of these a button of an inline keyboard needs one. */
const ACTIONS = [
  "url",
  "callback_data",
  "web_app",
  "login_url",
  "switch_inline_query",
  "switch_inline_query_current_chat",
  "switch_inline_query_chosen_chat",
  "copy_text",
  "callback_game",
  "pay",
];

/**
 * The inline keyboard of the `reply_markup` parameter. `undefined` when there is none, or an empty one, or another kind
 * of reply markup: a message does not show those.
 */
export function readInlineKeyboard(parameters: Parameters): InlineKeyboardMarkup | undefined {
  const markup = parameters.json("reply_markup", "reply keyboard markup");
  if (markup === undefined) return undefined;
  if (!isRecord(markup)) throw badRequest("object expected as reply markup");
  const rows = markup["inline_keyboard"];
  if (rows === undefined) return undefined;
  if (!Array.isArray(rows) || !rows.every(Array.isArray)) {
    throw badRequest('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays');
  }
  const keyboard = (rows as unknown[][]).filter((row) => row.length > 0);
  keyboard.flat().forEach(checkButton);
  return keyboard.length === 0 ? undefined : ({ inline_keyboard: keyboard } as InlineKeyboardMarkup);
}

function checkButton(button: unknown): void {
  if (!isRecord(button)) throw cannotParse("InlineKeyboardButton must be an Object");
  if (typeof button["text"] !== "string") throw cannotParse('Can\'t find field "text"');
  if (!ACTIONS.some((action) => button[action] !== undefined)) {
    throw cannotParse("Text buttons are unallowed in the inline keyboard");
  }
  const data = button["callback_data"];
  if (data !== undefined && !isCallbackData(data)) throw badRequest("BUTTON_DATA_INVALID");
}

function isCallbackData(data: unknown): boolean {
  return typeof data === "string" && data !== "" && Buffer.byteLength(data) <= MAX_CALLBACK_DATA;
}

function cannotParse(reason: string): Error {
  return badRequest(`can't parse inline keyboard button: ${reason}`);
}
