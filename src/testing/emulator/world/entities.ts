import type { MessageEntity } from "@grammyjs/types";

type Kind = "bot_command" | "mention" | "hashtag" | "url" | "email";

/** In order of precedence: what an earlier one covers no later one may touch. */
const PATTERNS: readonly (readonly [Kind, RegExp])[] = [
  ["email", /[\w.+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,}/giu],
  ["url", /(?:https?|tg):\/\/[^\s<>"]+/giu],
  ["url", /(?<![\p{L}\p{N}_@.-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|me|dev|app|info|de|uk|ru)\b(?:\/[^\s<>"]*)?/giu],
  ["bot_command", /(?<![\p{L}\p{N}_/<>@])\/\w{1,64}(?:@\w{3,32})?(?![\p{L}\p{N}_/<>])/gu],
  ["mention", /(?<![\p{L}\p{N}_/])@\w{3,32}(?![\p{L}\p{N}_])/gu],
  ["hashtag", /(?<![\p{L}\p{N}_#])#(?=[\p{N}_]*\p{L})[\p{L}\p{N}_]{1,256}/gu],
];

const TRAILING_PUNCTUATION = /[.,:;!?)'\]]+$/u;

/** Text without any of these has no entity. */
const HINT = /[/@#.]/;

/**
 * The entities that Telegram finds in plain text by itself: commands, mentions, hashtags, web and mail addresses.
 * Offsets and lengths in UTF-16 code units. Of bare domains only the common endings are known.
 */
export function findEntities(text: string): MessageEntity[] {
  if (!HINT.test(text)) return [];
  const entities: MessageEntity[] = [];
  for (const [type, pattern] of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const found = type === "url" ? match[0].replace(TRAILING_PUNCTUATION, "") : match[0];
      const entity: MessageEntity = { type, offset: match.index, length: found.length };
      if (!entities.some((other) => overlap(entity, other))) entities.push(entity);
    }
  }
  return entities.sort((a, b) => a.offset - b.offset);
}

function overlap(a: MessageEntity, b: MessageEntity): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

/** `text` with its entities, as fields of a message. */
export function textFields(text: string): { text: string; entities?: MessageEntity[] } {
  const entities = findEntities(text);
  return entities.length === 0 ? { text } : { text, entities };
}
