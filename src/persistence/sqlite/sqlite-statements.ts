import type { KeptRecord, RecordChange, RecordKey } from "../../data/record.ts";
import type { SqliteClient, SqliteStatement } from "./sqlite-client.ts";

/** The statements of one connection, prepared once: preparing costs more than running. */
export class SqliteStatements {
  readonly begin: SqliteStatement;
  readonly beginImmediate: SqliteStatement;
  readonly commit: SqliteStatement;
  readonly rollback: SqliteStatement;
  readonly accept: SqliteStatement;
  readonly inbox: SqliteStatement;
  readonly lastArrival: SqliteStatement;
  readonly removeFromInbox: SqliteStatement;
  readonly done: SqliteStatement;
  readonly writeDone: SqliteStatement;
  readonly removeDone: SqliteStatement;
  readonly #tables: Record<RecordKey["kind"], TableStatements>;

  constructor(database: SqliteClient) {
    const prepare = (sql: string): SqliteStatement => database.prepare(sql);
    this.begin = prepare("begin");
    this.beginImmediate = prepare("begin immediate");
    this.commit = prepare("commit");
    this.rollback = prepare("rollback");
    this.accept = prepare("insert into inbox values (?, ?, ?, ?, ?) on conflict do nothing");
    this.inbox = prepare(
      `select arrival, "update" from inbox where bot_id = ? and arrival > ? order by arrival limit ?`,
    );
    this.lastArrival = prepare("select max(arrival) as arrival from inbox");
    this.removeFromInbox = prepare("delete from inbox where bot_id = ? and update_id = ?");
    this.done = prepare("select first_id, last_id, since, until from done where bot_id = ?");
    this.writeDone = prepare("insert or replace into done values (?, ?, ?, ?, ?)");
    this.removeDone = prepare("delete from done where bot_id = ? and first_id = ?");
    this.#tables = {
      bot: tableStatements(database, "bot_data"),
      chat: tableStatements(database, "chat_data"),
      user: tableStatements(database, "user_data"),
    };
  }

  read(key: RecordKey): KeptRecord | undefined {
    const row = this.#tables[key.kind].read.get(rowId(key));
    return row === undefined ? undefined : { text: String(row["data"]), version: Number(row["version"]) };
  }

  write({ key, record }: RecordChange): void {
    const table = this.#tables[key.kind];
    if (record === undefined) table.remove.run(rowId(key));
    else table.write.run(rowId(key), record.version, record.text);
  }
}

interface TableStatements {
  readonly read: SqliteStatement;
  readonly write: SqliteStatement;
  readonly remove: SqliteStatement;
}

function tableStatements(database: SqliteClient, table: string): TableStatements {
  return {
    read: database.prepare(`select version, data from ${table} where id = ?`),
    write: database.prepare(
      `insert into ${table} values (?, ?, ?)
       on conflict (id) do update set version = excluded.version, data = excluded.data`,
    ),
    remove: database.prepare(`delete from ${table} where id = ?`),
  };
}

function rowId(key: RecordKey): number {
  return key.kind === "bot" ? 1 : key.id;
}
