import {
  BOT_KEY,
  type ConversationId,
  type FoundBy,
  type KeyOf,
  type RecordKey,
  type RecordKind,
} from "../../data/record.ts";

/** Where the records of one kind stand: their table, and beside `version` and `data` its columns. */
export interface SqliteTable {
  readonly name: string;
  /** What makes up the key, in this order. */
  readonly key: readonly string[];
  /** Where that stands which a record is found by, for the kinds that have it. */
  readonly foundBy: { readonly [By in keyof FoundBy]: string };
}

const BELONGING = { chatId: "chat_id", userId: "user_id" } as const;

/** The tables of all kinds of records. */
export const TABLES: Readonly<Record<RecordKind, SqliteTable>> = {
  bot: { name: "bot_data", key: ["id"], foundBy: {} },
  chat: { name: "chat_data", key: ["id"], foundBy: {} },
  user: { name: "user_data", key: ["id"], foundBy: {} },
  conversation: { name: "conversation", key: ["name", "key"], foundBy: BELONGING },
  entry: { name: "entry", key: ["collection", "id"], foundBy: {} },
  keyboard: { name: "keyboard", key: ["id"], foundBy: { time: "last_used" } },
  callbackQuery: { name: "callback_query", key: ["id"], foundBy: { time: "answered_at" } },
  job: { name: "job", key: ["id"], foundBy: { time: "due", ...BELONGING } },
};

/** A row as `node:sqlite` gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** What stands in the columns of a key. */
export function columnsOf(key: RecordKey): (number | string)[] {
  switch (key.kind) {
    case "bot":
      return [1];
    case "conversation":
      return [key.name, JSON.stringify(key.id)];
    case "entry":
      return [key.collection, key.id];
    default:
      return [key.id];
  }
}

/** The key that stands in a row's columns. */
export function keyIn<Kind extends RecordKind>(kind: Kind, row: Row): KeyOf<Kind> {
  return anyKeyIn(kind, row) as KeyOf<Kind>;
}

function anyKeyIn(kind: RecordKind, row: Row): RecordKey {
  switch (kind) {
    case "bot":
      return BOT_KEY;
    case "chat":
    case "user":
      return { kind, id: Number(row["id"]) };
    case "conversation":
      return { kind, name: String(row["name"]), id: JSON.parse(String(row["key"])) as ConversationId };
    case "entry":
      return { kind, collection: String(row["collection"]), id: String(row["id"]) };
    default:
      return { kind, id: String(row["id"]) };
  }
}
