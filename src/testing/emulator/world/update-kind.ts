import type { Update } from "@grammyjs/types";
import type { NewUpdate } from "./update-queue.ts";

/** The name of an update's one content field. */
export type UpdateKind = Exclude<keyof Update, "update_id">;

/** Kinds that come only to those who name them in `allowed_updates` (Bot API, getUpdates). */
const ON_REQUEST = [
  "chat_member",
  "message_reaction",
  "message_reaction_count",
] as const satisfies readonly UpdateKind[];

const BY_DEFAULT = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "business_connection",
  "business_message",
  "edited_business_message",
  "deleted_business_messages",
  "guest_message",
  "stopped_message_generation",
  "inline_query",
  "chosen_inline_result",
  "callback_query",
  "shipping_query",
  "pre_checkout_query",
  "purchased_paid_media",
  "poll",
  "poll_answer",
  "my_chat_member",
  "chat_join_request",
  "chat_boost",
  "removed_chat_boost",
  "managed_bot",
  "subscription",
] as const satisfies readonly UpdateKind[];

const KNOWN: ReadonlySet<string> = new Set([...BY_DEFAULT, ...ON_REQUEST]);

/** Fails when the update has no content or more than one. */
export function kindOf(update: NewUpdate): UpdateKind {
  const kinds = Object.keys(update).filter((key) => key !== "update_id");
  if (kinds.length !== 1) {
    throw new TypeError(`an update has exactly one content field, this one has: ${kinds.join(", ") || "none"}`);
  }
  return kinds[0] as UpdateKind;
}

/** Which kinds of update one bot has asked for. What it says holds for updates that are created later. */
export class AllowedUpdates {
  #names: readonly string[] | undefined;
  #set: ReadonlySet<string> | undefined;

  /** As the bot wrote it; `undefined` for the default. */
  get names(): readonly string[] | undefined {
    return this.#names;
  }

  /** Names are matched without case and unknown ones ignored; none that is known means the default again. */
  choose(names: readonly string[]): void {
    const known = names.map((name) => name.toLowerCase()).filter((name) => KNOWN.has(name));
    this.#names = known.length === 0 ? undefined : known;
    this.#set = known.length === 0 ? undefined : new Set(known);
  }

  has(kind: UpdateKind): boolean {
    return this.#set?.has(kind) ?? !(ON_REQUEST as readonly string[]).includes(kind);
  }
}
