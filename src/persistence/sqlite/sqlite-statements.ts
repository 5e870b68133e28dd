import type { EarliestOptions, KeysOptions, TimedRecord } from "../atomic-persistence.ts";
import type { FoundBy, KeptRecord, KeyOf, RecordChange, RecordKey, RecordKind, TimedKind } from "../../data/record.ts";
import type { SqliteClient, SqliteStatement } from "./sqlite-client.ts";
import { columnsOf, keyIn, TABLES, type Row, type SqliteTable } from "./sqlite-tables.ts";

/** The statements of one connection, prepared once: preparing costs more than running. */
export class SqliteStatements {
  readonly begin: SqliteStatement;
  readonly beginImmediate: SqliteStatement;
  readonly commit: SqliteStatement;
  readonly rollback: SqliteStatement;
  readonly savepoint: SqliteStatement;
  readonly rollbackToSavepoint: SqliteStatement;
  readonly releaseSavepoint: SqliteStatement;
  readonly accept: SqliteStatement;
  readonly inbox: SqliteStatement;
  readonly lastArrival: SqliteStatement;
  readonly removeFromInbox: SqliteStatement;
  readonly noteAttempts: SqliteStatement;
  readonly setAside: SqliteStatement;
  readonly writeFailed: SqliteStatement;
  readonly failed: SqliteStatement;
  readonly aliases: SqliteStatement;
  readonly writeAlias: SqliteStatement;
  readonly done: SqliteStatement;
  readonly writeDone: SqliteStatement;
  readonly removeDone: SqliteStatement;
  readonly #dataVersion: SqliteStatement;
  readonly #database: SqliteClient;
  readonly #prepared = new Map<string, SqliteStatement>();
  readonly #tables: Readonly<Record<RecordKind, TableStatements>>;

  constructor(database: SqliteClient) {
    const prepare = (sql: string): SqliteStatement => database.prepare(sql);
    this.begin = prepare("begin");
    this.beginImmediate = prepare("begin immediate");
    this.commit = prepare("commit");
    this.rollback = prepare("rollback");
    this.savepoint = prepare("savepoint one");
    this.rollbackToSavepoint = prepare("rollback to one");
    this.releaseSavepoint = prepare("release one");
    this.accept = prepare(
      `insert into inbox (bot_id, update_id, arrival, accepted_at, attempts, "update") values (?, ?, ?, ?, 1, ?)
       on conflict (bot_id, update_id) do nothing`,
    );
    this.inbox = prepare(
      `select arrival, update_id, attempts, "update" from inbox where bot_id = ? and arrival > ? order by arrival limit ?`,
    );
    this.lastArrival = prepare("select coalesce(max(arrival), 0) as arrival from inbox");
    this.removeFromInbox = prepare("delete from inbox where bot_id = ? and update_id between ? and ?");
    this.noteAttempts = prepare("update inbox set attempts = ? where bot_id = ? and update_id = ?");
    this.setAside = prepare(
      `insert into failed select bot_id, update_id, attempts, ?, "update" from inbox
       where bot_id = ? and update_id = ?`,
    );
    this.writeFailed = prepare(
      `insert into failed select ?1, ?2, ?3, ?4, ?5 where not exists
       (select 1 from failed where bot_id = ?1 and update_id = ?2 and failed_at = ?4)`,
    );
    this.failed = prepare(`select attempts, failed_at, "update" from failed where bot_id = ? order by rowid`);
    this.aliases = prepare("select old_id, new_id from chat_alias");
    this.writeAlias = prepare("insert or replace into chat_alias values (?, ?)");
    this.done = prepare("select first_id, last_id, since, until from done where bot_id = ?");
    this.writeDone = prepare("insert or replace into done values (?, ?, ?, ?, ?)");
    this.removeDone = prepare("delete from done where bot_id = ? and first_id = ?");
    this.#dataVersion = prepare("pragma data_version");
    this.#database = database;
    this.#tables = {
      bot: tableStatements(database, TABLES.bot),
      chat: tableStatements(database, TABLES.chat),
      user: tableStatements(database, TABLES.user),
      conversation: tableStatements(database, TABLES.conversation),
      entry: tableStatements(database, TABLES.entry),
      keyboard: tableStatements(database, TABLES.keyboard),
      callbackQuery: tableStatements(database, TABLES.callbackQuery),
      job: tableStatements(database, TABLES.job),
    };
  }

  /** Another number than last time when another connection has committed meanwhile, and only then. */
  dataVersion(): number {
    return Number(this.#dataVersion.get()?.["data_version"]);
  }

  /** The records with these keys. They are of one moment in a transaction only. */
  read(keys: readonly RecordKey[]): (KeptRecord | undefined)[] {
    return keys.map((key) => this.readOne(key));
  }

  /** The record with this key. */
  readOne(key: RecordKey): KeptRecord | undefined {
    const row = this.#tables[key.kind].read.get(...columnsOf(key));
    return row === undefined ? undefined : recordIn(row);
  }

  /** The keys of one kind, in the order of their columns. */
  keys<Kind extends RecordKind>(kind: Kind, { within, of, after, limit }: KeysOptions<Kind>): KeyOf<Kind>[] {
    const { name, key, foundBy } = TABLES[kind];
    const columns = key.join(", ");
    const { conditions, parameters } = range(key, within, after);
    if (of !== undefined) {
      conditions.push(`${foundBy[`${of.kind}Id`] ?? "null"} = ?`);
      parameters.push(of.id);
    }
    const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;
    const statement = this.#prepare(`select ${columns} from ${name} ${where} order by ${columns} limit ?`);
    return statement.all(...parameters, limit).map((row) => keyIn(kind, row));
  }

  /** The records that have a time up to `until`, the earliest first; those of one time in the order of their ids. */
  earliest(kind: TimedKind, { until, limit }: EarliestOptions): TimedRecord[] {
    const { name, foundBy } = TABLES[kind];
    const { time } = foundBy;
    const statement = this.#prepare(
      `select id, ${recordColumns(foundBy)} from ${name} where ${time} <= ? order by ${time}, id limit ?`,
    );
    return statement
      .all(until, limit)
      .map((row) => ({ key: keyIn(kind, row), record: { ...recordIn(row), time: Number(row["time"]) } }));
  }

  write({ key, record }: RecordChange): void {
    const { write, remove, foundBy } = this.#tables[key.kind];
    const columns = columnsOf(key);
    if (record === undefined) remove.run(...columns);
    else write.run(...columns, record.version, record.text, ...foundBy.map((by) => record[by] ?? null));
  }

  #prepare(sql: string): SqliteStatement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}

