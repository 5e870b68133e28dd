/** Whose data it is. */
export type Scope = "bot" | "chat" | "user";

/** The bot's data: one record. */
export interface BotKey {
  readonly kind: "bot";
}

/** One chat's data. `id` is the `Chat.id` of the Bot API: negative for groups and channels. */
export interface ChatKey {
  readonly kind: "chat";
  readonly id: number;
}

/** One user's data. `id` is the `User.id` of the Bot API. */
export interface UserKey {
  readonly kind: "user";
  readonly id: number;
}

/** Who converses: the ids of the chat, the user and the message, as far as the handler's settings take them in. */
export type ConversationId = readonly (number | string)[];

/** One conversation's state. Its value is an object whose `state` is the state. */
export interface ConversationKey {
  readonly kind: "conversation";
  /** The name of the conversation handler. */
  readonly name: string;
  readonly id: ConversationId;
}

/** One entry of a named collection. */
export interface EntryKey {
  readonly kind: "entry";
  readonly collection: string;
  readonly id: string;
}

/** One keyboard's callback data. Its value is an object of the buttons' values; its `time` is its last use. */
export interface KeyboardKey {
  readonly kind: "keyboard";
  readonly id: string;
}

/** One callback query that was answered from a keyboard. Its value is the keyboard's id. */
export interface CallbackQueryKey {
  readonly kind: "callbackQuery";
  readonly id: string;
}

/** One job. Its `time` is when it is due next; without one it waits for nothing. */
export interface JobKey {
  readonly kind: "job";
  readonly id: string;
}

/**
 * Which record. Two keys are the same record when their {@link keyText} is the same. Texts in it are well-formed Unicode without U+0000,
 * and numbers are safe integers.
 */
export type RecordKey =
  | BotKey
  | ChatKey
  | UserKey
  | ConversationKey
  | EntryKey
  | KeyboardKey
  | CallbackQueryKey
  | JobKey;

/** What sort of record. */
export type RecordKind = RecordKey["kind"];

/** The keys of one sort of record. */
export type KeyOf<Kind extends RecordKind> = Extract<RecordKey, { kind: Kind }>;

/** The sorts of records that are found by their `time`. */
export type TimedKind = "job" | "keyboard" | "callbackQuery";

/** The sorts of records that may belong to a chat and to a user: they move with the chat, and are forgotten with the user. */
export type BelongingKind = "conversation" | "job";

/** All of them. */
export const BELONGING_KINDS: readonly BelongingKind[] = ["conversation", "job"];

/** All sorts, in the order in which they are written where the order is free. */
export const RECORD_KINDS: readonly RecordKind[] = [
  "bot",
  "chat",
  "user",
  "conversation",
  "keyboard",
  "callbackQuery",
  "entry",
  "job",
];

/** The key of the bot's data. */
export const BOT_KEY: BotKey = { kind: "bot" };

/** A key as text, for maps and messages: `bot`, `chat:-1001`, `user:42`, `entry:["orders","17"]`. */
export function keyText(key: RecordKey): string {
  switch (key.kind) {
    case "bot":
      return "bot";
    case "chat":
    case "user":
      return `${key.kind}:${key.id}`;
    case "conversation":
      return `conversation:${JSON.stringify([key.name, ...key.id])}`;
    case "entry":
      return `entry:${JSON.stringify([key.collection, key.id])}`;
    default:
      return `${key.kind}:${JSON.stringify(key.id)}`;
  }
}

/** What the record is called where a user of the library meets it: `botData`, `chatData.-1001`, `orders.17`. */
export function keyName(key: RecordKey): string {
  switch (key.kind) {
    case "bot":
      return "botData";
    case "chat":
    case "user":
      return `${key.kind}Data.${key.id}`;
    case "conversation":
      return `${key.name}.${JSON.stringify(key.id)}`;
    case "entry":
      return `${key.collection}.${key.id}`;
    default:
      return `${key.kind}.${key.id}`;
  }
}

/** A record as it is kept. */
export interface KeptRecord extends FoundBy {
  /** The value as the codec wrote it. */
  readonly text: string;
  /** How many of the application's `migrations` of this scope the value has been through. */
  readonly version: number;
}

/** What a record is found by beside its key. */
export interface FoundBy {
  /** The time that the record is found by (see {@link TimedKind}), in milliseconds since 1970. Absent for other kinds. */
  readonly time?: number | undefined;
  /** The chat that the record belongs to (see {@link BelongingKind}): it moves with the chat. Absent for other kinds. */
  readonly chatId?: number | undefined;
  /** The user whom the record belongs to, likewise. */
  readonly userId?: number | undefined;
}

/** Whether two records are found in the same way. */
export function isFoundAlike(a: FoundBy | undefined, b: FoundBy | undefined): boolean {
  return a?.time === b?.time && a?.chatId === b?.chatId && a?.userId === b?.userId;
}

/** Whether two records are the same, that there is none included. */
export function isSameRecord(a: KeptRecord | undefined, b: KeptRecord | undefined): boolean {
  return a?.text === b?.text && a?.version === b?.version && isFoundAlike(a, b);
}

/** What becomes of one record: a new content, or `undefined`, which removes it. */
export interface RecordChange {
  readonly key: RecordKey;
  readonly record: KeptRecord | undefined;
}
