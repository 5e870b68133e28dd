import { hash, randomFillSync } from "node:crypto";
import type { InlineKeyboardMarkup } from "@grammyjs/types";

/**
 * What stands in the `callback_data` of a button: 64 hexadecimal digits, as in PTB (statement 168). The first 32 are the keyboard's id, the
 * others the button's.
 *
 * Both look like UUIDs: PTB's of version 4, ours of version 8. In ours the last 8 digits are a checksum over all others and the bot's id, so
 * that most of what was changed, and what another bot has made, is known without asking what is kept. The rest is random: 122 bits of the keyboard and
 * 90 of the button.
 */
export interface Token {
  readonly keyboard: string;
  readonly button: string;
}

/** The digits of an id, and of all but the checksum of a button's. */
const ID_DIGITS = 32;
const DRAWN_DIGITS = 24;

const LOOKS = /^[0-9a-f]{12}[48][0-9a-f]{3}[89ab][0-9a-f]{27}[48][0-9a-f]{3}[89ab][0-9a-f]{15}$/;
const VERSION_AT = 12;

/** A new keyboard's id. */
export function drawKeyboardId(): string {
  return drawUuid();
}

/** A new button's id. */
export function drawButtonId(keyboard: string, botId: number): string {
  const drawn = drawUuid().slice(0, DRAWN_DIGITS);
  return drawn + checksum(keyboard, drawn, botId);
}

/**
 * What a button's data leads to; `"forged"` for what looks like a token and is none of this bot's; `undefined` for anything else, such as
 * the data of another plugin.
 */
export function readToken(data: string, botId: number): Token | "forged" | undefined {
  if (data.length !== 2 * ID_DIGITS || !LOOKS.test(data)) return undefined;
  const keyboard = data.slice(0, ID_DIGITS);
  const button = data.slice(ID_DIGITS);
  const version = keyboard[VERSION_AT];
  if (version !== button[VERSION_AT]) return "forged";
  const isWhole = version === "4" || button.endsWith(checksum(keyboard, button.slice(0, DRAWN_DIGITS), botId));
  return isWhole ? { keyboard, button } : "forged";
}

/** The keyboards that the tokens of a keyboard's buttons belong to, as far as they are this bot's. */
export function keyboardsIn({ inline_keyboard: rows }: InlineKeyboardMarkup, botId: number): ReadonlySet<string> {
  const keyboards = new Set<string>();
  for (const button of rows.flat()) {
    const { callback_data: data } = button as { readonly callback_data?: unknown };
    const token = typeof data === "string" ? readToken(data, botId) : undefined;
    if (typeof token === "object") keyboards.add(token.keyboard);
  }
  return keyboards;
}

function drawUuid(): string {
  const bytes = randomFillSync(Buffer.allocUnsafe(ID_DIGITS / 2));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex");
}

function checksum(keyboard: string, drawn: string, botId: number): string {
  return hash("sha256", `${botId}:${keyboard}${drawn}`, "hex").slice(0, ID_DIGITS - DRAWN_DIGITS);
}
