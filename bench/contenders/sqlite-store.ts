import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SqlitePersistence, type RecordChange, type UnitCommit } from "../../src/index.ts";
import { newRecord, type Counts, type Setting } from "./contender.ts";

const PART = 10_000;

/** The file that Perdure and SQLite alone share. */
export function sqlitePath({ folder }: Setting): string {
  return join(folder, "bot.sqlite");
}

/** Lays the file out, as the library does, with as many chats and users as the setting says. */
export async function fillSqlite(setting: Setting): Promise<void> {
  const persistence = new SqlitePersistence({ path: sqlitePath(setting), durability: "os" });
  await persistence.open({ botId: 1, now: Date.now });
  const record = { text: JSON.stringify(newRecord()), version: 0 };
  for (let begin = 1; begin <= setting.chats; begin += PART) {
    const ids = Array.from({ length: Math.min(PART, setting.chats - begin + 1) }, (_, index) => begin + index);
    // In the order of the tables, which is several times as fast as taking turns.
    const changes = (["chat", "user"] as const).flatMap((kind) =>
      ids.map((id): RecordChange => ({ key: { kind, id }, record })),
    );
    await persistence.commit([{ changes }]);
  }
  if (setting.botBytes !== undefined) await persistence.commit([botData(setting.botBytes)]);
  persistence.close();
}

function botData(bytes: number): UnitCommit {
  const entry = { text: "x".repeat(80), tags: ["a", "b"], at: 1_700_000_000_000 };
  const count = Math.ceil(bytes / JSON.stringify(entry).length);
  const text = JSON.stringify({ entries: Array.from({ length: count }, () => entry) });
  return { changes: [{ key: { kind: "bot" }, record: { text, version: 0 } }] };
}

/** What the file holds for these chats and users, as anybody may read it. */
export function sqliteCounts(setting: Setting, ids: readonly number[]): Counts {
  const database = new DatabaseSync(sqlitePath(setting), { readOnly: true });
  try {
    const read = (table: string): number[] => {
      const statement = database.prepare(`select data->>'n' as n from ${table} where id = ?`);
      return ids.map((id) => Number(statement.get(id)?.["n"] ?? 0));
    };
    return { chats: read("chat_data"), users: read("user_data") };
  } finally {
    database.close();
  }
}
