import type { ChatFullInfo, ChatMember } from "@grammyjs/types";
import { badRequest } from "../telegram-error.ts";
import { chatMember } from "../world/chat-member.ts";
import { removeMember } from "../world/membership.ts";
import { readableRoom, writableRoom, type Call } from "./method.ts";

export function getChat(call: Call): ChatFullInfo {
  const { chat } = readableRoom(call);
  const accepted_gift_types = {
    unlimited_gifts: false,
    limited_gifts: false,
    unique_gifts: false,
    premium_subscription: false,
    gifts_from_channels: false,
  };
  return { ...chat, accent_color_id: 0, max_reaction_count: 11, accepted_gift_types } as ChatFullInfo;
}

export function getChatMember(call: Call): ChatMember {
  const room = readableRoom(call);
  const userId = call.parameters.integer("user_id", 0);
  const user = call.world.people.get(userId)?.user ?? call.world.botById(userId)?.publicUser;
  if (user === undefined) throw badRequest("user not found");
  return chatMember(room, user);
}

export function getChatMemberCount(call: Call): number {
  const { members, bots } = readableRoom(call);
  return members.size + bots.size;
}

/** "A list of administrators in a chat, which aren't bots", the owner first. */
export function getChatAdministrators(call: Call): ChatMember[] {
  const room = readableRoom(call);
  if (room.chat.type === "private") throw badRequest("there are no administrators in the private chat");
  const people = [...room.roles.keys()].flatMap((id) => call.world.people.get(id)?.user ?? []);
  const administrators = people.map((user) => chatMember(room, user));
  return administrators.sort((a, b) => Number(b.status === "creator") - Number(a.status === "creator"));
}

export function leaveChat(call: Call): true {
  const room = writableRoom(call);
  if (room.chat.type === "private") throw badRequest("chat member status can't be changed in private chats");
  removeMember(call.world, room, call.bot, call.bot.publicUser);
  return true;
}

/** Nobody sees it; only that the chat is there is checked. */
export function sendChatAction(call: Call): true {
  writableRoom(call);
  if ((call.parameters.text("action") ?? "") === "") throw badRequest("wrong parameter action in request");
  return true;
}
