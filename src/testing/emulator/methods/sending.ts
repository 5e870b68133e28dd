import type { Message, MessageEntity, MessageId } from "@grammyjs/types";
import { badRequest } from "../telegram-error.ts";
import type { ChatRoom } from "../world/chat-room.ts";
import { textFields } from "../world/entities.ts";
import { replyFields, type MessageContent } from "../world/people.ts";
import { readInlineKeyboard } from "./keyboard.ts";
import { knownRoom, targetMessage, writableRoom, type Call } from "./method.ts";
import { isRecord, type Parameters } from "./parameters.ts";

/** "Text of the message to be sent, 1-4096 characters" (sendMessage). */
const MAX_TEXT = 4096;

/** "Caption, 0-1024 characters" (sendPhoto, sendDocument). */
const MAX_CAPTION = 1024;

const NOT_COPIED: ReadonlySet<string> = new Set([
  "message_id",
  "from",
  "date",
  "chat",
  "reply_to_message",
  "reply_markup",
  "edit_date",
  "forward_origin",
]);

export function sendMessage(call: Call): Message {
  const room = writableRoom(call);
  return post(call, room, readText(call.parameters));
}

export function sendPhoto(call: Call): Message {
  const room = writableRoom(call);
  const file = readFile(call, "photo");
  return post(call, room, { photo: [{ ...file, width: 1280, height: 720 }], ...readCaption(call.parameters) });
}

export function sendDocument(call: Call): Message {
  const room = writableRoom(call);
  return post(call, room, { document: readFile(call, "document"), ...readCaption(call.parameters) });
}

export function forwardMessage(call: Call): Message {
  const room = writableRoom(call);
  const original = targetMessage(call, knownRoom(call, "from_chat_id"), "message to forward");
  const { from } = original;
  const origin: Message["forward_origin"] = from && { type: "user", sender_user: from, date: original.date };
  return post(call, room, { ...contentOf(original), ...(origin !== undefined && { forward_origin: origin }) });
}

export function copyMessage(call: Call): MessageId {
  const room = writableRoom(call);
  const original = targetMessage(call, knownRoom(call, "from_chat_id"), "message to copy");
  const caption = call.parameters.text("caption") === undefined ? {} : readCaption(call.parameters);
  return { message_id: post(call, room, { ...contentOf(original), ...caption }).message_id };
}

/** The text parameter with its entities. A parse_mode is accepted and not applied. */
export function readText(parameters: Parameters): { text: string; entities?: MessageEntity[] } {
  const text = parameters.text("text") ?? "";
  if (text.trim() === "") throw badRequest("message text is empty");
  if (isLonger(text, MAX_TEXT)) throw badRequest("message is too long");
  const entities = parameters.json("entities", "entities");
  return Array.isArray(entities) ? { text, entities: entities as MessageEntity[] } : textFields(text);
}

export function readCaption(parameters: Parameters): MessageContent {
  const caption = parameters.text("caption") ?? "";
  if (caption === "") return {};
  if (isLonger(caption, MAX_CAPTION)) throw badRequest("message caption is too long");
  const { entities } = textFields(caption);
  return { caption, ...(entities !== undefined && { caption_entities: entities }) };
}

function post(call: Call, room: ChatRoom, content: MessageContent): Message {
  const keyboard = readInlineKeyboard(call.parameters);
  const reply = readReply(call.parameters, room);
  const message = room.add({
    from: call.bot.publicUser,
    date: call.world.date,
    ...reply,
    ...content,
    ...(keyboard !== undefined && { reply_markup: keyboard }),
  });
  room.replies.push(message);
  return message;
}

function readReply(parameters: Parameters, room: ChatRoom): ReturnType<typeof replyFields> {
  const reply = parameters.json("reply_parameters", "reply parameters");
  const options = isRecord(reply) ? reply : parameters.raw;
  const id = Number(isRecord(reply) ? reply["message_id"] : (parameters.text("reply_to_message_id") ?? 0));
  if (!(id > 0)) return {};
  if (room.message(id) !== undefined) return replyFields(room, id);
  if (String(options["allow_sending_without_reply"]) === "true") return {};
  throw badRequest("message to be replied not found");
}

/** A file that is named by id or address, or uploaded ("attach://..."). Its content is not kept. */
function readFile({ world, parameters }: Call, name: string): { file_id: string; file_unique_id: string } {
  const file = parameters.text(name) ?? "";
  if (file === "") throw badRequest(`there is no ${name} in the request`);
  const isNew = file.startsWith("attach://") || /^https?:\/\//.test(file);
  return {
    file_id: isNew ? `file-${world.randomDigits(16)}` : file,
    file_unique_id: `unique-${world.randomDigits(8)}`,
  };
}

/** What a copy of a message takes along: not who, when, where, the reply and the keyboard. */
function contentOf(message: Message): MessageContent {
  return Object.fromEntries(Object.entries(message).filter(([field]) => !NOT_COPIED.has(field)));
}

/** Characters, of which one may be two UTF-16 code units. */
function isLonger(text: string, limit: number): boolean {
  return text.length > limit && Array.from(text).length > limit;
}
