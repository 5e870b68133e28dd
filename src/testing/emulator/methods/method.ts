import type { Message } from "@grammyjs/types";
import { badRequest, forbidden } from "../telegram-error.ts";
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

/** The chat of a parameter, if the bot may write there. */
export function writableRoom(call: Call): ChatRoom {
  const room = knownRoom(call, "chat_id");
  const { chat } = room;
  if (chat.type !== "private" && !room.bots.has(call.bot)) throw notInGroup(chat.type);
  if (chat.type === "private" && call.world.people.get(chat.id)?.blocked.has(call.bot.user.id)) {
    throw forbidden("bot was blocked by the user");
  }
  return room;
}

/** The chat of a parameter. A user whom the bot shares only a group with is known, but has no chat with it yet. */
export function knownRoom({ world, bot, parameters }: Call, name: string): ChatRoom {
  const chatId = parameters.text(name) ?? "";
  if (chatId === "") throw badRequest(`${name} is empty`);
  const room = world.room(bot, Number(chatId));
  if (room !== undefined) return room;
  const shared = [...world.groups.values()].some(({ bots, members }) => bots.has(bot) && members.has(Number(chatId)));
  throw shared ? forbidden("bot can't initiate conversation with a user") : badRequest("chat not found");
}

/** The message of the `message_id` parameter. `what` names it in the error. */
export function targetMessage({ parameters }: Call, room: ChatRoom, what: string): Message {
  const id = parameters.integer("message_id", 0);
  if (id <= 0) throw badRequest("message identifier is not specified");
  const message = room.message(id);
  if (message === undefined) throw badRequest(`${what} not found`);
  return message;
}

function notInGroup(type: string): Error {
  return type === "group"
    ? forbidden("bot was kicked from the group chat")
    : forbidden(`bot is not a member of the ${type} chat`);
}