interface TableStatements {
  readonly read: SqliteStatement;
  readonly write: SqliteStatement;
  readonly remove: SqliteStatement;
  readonly foundBy: readonly (keyof FoundBy)[];
}

function tableStatements(database: SqliteClient, { name, key, foundBy }: SqliteTable): TableStatements {
  const values = ["version", "data", ...Object.values(foundBy)];
  const columns = [...key, ...values];
  return {
    read: database.prepare(`select ${recordColumns(foundBy)} from ${name} where ${isKey(key)}`),
    write: database.prepare(
      `insert into ${name} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})
       on conflict (${key.join(", ")}) do update set ${values.map((value) => `${value} = excluded.${value}`).join(", ")}`,
    ),
    remove: database.prepare(`delete from ${name} where ${isKey(key)}`),
    foundBy: Object.keys(foundBy) as (keyof FoundBy)[],
  };
}

/** The columns of a record under the names that {@link recordIn} reads. */
function recordColumns(foundBy: SqliteTable["foundBy"]): string {
  return ["version", "data", ...Object.entries(foundBy).map(([by, column]) => `${column} as "${by}"`)].join(", ");
}

/** Which rows `keys` lists: each as conditions for which the table's key leads straight to the first of them. */
function range(
  key: readonly string[],
  within: string | undefined,
  after: RecordKey | undefined,
): { conditions: string[]; parameters: (number | string)[] } {
  const [first, second] = key;
  const begin = after === undefined ? [] : columnsOf(after);
  if (within !== undefined && second !== undefined) {
    if (after === undefined) return { conditions: [`${first} = ?`], parameters: [within] };
    if (begin[0] === within) return { conditions: [`${first} = ?`, `${second} > ?`], parameters: begin };
    return { conditions: [`${first} = ?`, `(${first}, ${second}) > (?, ?)`], parameters: [within, ...begin] };
  }
  if (after === undefined) return { conditions: [], parameters: [] };
  return { conditions: [`(${key.join(", ")}) > (${key.map(() => "?").join(", ")})`], parameters: begin };
}

function isKey(key: readonly string[]): string {
  return key.map((column) => `${column} = ?`).join(" and ");
}

function recordIn(row: Row): KeptRecord {
  const { version, data, time = null, chatId = null, userId = null } = row;
  const record: { -readonly [Part in keyof KeptRecord]: KeptRecord[Part] } = {
    text: String(data),
    version: Number(version),
  };
  if (time !== null) record.time = Number(time);
  if (chatId !== null) record.chatId = Number(chatId);
  if (userId !== null) record.userId = Number(userId);
  return record;
}
