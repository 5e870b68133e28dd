import type { InlineKeyboardMarkup } from "@grammyjs/types";

/** What a method of the Bot API is called with. */
export type Payload = Readonly<Record<string, unknown>>;

/** Where in a payload an inline keyboard may be. A test derives it from the types of the Bot API. */
export type KeyboardPlace = "reply_markup" | "result.reply_markup" | "results[].reply_markup";

/** Gives another keyboard for one of a payload, or the same. `path` is where it is: `results[2].reply_markup`. */
export type ReplaceKeyboard = (
  markup: InlineKeyboardMarkup,
  place: KeyboardPlace,
  path: string,
) => InlineKeyboardMarkup;

/** The payload with other keyboards, as a copy of what has to be another; the same object where nothing has. */
export function replaceKeyboards(payload: Payload, replace: ReplaceKeyboard): Payload {
  const { reply_markup: markup, result, results } = payload;
  let copy = payload;
  if (isInlineKeyboard(markup)) copy = withField(copy, "reply_markup", replace(markup, "reply_markup", "reply_markup"));
  if (isObject(result)) {
    copy = withField(copy, "result", ofResult(result, "result.reply_markup", "result.reply_markup", replace));
  }
  if (Array.isArray(results)) copy = withField(copy, "results", ofResults(results, replace));
  return copy;
}

/** Whether something is an inline keyboard, and none of the other kinds of reply markup. */
export function isInlineKeyboard(markup: unknown): markup is InlineKeyboardMarkup {
  if (!isObject(markup) || !Array.isArray(markup["inline_keyboard"])) return false;
  return markup["inline_keyboard"].every((row) => Array.isArray(row) && row.every(isObject));
}

function ofResults(results: readonly unknown[], replace: ReplaceKeyboard): readonly unknown[] {
  const copies = results.map((result, index) =>
    isObject(result)
      ? ofResult(result, "results[].reply_markup", `results[${index}].reply_markup`, replace)
      : (result as unknown),
  );
  return copies.every((copy, index) => copy === results[index]) ? results : copies;
}

function ofResult(result: Payload, place: KeyboardPlace, path: string, replace: ReplaceKeyboard): Payload {
  const { reply_markup: markup } = result;
  return isInlineKeyboard(markup) ? withField(result, "reply_markup", replace(markup, place, path)) : result;
}

function withField(object: Payload, name: string, value: unknown): Payload {
  return object[name] === value ? object : { ...object, [name]: value };
}

function isObject(value: unknown): value is Payload {
  return typeof value === "object" && value !== null;
}
