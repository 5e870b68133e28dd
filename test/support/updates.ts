import type { Update } from "@grammyjs/types";

/** An update that has neither a chat nor a user. */
export function pollUpdate(id: number): Update {
  return { update_id: id, poll: { id: String(id) } as never };
}

/** What a user writes in a group. */
export function message(id: number, chat = 1, user = 1): Update {
  const from = { id: user, is_bot: false, first_name: "Ann" };
  const content = { message_id: id, date: 0, text: "hi", from, chat: { id: chat, type: "group", title: "" } };
  return { update_id: id, message: content } as never;
}
