import type { Update } from "@grammyjs/types";

/** Whose data an update is about. */
export interface UpdateScopes {
  /** The kind of the update: the name of its one field beside `update_id`. */
  readonly type: string;
  /** The chat, python-telegram-bot's `effective_chat`. */
  readonly chatId: number | undefined;
  /** The user, python-telegram-bot's `effective_user`. */
  readonly userId: number | undefined;
}

/**
 * Accounts of Telegram that stand for everybody: channel posts forwarded into the discussion group (777000), anonymous
 * administrators (1087968824), and channels that write in groups (136817688). They have data, and no turn: what they
 * write in unrelated chats runs side by side.
 */
export const SERVICE_ACCOUNTS: ReadonlySet<number> = new Set([777000, 1087968824, 136817688]);

type UpdateType = Exclude<keyof Update, "update_id">;
type Scopes = readonly [chat?: Id | undefined, user?: Id | undefined];
interface Id {
  readonly id: number;
}

/** One entry for each kind of update of the Bot API, so that a new kind is missed by the compiler and not by a bot. */
const SCOPES: { readonly [T in UpdateType]: (content: NonNullable<Update[T]>) => Scopes } = {
  message: ({ chat, from }) => [chat, from],
  edited_message: ({ chat, from }) => [chat, from],
  channel_post: ({ chat }) => [chat],
  edited_channel_post: ({ chat }) => [chat],
  business_connection: ({ user }) => [undefined, user],
  business_message: ({ chat, from }) => [chat, from],
  edited_business_message: ({ chat, from }) => [chat, from],
  deleted_business_messages: ({ chat }) => [chat],
  guest_message: ({ chat, from }) => [chat, from],
  stopped_message_generation: ({ chat }) => [chat],
  message_reaction: ({ chat, user }) => [chat, user],
  message_reaction_count: ({ chat }) => [chat],
  inline_query: ({ from }) => [undefined, from],
  chosen_inline_result: ({ from }) => [undefined, from],
  callback_query: ({ message, from }) => [message?.chat, from],
  shipping_query: ({ from }) => [undefined, from],
  pre_checkout_query: ({ from }) => [undefined, from],
  purchased_paid_media: ({ from }) => [undefined, from],
  poll: () => [],
  poll_answer: ({ user }) => [undefined, user],
  my_chat_member: ({ chat, from }) => [chat, from],
  chat_member: ({ chat, from }) => [chat, from],
  chat_join_request: ({ chat, from }) => [chat, from],
  chat_boost: ({ chat }) => [chat],
  removed_chat_boost: ({ chat }) => [chat],
  managed_bot: ({ user }) => [undefined, user],
  subscription: ({ user }) => [undefined, user],
};

/** The chat and the user of an update (docs/guarantees.md has the table). A kind that is newer than this code has neither. */
export function scopesOf(update: Update): UpdateScopes {
  const type = Object.keys(update).find((key) => key !== "update_id") ?? "unknown";
  if (!isKnown(type)) return { type, chatId: undefined, userId: undefined };
  const scopes = SCOPES[type] as (content: unknown) => Scopes;
  // Whoever sends a webhook request may send anything.
  const [chat, user] = scopes(update[type] ?? {});
  return { type, chatId: chat?.id, userId: user?.id };
}

function isKnown(type: string): type is UpdateType {
  return Object.hasOwn(SCOPES, type);
}
