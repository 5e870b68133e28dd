import type { KeptRecord, RecordChange, RecordKey } from "../../data/record.ts";
import type { SqliteClient, SqliteStatement } from "./sqlite-client.ts";

/** Sequences of kinds are few, but for transactions over many chats and users. */
const MOST_READINGS = 50;

const TABLE: Readonly<Record<RecordKey["kind"], string>> = { bot: "bot_data", chat: "chat_data", user: "user_data" };

/** The statements of one connection, prepared once: preparing costs more than running. */
export class SqliteStatements {
  readonly begin: SqliteStatement;
  readonly beginImmediate: SqliteStatement;
  readonly commit: SqliteStatement;
  readonly rollback: SqliteStatement;
  readonly accept: SqliteStatement;
  readonly inbox: SqliteStatement;
  readonly removeFromInbox: SqliteStatement;
  readonly noteAttempts: SqliteStatement;
  readonly setAside: SqliteStatement;
  readonly failed: SqliteStatement;
  readonly aliases: SqliteStatement;
  readonly writeAlias: SqliteStatement;
  readonly done: SqliteStatement;
  readonly writeDone: SqliteStatement;
  readonly removeDone: SqliteStatement;
  readonly #database: SqliteClient;
  readonly #readings = new Map<string, SqliteStatement>();
  readonly #tables: Record<RecordKey["kind"], TableStatements>;

  constructor(database: SqliteClient) {
    const prepare = (sql: string): SqliteStatement => database.prepare(sql);
    this.begin = prepare("begin");
    this.beginImmediate = prepare("begin immediate");
    this.commit = prepare("commit");
    this.rollback = prepare("rollback");
    this.accept = prepare(
      `insert into inbox (bot_id, update_id, accepted_at, attempts, "update") values (?, ?, ?, 1, ?)
       on conflict (bot_id, update_id) do nothing`,
    );
    this.inbox = prepare(
      `select arrival, update_id, attempts, "update" from inbox where bot_id = ? and arrival > ? order by arrival limit ?`,
    );
    this.removeFromInbox = prepare("delete from inbox where bot_id = ? and update_id = ?");
    this.noteAttempts = prepare("update inbox set attempts = ? where bot_id = ? and update_id = ?");
    this.setAside = prepare(
      `insert into failed select bot_id, update_id, attempts, ?, "update" from inbox
       where bot_id = ? and update_id = ?`,
    );
    this.failed = prepare(`select attempts, failed_at, "update" from failed where bot_id = ? order by rowid`);
    this.aliases = prepare("select old_id, new_id from chat_alias");
    this.writeAlias = prepare("insert or replace into chat_alias values (?, ?)");
    this.done = prepare("select first_id, last_id, since, until from done where bot_id = ?");
    this.writeDone = prepare("insert or replace into done values (?, ?, ?, ?, ?)");
    this.removeDone = prepare("delete from done where bot_id = ? and first_id = ?");
    this.#database = database;
    this.#tables = {
      bot: tableStatements(database, TABLE.bot),
      chat: tableStatements(database, TABLE.chat),
      user: tableStatements(database, TABLE.user),
    };
  }

  /** The records with these keys by one statement, so that they are of one moment, whoever else writes. */
  read(keys: readonly RecordKey[]): (KeptRecord | undefined)[] {
    const records: (KeptRecord | undefined)[] = keys.map(() => undefined);
    for (const row of this.#reading(keys).all(...keys.map(rowId))) {
      records[Number(row["place"])] = { text: String(row["data"]), version: Number(row["version"]) };
    }
    return records;
  }

  ids(scope: "chat" | "user", after: number, limit: number): number[] {
    return this.#tables[scope].ids.all(after, limit).map((row) => Number(row["id"]));
  }

  /** Prepared once for each sequence of kinds: nearly always a chat and a user. */
  #reading(keys: readonly RecordKey[]): SqliteStatement {
    const kinds = keys.map(({ kind }) => kind).join();
    if (this.#readings.size > MOST_READINGS) this.#readings.clear();
    const known = this.#readings.get(kinds);
    if (known !== undefined) return known;
    const parts = keys.map(
      ({ kind }, place) => `select ${place} as place, version, data from ${TABLE[kind]} where id = ?`,
    );
    const statement = this.#database.prepare(parts.join(" union all "));
    this.#readings.set(kinds, statement);
    return statement;
  }

  write({ key, record }: RecordChange): void {
    const table = this.#tables[key.kind];
    if (record === undefined) table.remove.run(rowId(key));
    else table.write.run(rowId(key), record.version, record.text);
  }
}

interface TableStatements {
  readonly ids: SqliteStatement;
  readonly write: SqliteStatement;
  readonly remove: SqliteStatement;
}

function tableStatements(database: SqliteClient, table: string): TableStatements {
  return {
    ids: database.prepare(`select id from ${table} where id > ? order by id limit ?`),
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
