import type { ChatMemberUpdated, Message, User } from "@grammyjs/types";
import { BotAccount } from "./bot-account.ts";
import { chatMember } from "./chat-member.ts";
import type { ChatRoom } from "./chat-room.ts";
import { deliverMessage, describeRoom, name } from "./people.ts";
import type { Person, World } from "./world.ts";

/** Who can be in a group. */
export type Member = Person | BotAccount;

/**
 * Somebody joins, or is added by `by`. The bots of the group get `chat_member` (a bot about itself `my_chat_member`) and
 * a service message, which is returned.
 */
export function addMember(world: World, room: ChatRoom, member: Member, by: User): Message {
  const user = userOf(member);
  requireOpen(room);
  if (room.isPresent(user.id)) throw new Error(`${name(user)} is in ${describeRoom(room)} already`);
  const old = chatMember(room, user);
  world.join(room, member);
  deliverChange(world, room, { by, user, old }, room.bots);
  return tell(world, room, { from: by, new_chat_members: [user] }, room.bots);
}

/** Somebody leaves, or is removed by `by`. As `addMember`; a bot that is not there any more hears of itself only. */
export function removeMember(world: World, room: ChatRoom, member: Member, by: User): Message {
  const user = userOf(member);
  requireOpen(room);
  if (!room.isPresent(user.id)) throw new Error(`${name(user)} is not in ${describeRoom(room)}`);
  const old = chatMember(room, user);
  const isBan = by.id !== user.id && room.chat.type === "supergroup";
  const before = new Set(room.bots);
  world.leave(room, member, isBan ? "kicked" : "left");
  deliverChange(world, room, { by, user, old }, before);
  // In a supergroup a bot cannot see what happens once it is out.
  return tell(world, room, { from: by, left_chat_member: user }, room.chat.type === "group" ? before : room.bots);
}

/** Somebody becomes an administrator, or none any more. No service message tells of it. */
export function setRole(
  world: World,
  room: ChatRoom,
  member: Member,
  by: User,
  role: "administrator" | "member",
): void {
  const user = userOf(member);
  requireOpen(room);
  const old = chatMember(room, user);
  if (old.status !== "administrator" && old.status !== "member") {
    throw new Error(`${name(user)} is no member of ${describeRoom(room)} whose role can change: ${old.status}`);
  }
  if (role === old.status) return;
  if (role === "administrator") room.roles.set(user.id, role);
  else room.roles.delete(user.id);
  deliverChange(world, room, { by, user, old }, room.bots);
}

/** A user blocks a bot, or lets it in again. The bot gets `my_chat_member` if the two have a chat. */
export function setBlocked(world: World, person: Person, bot: BotAccount, isBlocked: boolean): void {
  const { id } = bot.user;
  if (person.blocked.has(id) === isBlocked) return;
  const room = bot.privateRooms.get(person.user.id);
  const old = room && blockState(room, bot, !isBlocked);
  if (isBlocked) person.blocked.add(id);
  else person.blocked.delete(id);
  if (room === undefined || old === undefined) return;
  const my_chat_member: ChatMemberUpdated = {
    chat: room.chat,
    from: person.user,
    date: world.date,
    old_chat_member: old,
    new_chat_member: blockState(room, bot, isBlocked),
  };
  world.deliver(bot, { my_chat_member }, { chat: room.chat.id, user: person.user.id });
}

function blockState(room: ChatRoom, bot: BotAccount, isBlocked: boolean): ChatMemberUpdated["old_chat_member"] {
  return isBlocked ? { status: "kicked", user: bot.publicUser, until_date: 0 } : chatMember(room, bot.publicUser);
}

function userOf(member: Member): User {
  return member instanceof BotAccount ? member.publicUser : member.user;
}

function deliverChange(
  world: World,
  room: ChatRoom,
  { by, user, old }: { by: User; user: User; old: ChatMemberUpdated["old_chat_member"] },
  bots: Iterable<BotAccount>,
): void {
  const { chat } = room;
  const now = chatMember(room, user);
  const change: ChatMemberUpdated = { chat, from: by, date: world.date, old_chat_member: old, new_chat_member: now };
  for (const bot of bots) {
    const kind = bot.user.id === user.id ? "my_chat_member" : "chat_member";
    world.deliver(bot, { [kind]: change }, { chat: chat.id, user: by.id });
  }
}

function tell(
  world: World,
  room: ChatRoom,
  content: Partial<Message> & { from: User },
  bots: Iterable<BotAccount>,
): Message {
  const message = room.add({ date: world.date, ...content });
  deliverMessage(world, bots, "message", message);
  return message;
}

function requireOpen(room: ChatRoom): void {
  if (room.migratedTo !== undefined) throw new Error(`${describeRoom(room)} is a supergroup now: use that`);
}
