import type { Message } from "@grammyjs/types";
import { badRequest, forbidden, TelegramError } from "../telegram-error.ts";
import type { BotAccount } from "../world/bot-account.ts";
import type { ChatRoom } from "../world/chat-room.ts";
import type { World } from "../world/world.ts";
import type { Parameters } from "./parameters.ts";

/** One call of a bot. */
export interface Call {
  readonly world: World;
  readonly bot: BotAccount;
  readonly parameters: Parameters;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What a Bot API method does: returns its result, or throws a TelegramError. */
export type Method = (call: Call) => unknown;

/** The chat of the `chat_id` parameter, if the bot may write there. */
export function writableRoom(call: Call): ChatRoom {
  const room = readableRoom(call);
  const { chat, migratedTo } = room;
  if (migratedTo !== undefined) throw migrated(migratedTo);
  if (chat.type === "private" && call.world.people.get(chat.id)?.blocked.has(call.bot.user.id)) {
    throw forbidden("bot was blocked by the user");
  }
  return room;
}

/** The chat of the `chat_id` parameter, if the bot is in it. */
export function readableRoom(call: Call): ChatRoom {
  const room = knownRoom(call, "chat_id");
  if (room.chat.type !== "private" && !room.bots.has(call.bot)) throw notInGroup(room, call.bot);
  return room;
}

/**
 * The chat of a parameter, if the bot is in it or was. A user whom the bot shares only a group with is known, but has no
 * chat with it yet.
 */
export function knownRoom({ world, bot, parameters }: Call, name: string): ChatRoom {
  const chatId = parameters.text(name) ?? "";
  if (chatId === "") throw badRequest(`${name} is empty`);
  const room = world.room(bot, Number(chatId));
  if (room !== undefined && (room.bots.has(bot) || room.former.has(bot.user.id))) return room;
  throw sharesGroup(world, bot, Number(chatId))
    ? forbidden("bot can't initiate conversation with a user")
    : badRequest("chat not found");
}

/** The message of the `message_id` parameter. `what` names it in the error. */
export function targetMessage({ parameters }: Call, room: ChatRoom, what: string): Message {
  const id = parameters.integer("message_id", 0);
  if (id <= 0) throw badRequest("message identifier is not specified");
  const message = room.message(id);
  if (message === undefined) throw badRequest(`${what} not found`);
  return message;
}

function sharesGroup({ people }: World, bot: BotAccount, userId: number): boolean {
  for (const { bots } of people.get(userId)?.groups ?? []) if (bots.has(bot)) return true;
  return false;
}

function migrated({ chat }: ChatRoom): TelegramError {
  const parameters = { migrate_to_chat_id: chat.id };
  return new TelegramError(400, "Bad Request: group chat was upgraded to a supergroup chat", parameters);
}

function notInGroup({ chat, former }: ChatRoom, { user }: BotAccount): TelegramError {
  return chat.type === "group" || former.get(user.id) === "kicked"
    ? forbidden(`bot was kicked from the ${chat.type} chat`)
    : forbidden(`bot is not a member of the ${chat.type} chat`);
}
