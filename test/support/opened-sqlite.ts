import type { RecordChange, RecordKey } from "../../src/data/record.ts";
import type { SqlitePersistence, SqlitePersistenceOptions } from "../../src/persistence/sqlite/sqlite-persistence.ts";
import { newSqlite } from "./new-sqlite.ts";

/** A persistence on this file, open for bot 1, at the time that `now` tells. */
export async function openedSqlite(
  path: string,
  { now = () => 0, ...options }: Partial<SqlitePersistenceOptions> & { now?: () => number } = {},
): Promise<SqlitePersistence> {
  const persistence = newSqlite(path, options);
  await persistence.open({ botId: 1, now });
  return persistence;
}

/** A change that keeps this text under this key, or removes what is there. */
export function change(key: RecordKey, text: string | undefined): RecordChange {
  return { key, record: text === undefined ? undefined : { text, version: 0 } };
}
