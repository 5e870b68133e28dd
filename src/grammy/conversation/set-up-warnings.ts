import type { KeySettings } from "../../conversation/conversation-id.ts";

/** The kinds of updates that never have a chat. */
const WITHOUT_CHAT: ReadonlySet<string> = new Set([
  "inline_query",
  "chosen_inline_result",
  "shipping_query",
  "pre_checkout_query",
  "purchased_paid_media",
  "business_connection",
  "managed_bot",
  "poll",
  "poll_answer",
  "subscription",
]);

/** The kinds of updates that never have a user. */
const WITHOUT_USER: ReadonlySet<string> = new Set([
  "chat_boost",
  "deleted_business_messages",
  "message_reaction_count",
  "poll",
  "removed_chat_boost",
  "stopped_message_generation",
]);

/** The kinds of updates that no conversation handles. */
const OF_CHANNELS: ReadonlySet<string> = new Set(["channel_post", "edited_channel_post"]);

/** What cannot work in a conversation with these settings (PTB statement 133). */
export function setUpWarnings(
  { perChat, perUser, perMessage }: KeySettings,
  handlers: readonly { readonly updates?: readonly string[] | undefined }[],
): Set<string> {
  const warnings = new Set<string>();
  if (perMessage && !perChat) {
    warnings.add("With perMessage, perChat should be true too: the ids of messages are unique within a chat only.");
  }
  for (const { updates } of handlers) {
    if (updates === undefined || updates.length === 0) continue;
    const never = (reason: string): unknown =>
      warnings.add(`A handler of ${[...new Set(updates)].join(", ")} is never called: ${reason}.`);
    if (updates.every((kind) => OF_CHANNELS.has(kind))) never("conversations do not handle what channels post");
    else if (perMessage && !updates.includes("callback_query"))
      never("with perMessage only presses of buttons are handled");
    else if (perChat && updates.every((kind) => WITHOUT_CHAT.has(kind))) never("with perChat an update needs a chat");
    else if (perUser && updates.every((kind) => WITHOUT_USER.has(kind))) never("with perUser an update needs a user");
  }
  return warnings;
}
