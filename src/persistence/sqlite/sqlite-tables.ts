import { BOT_KEY, type ConversationId, type KeyOf, type RecordKey, type RecordKind } from "../../data/record.ts";

/** Where the records of one kind stand: their table, and beside `version` and `data` its columns. */
export interface SqliteTable {
  readonly name: string;
  /** What makes up the key, in this order. */
  readonly key: readonly string[];
  /** Where a record's `time` stands, for the kinds that have one. */
  readonly time?: string;
}

/** The tables of all kinds of records. */
export const TABLES: Readonly<Record<RecordKind, SqliteTable>> = {
  bot: { name: "bot_data", key: ["id"] },
  chat: { name: "chat_data", key: ["id"] },
  user: { name: "user_data", key: ["id"] },
  conversation: { name: "conversation", key: ["name", "key"] },
  entry: { name: "entry", key: ["collection", "id"] },
  keyboard: { name: "keyboard", key: ["id"], time: "last_used" },
  callbackQuery: { name: "callback_query", key: ["id"], time: "answered_at" },
  job: { name: "job", key: ["id"], time: "due" },
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
