import type { Update } from "@grammyjs/types";
import { describe, expect, test } from "vitest";
import { scopesOf } from "./scopes-of-update.ts";

const chat = { id: -100, type: "group", title: "Club" };
const user = { id: 42, is_bot: false, first_name: "Ann" };
const message = { message_id: 1, date: 0, chat };

/** For each kind of update what Telegram sends, cut to the fields that say whose it is, and the scopes. */
const TABLE: Record<
  Exclude<keyof Update, "update_id">,
  readonly [content: object, chatId?: number | undefined, userId?: number]
> = {
  message: [{ ...message, from: user }, -100, 42],
  edited_message: [{ ...message, from: user }, -100, 42],
  channel_post: [{ ...message, sender_chat: chat }, -100],
  edited_channel_post: [{ ...message, sender_chat: chat }, -100],
  business_connection: [{ id: "b", user, user_chat_id: 42 }, undefined, 42],
  business_message: [{ ...message, business_connection_id: "b", from: user }, -100, 42],
  edited_business_message: [{ ...message, business_connection_id: "b", from: user }, -100, 42],
  deleted_business_messages: [{ business_connection_id: "b", chat, message_ids: [1] }, -100],
  guest_message: [{ ...message, from: user }, -100, 42],
  stopped_message_generation: [{ chat, draft_id: 1 }, -100],
  message_reaction: [{ chat, user, message_id: 1 }, -100, 42],
  message_reaction_count: [{ chat, message_id: 1 }, -100],
  inline_query: [{ id: "q", from: user }, undefined, 42],
  chosen_inline_result: [{ result_id: "r", from: user }, undefined, 42],
  callback_query: [{ id: "q", from: user, message }, -100, 42],
  shipping_query: [{ id: "q", from: user }, undefined, 42],
  pre_checkout_query: [{ id: "q", from: user }, undefined, 42],
  purchased_paid_media: [{ from: user, paid_media_payload: "p" }, undefined, 42],
  poll: [{ id: "p" }],
  poll_answer: [{ poll_id: "p", user }, undefined, 42],
  my_chat_member: [{ chat, from: user }, -100, 42],
  chat_member: [{ chat, from: user }, -100, 42],
  chat_join_request: [{ chat, from: user, user_chat_id: 42 }, -100, 42],
  chat_boost: [{ chat, boost: { source: { user } } }, -100],
  removed_chat_boost: [{ chat, source: { user } }, -100],
  managed_bot: [{ user, bot: { id: 7 } }, undefined, 42],
  subscription: [{ user, invoice_payload: "p" }, undefined, 42],
};

describe("scopesOf", () => {
  test.each(Object.entries(TABLE))("%s (PTB statements 92, 93)", (type, [content, chatId, userId]) => {
    expect(scopesOf({ update_id: 1, [type]: content })).toEqual({ type, chatId, userId });
  });

  test("a callback query of an inline message belongs to no chat", () => {
    const update = { update_id: 1, callback_query: { id: "q", from: user, inline_message_id: "i" } } as never;
    expect(scopesOf(update)).toEqual({ type: "callback_query", chatId: undefined, userId: 42 });
  });

  test("a reaction or an answer that was given as a chat belongs to no user", () => {
    expect(scopesOf({ update_id: 1, message_reaction: { chat, actor_chat: chat } } as never).userId).toBeUndefined();
    expect(scopesOf({ update_id: 1, poll_answer: { poll_id: "p", voter_chat: chat } } as never).userId).toBeUndefined();
  });

  test("a kind of update that is newer than this code belongs to nobody", () => {
    const update = { update_id: 1, telepathy: { chat, from: user } } as never;
    expect(scopesOf(update)).toEqual({ type: "telepathy", chatId: undefined, userId: undefined });
  });
});
