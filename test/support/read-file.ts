import { DatabaseSync } from "node:sqlite";

type Row = Record<string, unknown>;

/** What a query finds in a bot's file, as anybody may read it while the bot runs. */
export function query(path: string, sql: string, ...parameters: (number | string)[]): Row[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(sql).all(...parameters);
  } finally {
    database.close();
  }
}

/** The values of all records of one kind, by their ids. */
export function readTable(path: string, table: string): Map<number, Row> {
  const rows = query(path, `select id, data from ${table}`);
  return new Map(rows.map((row) => [Number(row["id"]), JSON.parse(String(row["data"])) as Row]));
}
