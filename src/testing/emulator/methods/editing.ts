import { isDeepStrictEqual } from "node:util";
import type { Message } from "@grammyjs/types";
import { badRequest } from "../telegram-error.ts";
import type { ChatRoom } from "../world/chat-room.ts";
import type { MessageContent } from "../world/people.ts";
import { readInlineKeyboard } from "./keyboard.ts";
import { targetMessage, writableRoom, type Call } from "./method.ts";
import { readCaption, readText } from "./sending.ts";

/** "A message can only be deleted if it was sent less than 48 hours ago" (deleteMessage). Seconds. */
const DELETABLE_FOR = 48 * 60 * 60;

export function editMessageText(call: Call): Message {
  const room = writableRoom(call);
  const { text: _text, entities: _entities, ...rest } = editable(call, room);
  if (_text === undefined) throw badRequest("there is no text in the message to edit");
  return replace(call, room, { ...rest, ...readText(call.parameters) });
}

export function editMessageCaption(call: Call): Message {
  const room = writableRoom(call);
  const { caption: _caption, caption_entities: _entities, ...rest } = editable(call, room);
  if (rest.text !== undefined) throw badRequest("there is no caption in the message to edit");
  return replace(call, room, { ...rest, ...readCaption(call.parameters) });
}

export function editMessageReplyMarkup(call: Call): Message {
  const room = writableRoom(call);
  return replace(call, room, editable(call, room));
}

export function deleteMessage(call: Call): true {
  const room = writableRoom(call);
  const message = targetMessage(call, room, "message to delete");
  if (!isDeletable(call, message)) throw badRequest("message can't be deleted");
  room.delete(message.message_id);
  return true;
}

/** "If some of the specified messages can't be found, they are skipped" (deleteMessages). */
export function deleteMessages(call: Call): true {
  const room = writableRoom(call);
  const ids = call.parameters.json("message_ids", "message identifiers");
  if (!Array.isArray(ids)) throw badRequest("message identifiers are not specified");
  for (const id of ids.map(Number)) {
    const message = room.message(id);
    if (message !== undefined && isDeletable(call, message)) room.delete(id);
  }
  return true;
}

/** In private chats also what the user wrote; elsewhere, not being an administrator, only what the bot wrote. */
function isDeletable({ world, bot }: Call, message: Message): boolean {
  const isOwn = message.from?.id === bot.user.id;
  return (isOwn || message.chat.type === "private") && world.date - message.date <= DELETABLE_FOR;
}

function editable(call: Call, room: ChatRoom): Message {
  const message = targetMessage(call, room, "message to edit");
  if (message.from?.id !== call.bot.user.id) throw badRequest("message can't be edited");
  return message;
}

/** An edit without `reply_markup` takes the keyboard away. */
function replace(call: Call, room: ChatRoom, content: MessageContent & { message_id: number }): Message {
  const keyboard = readInlineKeyboard(call.parameters);
  const { reply_markup: _old, ...rest } = content;
  const message = { ...rest, ...(keyboard !== undefined && { reply_markup: keyboard }) } as Message;
  if (isDeepStrictEqual(message, room.message(message.message_id))) {
    throw badRequest(
      "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
  }
  const edited: Message = { ...message, edit_date: call.world.date };
  room.put(edited);
  room.edits.push(edited);
  return edited;
}
