import { isKeptText } from "../data/kept-text.ts";
import type { KeyOf } from "../data/record.ts";
import type { Payload } from "./inline-keyboards.ts";

/** The methods that replace the keyboard of a message, or take it away. A test derives them from the types of the Bot API. */
const EDITING_METHODS = [
  "editMessageCaption",
  "editMessageChecklist",
  "editMessageLiveLocation",
  "editMessageMedia",
  "editMessageReplyMarkup",
  "editMessageText",
  "stopMessageLiveLocation",
  "stopPoll",
] as const;

/** One of them. */
export type EditingMethod = (typeof EDITING_METHODS)[number];

const EDITING: ReadonlySet<string> = new Set(EDITING_METHODS);

/**
 * Which message, as text: `-1001/17`, or `inline/` and the id of one that was sent via the bot. Not of a business account's chats, whose messages are counted
 * for themselves, nor of an ephemeral message, whose id is given to others later.
 */
export type MessagePlace = string;

/** The messages whose keyboards a call has replaced or taken away. */
export function placesEdited(method: string, payload: Payload): readonly MessagePlace[] {
  if (EDITING.has(method) || method === "deleteMessage") return list(placeNamed(payload));
  const { message_ids: ids, chat_id: chat } = payload;
  if (method !== "deleteMessages" || !Array.isArray(ids)) return [];
  return ids.flatMap((id) => list(placeIn(chat, id)));
}

/** The message that a call has sent or edited, as far as it is known. */
export function placeAnswered(payload: Payload, answer: unknown): MessagePlace | undefined {
  if (typeof answer !== "object" || answer === null || isBusiness(payload)) return placeNamed(payload);
  const { chat, message_id: id, inline_message_id: inlineId } = answer as Payload;
  if (typeof inlineId === "string") return placeInline(inlineId);
  const { id: chatId = payload["chat_id"] } = (chat ?? {}) as Payload;
  return id === undefined ? placeNamed(payload) : placeIn(chatId, id);
}

/** The message in which a button was pressed. */
export function placeOfMessage(message: unknown): MessagePlace | undefined {
  const { chat, message_id: id, business_connection_id: business } = (message ?? {}) as Payload;
  return business === undefined ? placeIn((chat as Payload | undefined)?.["id"], id) : undefined;
}

/** Under which a keyboard's id stands for its message, beside those of callback queries: both lead to a keyboard. */
export function placeKey(place: MessagePlace): KeyOf<"callbackQuery"> {
  return { kind: "callbackQuery", id: `${PREFIX}${place}` };
}

/** Whether a record of this kind is a message's. */
export function isPlaceKey({ id }: KeyOf<"callbackQuery">): boolean {
  return id.startsWith(PREFIX);
}

const PREFIX = "message:";

function placeNamed(payload: Payload): MessagePlace | undefined {
  const { chat_id: chat, message_id: id, inline_message_id: inlineId } = payload;
  if (isBusiness(payload)) return undefined;
  return typeof inlineId === "string" ? placeInline(inlineId) : placeIn(chat, id);
}

function placeInline(id: string): MessagePlace | undefined {
  return isKeptText(id) ? `inline/${id}` : undefined;
}

/** A channel named by its `@username` is not known by its id; a message that is still to be sent has none: 0. */
function placeIn(chat: unknown, id: unknown): MessagePlace | undefined {
  const chatId = typeof chat === "string" && /^-?\d+$/.test(chat) ? Number(chat) : chat;
  return typeof chatId === "number" && typeof id === "number" && id > 0 ? `${chatId}/${id}` : undefined;
}

function isBusiness(payload: Payload): boolean {
  return payload["business_connection_id"] !== undefined;
}

function list<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
