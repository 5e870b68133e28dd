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

/** Which record. Two keys are the same record when their {@link keyText} is the same. */
export type RecordKey = BotKey | ChatKey | UserKey;

/** The key of the bot's data. */
export const BOT_KEY: BotKey = { kind: "bot" };

/** A key as text, for maps and messages: `bot`, `chat:-1001`, `user:42`. */
export function keyText(key: RecordKey): string {
  return key.kind === "bot" ? "bot" : `${key.kind}:${key.id}`;
}

/** What the record is called where a user of the library meets it: `botData`, `chatData.-1001`, `userData.42`. */
export function keyName(key: RecordKey): string {
  return key.kind === "bot" ? "botData" : `${key.kind}Data.${key.id}`;
}

/** A record as it is kept. */
export interface KeptRecord {
  /** The value as the codec wrote it. */
  readonly text: string;
  /** How many of the application's `migrations` of this scope the value has been through. */
  readonly version: number;
}

/** What becomes of one record: a new content, or `undefined`, which removes it. */
export interface RecordChange {
  readonly key: RecordKey;
  readonly record: KeptRecord | undefined;
}
