import type { BotAccount } from "../world/bot-account.ts";
import type { ChatRoom } from "../world/chat-room.ts";
import type { Webhook } from "../world/webhook.ts";
import type { World } from "../world/world.ts";
import type { Place } from "./commands.ts";

export function requireBot(world: World, bot: string | number): BotAccount {
  const account = typeof bot === "number" ? world.botById(bot) : world.bot(bot);
  if (account === undefined)
    throw new Error(`there is no bot with the ${typeof bot === "number" ? "id" : "token"} "${bot}"`);
  return account;
}

export function requireWebhook(world: World, token: string): Webhook {
  const { webhook, user } = requireBot(world, token);
  if (webhook === undefined) throw new Error(`@${user.username} has no webhook`);
  return webhook;
}

export function requireGroup(world: World, id: number): ChatRoom {
  const room = world.groups.get(id);
  if (room === undefined) throw new Error(`there is no group with the id ${id}`);
  return room;
}

/** The room of a place. A private chat is made if the two have none yet, as when a user opens a bot's chat. */
export function requireRoom(world: World, { chat, bot }: Place): ChatRoom {
  if (chat < 0) return requireGroup(world, chat);
  const person = world.requirePerson(chat);
  return world.privateRoom(bot === undefined ? onlyBot(world) : requireBot(world, bot), person);
}

function onlyBot(world: World): BotAccount {
  const [bot, ...others] = world.bots();
  if (bot === undefined) throw new Error("there is no bot yet: createBot() first");
  if (others.length > 0) throw new Error("there are several bots: say which one, as in { bot: token }");
  return bot;
}
