import type { ChatMember, User } from "@grammyjs/types";
import type { ChatRoom } from "./chat-room.ts";

/** What an administrator may do when all that can be ticked is ticked, except to make others administrators. */
const RIGHTS = {
  is_anonymous: false,
  can_manage_chat: true,
  can_delete_messages: true,
  can_manage_video_chats: true,
  can_restrict_members: true,
  can_promote_members: false,
  can_change_info: true,
  can_invite_users: true,
  can_post_stories: true,
  can_edit_stories: true,
  can_delete_stories: true,
  can_pin_messages: true,
};

/** What somebody is in a chat, or was. */
export function chatMember(room: ChatRoom, user: User): ChatMember {
  const status = room.statusOf(user.id);
  switch (status) {
    case "creator":
      return { status, user, is_anonymous: false };
    case "administrator":
      return { status, user, can_be_edited: false, ...RIGHTS } as ChatMember;
    case "kicked":
      return { status, user, until_date: 0 };
    default:
      return { status, user };
  }
}
