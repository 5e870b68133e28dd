import type { ChatFullInfo, ChatMember, User } from "@grammyjs/types";
import { badRequest } from "../telegram-error.ts";
import type { ChatRoom } from "../world/chat-room.ts";
import { knownRoom, writableRoom, type Call } from "./method.ts";

export function getChat(call: Call): ChatFullInfo {
  const { chat } = knownRoom(call, "chat_id");
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
  const room = knownRoom(call, "chat_id");
  const userId = call.parameters.integer("user_id", 0);
  const user = call.world.people.get(userId)?.user ?? call.world.botById(userId)?.user;
  if (user === undefined) throw badRequest("user not found");
  return isMember(room, user) ? { status: "member", user } : { status: "left", user };
}

export function leaveChat(call: Call): true {
  const room = writableRoom(call);
  if (room.chat.type === "private") throw badRequest("chat member status can't be changed in private chats");
  room.bots.delete(call.bot);
  return true;
}

/** Nobody sees it; only that the chat is there is checked. */
export function sendChatAction(call: Call): true {
  writableRoom(call);
  if ((call.parameters.text("action") ?? "") === "") throw badRequest("wrong parameter action in request");
  return true;
}

function isMember({ members, bots }: ChatRoom, { id }: User): boolean {
  return members.has(id) || [...bots].some((bot) => bot.user.id === id);
}
