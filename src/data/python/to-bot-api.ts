import { setOwn } from "../codec/set-own.ts";
import { PythonDatetime } from "./python-datetime.ts";
import { PythonEnum } from "./python-enum.ts";
import { PythonObject } from "./python-object.ts";
import { PythonTimedelta } from "./python-timedelta.ts";
import { PythonTuple } from "./python-tuple.ts";

/** What is in an object of python-telegram-bot beside the fields of the Bot API. */
const OWN_PARTS = new Set(["api_kwargs", "bot"]);

/** Members of `telegram.constants` whose value is not their name in lower case. */
const CONSTANTS: ReadonlyMap<string, string> = new Map([
  ["ChatMemberStatus.OWNER", "creator"],
  ["ChatMemberStatus.BANNED", "kicked"],
  ["InlineQueryResultType.MPEG4GIF", "mpeg4_gif"],
  ["ParseMode.MARKDOWN", "Markdown"],
  ["ParseMode.MARKDOWN_V2", "MarkdownV2"],
  ["ParseMode.HTML", "HTML"],
  ["DiceEmoji.DICE", "🎲"],
  ["DiceEmoji.DARTS", "🎯"],
  ["DiceEmoji.BASKETBALL", "🏀"],
  ["DiceEmoji.FOOTBALL", "⚽"],
  ["DiceEmoji.SLOT_MACHINE", "🎰"],
  ["DiceEmoji.BOWLING", "🎳"],
]);

/**
 * A `Message`, `User` or other object that a Python bot kept, as the plain object of the Bot API that grammY has for it: python-telegram-bot's `to_dict()`.
 * Moments are seconds since 1970, empty lists and what is not there are left out, fields that version did not know are there.
 *
 * @throws TypeError for what is no object of python-telegram-bot.
 */
export function toBotApi(object: unknown): Record<string, unknown> {
  const fields = fieldsOf(object);
  if (fields === undefined) throw new TypeError("toBotApi: this is no object of python-telegram-bot.");
  const made: Record<string, unknown> = {};
  for (const [name, value] of [...fields, ...unknownFields(fields)]) {
    if (name.startsWith("_") && !(value instanceof PythonTimedelta)) continue;
    const converted = OWN_PARTS.has(name) ? undefined : fieldValue(value);
    if (converted !== undefined) setOwn(made, fieldName(name), converted);
  }
  return made;
}

/** The attributes of an object of version 20 and later, or of 13. */
function fieldsOf(object: unknown): Map<string, unknown> | undefined {
  if (!(object instanceof PythonObject) || !/^telegram\.(?!ext\.|utils\.)/.test(object.name)) return undefined;
  const fields = object.called ? object.args[1] : object.state;
  const part = fields instanceof PythonTuple ? fields.items[1] : fields;
  return typeof part === "object" && part !== null ? new Map(Object.entries(part)) : undefined;
}

function unknownFields(fields: ReadonlyMap<string, unknown>): [string, unknown][] {
  const unknown = fields.get("api_kwargs");
  return typeof unknown === "object" && unknown !== null ? Object.entries(unknown) : [];
}

function fieldName(name: string): string {
  return name === "from_user" ? "from" : name.replace(/^_/, "");
}

/** Undefined for what the Bot API would leave out. */
function fieldValue(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (value instanceof PythonTuple || Array.isArray(value)) {
    const items = Array.from(value as Iterable<unknown>, itemValue);
    return items.length === 0 ? undefined : items;
  }
  if (value instanceof Date) return Math.floor(value.getTime() / 1000);
  if (value instanceof PythonDatetime) return Math.floor(value.toDate("UTC").getTime() / 1000);
  if (value instanceof PythonTimedelta) return value.toMilliseconds() / 1000;
  if (value instanceof PythonEnum) return enumValue(value);
  return value instanceof PythonObject && fieldsOf(value) !== undefined ? toBotApi(value) : value;
}

function itemValue(item: unknown): unknown {
  if (item instanceof PythonTuple || Array.isArray(item)) return Array.from(item as Iterable<unknown>, itemValue);
  return fieldValue(item) ?? item;
}

function enumValue({ type, member, value }: PythonEnum): unknown {
  if (member === undefined) return value;
  return CONSTANTS.get(`${type.name}.${member}`) ?? member.toLowerCase();
}
