import type { CallbackQuery, Chat, Message, Update, User } from "@grammyjs/types";
import type { BotAccount } from "./bot-account.ts";
import type { ChatRoom } from "./chat-room.ts";
import { kindOf, type UpdateKind } from "./update-kind.ts";
import { placeOf } from "./update-place.ts";
import type { NewUpdate } from "./update-queue.ts";
import type { World } from "./world.ts";

const MESSAGES: ReadonlySet<UpdateKind> = new Set(["message", "edited_message", "channel_post", "edited_channel_post"]);

/**
 * Delivers an update that a test wrote by itself. The chats, people and messages in it exist from now on, so that the
 * bot can answer. `undefined` when the bot did not ask for this kind.
 */
export function deliverRaw(world: World, bot: BotAccount, update: NewUpdate): Update | undefined {
  const kind = kindOf(update);
  const content = update[kind] as Message | CallbackQuery;
  const { user, chat } = placeOf(update);
  if (user !== undefined) learnPerson(world, user);
  const room = chat === undefined ? undefined : learnRoom(world, bot, chat);
  if (user !== undefined && !user.is_bot && room !== undefined && room.chat.type !== "private") {
    world.join(room, world.requirePerson(user.id));
  }
  if (MESSAGES.has(kind)) room?.put(content as Message);
  if (kind === "callback_query") learnCallbackQuery(world, bot, room, content as CallbackQuery);
  return world.deliver(bot, update, { chat: chat?.id, user: user?.id });
}

function learnPerson(world: World, user: User): void {
  if (!user.is_bot && !world.people.has(user.id)) world.addPerson(user);
}

function learnRoom(world: World, bot: BotAccount, chat: Chat): ChatRoom {
  if (chat.type === "private") {
    const { id, type: _type, ...names } = chat;
    const person =
      world.people.get(id) ?? world.addPerson({ id, is_bot: false, ...(names as Pick<User, "first_name">) });
    return world.privateRoom(bot, person);
  }
  const room = world.groups.get(chat.id) ?? world.addGroup(chat);
  world.join(room, bot);
  return room;
}

function learnCallbackQuery(world: World, bot: BotAccount, room: ChatRoom | undefined, query: CallbackQuery): void {
  world.callbackQueries.open(query.id, bot.user.id);
  const { message } = query;
  if (message !== undefined && room?.message(message.message_id) === undefined) room?.put(message as Message);
}
