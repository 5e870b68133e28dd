import type { Chat, InlineKeyboardMarkup, Message, User } from "@grammyjs/types";
import type { BotAccount } from "./bot-account.ts";
import type { ChatRoom } from "./chat-room.ts";
import { findEntities, textFields } from "./entities.ts";
import type { Person, World } from "./world.ts";

/** What a user's message may contain beside text. Who, where and when are the emulator's. */
export type MessageContent = Omit<Message, "message_id" | "date" | "chat" | "from" | "reply_to_message">;

/** Which button to press: by its place, counted from 0, or by its data, which need not be on the keyboard. */
export type ButtonChoice = string | { row: number; column: number } | { data: string };

/** Someone writes. Returns the message as every bot of the chat gets it. */
export function sendAs(
  world: World,
  person: Person,
  room: ChatRoom,
  content: string | MessageContent,
  replyTo?: number,
): Message {
  requireMember(person, room);
  if (room.migratedTo !== undefined) {
    throw new Error(`${describeRoom(room)} is a supergroup now: write to chat ${room.migratedTo.chat.id}`);
  }
  const message = room.add({
    from: person.user,
    date: world.date,
    ...(replyTo !== undefined && replyFields(room, replyTo)),
    ...(typeof content === "string" ? textFields(content) : withEntities(content)),
  });
  deliverMessage(world, room.bots, "message", message);
  return message;
}

/** Someone edits the text of a message of theirs. */
export function editAs(world: World, person: Person, room: ChatRoom, messageId: number, text: string): Message {
  const old = requireMessage(room, messageId);
  if (old.from?.id !== person.user.id) throw new Error(`message ${messageId} is not by ${name(person.user)}`);
  const { text: _text, entities: _entities, ...rest } = old;
  const message = { ...rest, edit_date: world.date, ...textFields(text) } as Message;
  room.put(message);
  deliverMessage(world, room.bots, "edited_message", message);
  return message;
}

/** Someone presses a button. Returns the callback query's id. */
export function pressAs(world: World, person: Person, room: ChatRoom, messageId: number, choice: ButtonChoice): string {
  requireMember(person, room);
  const message = requireMessage(room, messageId);
  const bot = world.botById(message.from?.id ?? 0);
  if (bot === undefined) throw new Error(`message ${messageId} is not by a bot: only their messages have buttons`);
  const id = world.randomDigits(18);
  const data = findData(message, choice);
  world.callbackQueries.open(id, bot.user.id);
  const callback_query = { id, from: person.user, message, chat_instance: String(-room.chat.id), data };
  world.deliver(bot, { callback_query }, { chat: room.chat.id, user: person.user.id });
  return id;
}

/** The message that is replied to, as a field of the reply. It never has a reply of its own inside. */
export function replyFields(
  room: ChatRoom,
  messageId: number,
): { reply_to_message?: NonNullable<Message["reply_to_message"]> } {
  const original = requireMessage(room, messageId);
  const { reply_to_message: _nested, ...message } = original;
  return { reply_to_message: message as NonNullable<Message["reply_to_message"]> };
}

export function name(user: User): string {
  return user.username === undefined ? `${user.first_name} (user ${user.id})` : `@${user.username} (user ${user.id})`;
}

export function describeRoom({ chat, bots }: ChatRoom): string {
  if (chat.type !== "private") return `${chat.type} "${chat.title}" (chat ${chat.id})`;
  const bot = [...bots].map((account) => `@${account.user.username}`).join();
  return `the private chat of ${chat.first_name} (chat ${chat.id}) with ${bot}`;
}

export function deliverMessage(
  world: World,
  bots: Iterable<BotAccount>,
  kind: "message" | "edited_message",
  message: Message,
): void {
  const place = { chat: message.chat.id, user: message.from?.id };
  for (const bot of bots) world.deliver(bot, { [kind]: message }, place);
}

function withEntities(content: MessageContent): MessageContent {
  const { text, caption } = content;
  return {
    ...(text !== undefined && textFields(text)),
    ...(caption !== undefined && captionFields(caption)),
    ...content,
  };
}

function captionFields(caption: string): MessageContent {
  const caption_entities = findEntities(caption);
  return caption_entities.length === 0 ? {} : { caption_entities };
}

function requireMessage(room: ChatRoom, messageId: number): Message {
  const message = room.message(messageId);
  if (message === undefined) throw new Error(`there is no message ${messageId} in ${describeRoom(room)}`);
  return message;
}

function requireMember(person: Person, room: ChatRoom): void {
  if (!room.members.has(person.user.id)) throw new Error(`${name(person.user)} is not in ${describeRoom(room)}`);
  for (const bot of room.chat.type === "private" ? room.bots : []) requireUnblocked(person, bot);
}

function requireUnblocked(person: Person, bot: BotAccount): void {
  if (!person.blocked.has(bot.user.id)) return;
  throw new Error(`${name(person.user)} has blocked @${bot.user.username}: unblock the bot first`);
}

function findData(message: Message, choice: ButtonChoice): string {
  if (typeof choice === "object" && "data" in choice) return choice.data;
  const rows: InlineKeyboardMarkup["inline_keyboard"] = message.reply_markup?.inline_keyboard ?? [];
  const button =
    typeof choice === "string"
      ? rows.flat().find((candidate) => candidate.text === choice)
      : rows[choice.row]?.[choice.column];
  if (button !== undefined && "callback_data" in button) return button.callback_data;
  const wanted = typeof choice === "string" ? `"${choice}"` : `at row ${choice.row}, column ${choice.column}`;
  const there = rows.flat().map((candidate) => `"${candidate.text}"`);
  throw new Error(
    button === undefined
      ? `message ${message.message_id} has no button ${wanted}; it has: ${there.join(", ") || "none"}`
      : `the button ${wanted} of message ${message.message_id} has no callback data: pressing it tells the bot nothing`,
  );
}

/** A chat of a bot with several people. */
export function groupChat(id: number, title: string, supergroup: boolean): Chat {
  return supergroup ? { id, type: "supergroup", title } : { id, type: "group", title };
}
