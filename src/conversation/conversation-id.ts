import type { Update } from "@grammyjs/types";
import type { ConversationId } from "../data/record.ts";
import { scopesOf } from "../engine/scopes-of-update.ts";

/** Who shares a conversation. */
export interface KeySettings {
  readonly perChat: boolean;
  readonly perUser: boolean;
  readonly perMessage: boolean;
}

/** Whose conversation it is, as far as the settings take them in. */
export interface ConversationParties {
  /** The id of the chat; the one from before a group became a supergroup will do. */
  readonly chat?: number | undefined;
  /** The id of the user. */
  readonly user?: number | undefined;
  /** The id of the message with the buttons: `message_id`, or `inline_message_id` of an inline message. */
  readonly message?: number | string | undefined;
}

/**
 * Whose conversation an update belongs to (PTB statement 135); `undefined` for none: it lacks what the settings take in, or comes from a
 * channel.
 */
export function partiesOf(update: Update, settings: KeySettings): ConversationParties | undefined {
  if (update.channel_post !== undefined || update.edited_channel_post !== undefined) return undefined;
  const { chatId: chat, userId: user } = scopesOf(update);
  const query = update.callback_query;
  const message = query?.inline_message_id ?? query?.message?.message_id;
  const parties = { chat, user, message };
  return isComplete(parties, settings) ? parties : undefined;
}

/** Whether no id is missing. */
export function isComplete(parties: ConversationParties, settings: KeySettings): boolean {
  return missingIn(parties, settings) === undefined;
}

/** The id of a conversation: chat, user, message, in this order (PTB statement 134). Throws a `TypeError` where one is missing. */
export function idOf(parties: ConversationParties, settings: KeySettings): ConversationId {
  const { perChat, perUser, perMessage } = settings;
  const missing = missingIn(parties, settings);
  if (missing !== undefined) throw new TypeError(`This conversation belongs to a ${missing}, whose id is missing.`);
  const id: (number | string)[] = [];
  if (perChat) id.push(parties.chat as number);
  if (perUser) id.push(parties.user as number);
  if (perMessage) id.push(parties.message as number | string);
  return id;
}

function missingIn({ chat, user, message }: ConversationParties, settings: KeySettings): string | undefined {
  if (settings.perChat && chat === undefined) return "chat";
  if (settings.perUser && user === undefined) return "user";
  return settings.perMessage && message === undefined ? "message" : undefined;
}
