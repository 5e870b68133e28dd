import type { Update } from "@grammyjs/types";
import { jsonCodec, type Codec } from "../../data/codec.ts";
import { milliseconds, type Duration } from "../../data/duration.ts";
import type { KeptRecord, RecordKey } from "../../data/record.ts";
import { PerdureError } from "../../errors.ts";
import {
  AtomicPersistence,
  type Abilities,
  type Acceptance,
  type ChatAlias,
  type FailedUpdate,
  type IdsOptions,
  type InboxEntry,
  type OpenOptions,
  type OpenUpdatesOptions,
  type UnitCommit,
} from "../atomic-persistence.ts";
import { DoneRanges, type DoneRange } from "../done-ranges.ts";
import { OwnerLock } from "./owner-lock.ts";
import type { SqliteClient, SqliteStatement } from "./sqlite-client.ts";
import { sqliteError } from "./sqlite-errors.ts";
import { checkAccess, openFile, realFile } from "./sqlite-file.ts";
import { SqliteStatements } from "./sqlite-statements.ts";

/** Options of {@link SqlitePersistence}. */
export interface SqlitePersistenceOptions {
  /**
   * The file. Created when it does not exist; its folder must. Beside it stand `-wal` and `-shm` (SQLite's log, part of
   * the data) and `-lock`.
   */
  path: string;
  /**
   * What an acknowledged commit survives: `"disk"` (default) a power cut; `"os"` every end of the process, while a power
   * cut goes back to an earlier consistent moment.
   */
  durability?: "disk" | "os" | undefined;
  /** How long to wait for another bot process to give up the file. Default `"10s"`. */
  ownerTimeout?: Duration | undefined;
  /** How values become text. Default `jsonCodec()`. */
  codec?: Codec | undefined;
}

/** SQLite's limit for the parts of one statement is 500. */
const MOST_READ_AT_ONCE = 100;

/** Small, so that no commit has to fold a long log into the file: 200 pages keep the longest commit near 1 ms. */
const AUTOCHECKPOINT_PAGES = 200;

/**
 * Keeps everything in one SQLite file, with Node's own `node:sqlite`. Nothing is loaded at start. Others may read the
 * file while the bot runs: `select id, data->>'name' from user_data`.
 */
export class SqlitePersistence extends AtomicPersistence {
  readonly codec: Codec;
  readonly abilities: Abilities;
  readonly #path: string;
  readonly #ownerTimeout: number;
  #open: OpenFile | undefined;

  constructor(options: SqlitePersistenceOptions) {
    super();
    const { path, durability = "disk", ownerTimeout = "10s", codec = jsonCodec() } = options;
    if (typeof path !== "string" || path === "" || path.startsWith(":") || path.startsWith("file:")) {
      throw new PerdureError(
        "PERDURE_INVALID_OPTION",
        `path is ${JSON.stringify(path)}. SqlitePersistence needs the path of a file.`,
      );
    }
    if (durability !== "disk" && durability !== "os") {
      throw new PerdureError("PERDURE_INVALID_OPTION", `durability is ${JSON.stringify(durability)}: "disk" or "os".`);
    }
    this.#path = path;
    this.#ownerTimeout = milliseconds(ownerTimeout, "ownerTimeout");
    this.codec = codec;
    this.abilities = { durable: durability, shared: false, lazy: true };
  }

  /**
   * Takes the file for this process and opens it.
   *
   * Rejects, with the file left as it is: `PERDURE_OWNED`, `PERDURE_EMPTY_FILE`, `PERDURE_FOREIGN_FILE`,
   * `PERDURE_NEWER_FORMAT`, `PERDURE_CORRUPT`, `PERDURE_READ_ONLY`, `PERDURE_CANNOT_OPEN`, `PERDURE_DISK_FULL`.
   */
  async open(options: OpenOptions): Promise<void> {
    if (this.#open !== undefined) throw new PerdureError("PERDURE_OWNED", `${this.#path} is open already.`);
    const file = realFile(this.#path);
    checkAccess(file);
    const lock = await OwnerLock.acquire(file, this.#ownerTimeout, options.signal);
    try {
      checkAccess(file);
      this.#open = openOwned(file, lock, this.abilities.durable, options);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    try {
      open.database.close();
    } finally {
      open.lock.release();
    }
  }

  read(keys: readonly RecordKey[]): readonly (KeptRecord | undefined)[] {
    return this.#using("read", ({ statements }) => {
      if (keys.length === 0) return [];
      if (keys.length <= MOST_READ_AT_ONCE) return statements.read(keys);
      return inTransaction(statements, statements.begin, () => inParts(keys).flatMap((part) => statements.read(part)));
    });
  }

  accept(updates: readonly Update[]): readonly Acceptance[] {
    return this.#writing("accept updates in", (open) => updates.map((update) => acceptOne(open, update)));
  }

  openUpdates({ after = 0, limit }: OpenUpdatesOptions): readonly InboxEntry[] {
    return this.#using("read the inbox of", ({ file, statements, botId }) =>
      statements.inbox.all(botId, after, limit).map((row) => inboxEntry(row, file)),
    );
  }

  noteAttempts(updateId: number, attempts: number): boolean {
    return this.#writing("note an attempt in", ({ statements, botId }) => {
      const { changes } = statements.noteAttempts.run(attempts, botId, updateId);
      return Number(changes) > 0;
    });
  }

  failedUpdates(): readonly FailedUpdate[] {
    return this.#using("read the failed updates of", ({ statements, botId }) =>
      statements.failed.all(botId).map((row) => ({
        update: JSON.parse(String(row["update"])) as Update,
        attempts: Number(row["attempts"]),
        failedAt: Number(row["failed_at"]),
      })),
    );
  }

  chatAliases(): readonly ChatAlias[] {
    return this.#using("read the chat aliases of", ({ statements }) =>
      statements.aliases.all().map((row) => ({ from: Number(row["old_id"]), to: Number(row["new_id"]) })),
    );
  }

  ids(scope: "chat" | "user", { after = Number.MIN_SAFE_INTEGER, limit }: IdsOptions): readonly number[] {
    return this.#using("list the records of", ({ statements }) => statements.ids(scope, after, limit));
  }

  commit(units: readonly UnitCommit[]): void {
    this.#writing("commit to", (open) => {
      const done: number[] = [];
      for (const unit of units) {
        writeUnit(open, unit);
        if (unit.done !== undefined) done.push(unit.done);
      }
      if (done.length > 0) markDone(open, done);
    });
  }

  #using<T>(doing: string, use: (open: OpenFile) => T): T {
    const open = this.#open;
    if (open === undefined) {
      throw new PerdureError("PERDURE_CLOSED", `Cannot ${doing} ${this.#path}: it is not open.`);
    }
    try {
      return use(open);
    } catch (error) {
      throw sqliteError(error, open.file, doing);
    }
  }

  #writing<T>(doing: string, write: (open: OpenFile) => T): T {
    return this.#using(doing, (open) => {
      try {
        return inTransaction(open.statements, open.statements.beginImmediate, () => write(open));
      } catch (error) {
        open.done = undefined;
        throw error;
      }
    });
  }
}

/** What there is between `open` and `close`. */
interface OpenFile {
  readonly file: string;
  readonly lock: OwnerLock;
  readonly database: SqliteClient;
  readonly statements: SqliteStatements;
  readonly botId: number;
  readonly now: () => number;
  /** The table `done` in memory; read anew after a transaction that failed. */
  done: DoneRanges | undefined;
}

function openOwned(file: string, lock: OwnerLock, durable: Abilities["durable"], options: OpenOptions): OpenFile {
  const database = openFile(file);
  try {
    database.exec(`
      pragma busy_timeout = 1000;
      pragma journal_mode = wal;
      pragma synchronous = ${durable === "disk" ? "full" : "normal"};
      pragma wal_autocheckpoint = ${AUTOCHECKPOINT_PAGES};
      pragma trusted_schema = off;
    `);
    const statements = new SqliteStatements(database);
    const { botId, now } = options;
    const open: OpenFile = { file, lock, database, statements, botId, now, done: undefined };
    doneRanges(open);
    // From here on a busy database is the engine's to wait for, without blocking the event loop.
    database.exec("pragma busy_timeout = 0");
    return open;
  } catch (error) {
    database.close();
    throw sqliteError(error, file, "open");
  }
}

function acceptOne(open: OpenFile, update: Update): Acceptance {
  const { statements, botId } = open;
  const now = open.now();
  if (doneRanges(open).has(update.update_id, now)) return "done";
  const { changes } = statements.accept.run(botId, update.update_id, now, JSON.stringify(update));
  return Number(changes) === 0 ? "open" : "accepted";
}

function inboxEntry(row: Record<string, unknown>, file: string): InboxEntry {
  const [arrival, updateId, attempts] = [row["arrival"], row["update_id"], row["attempts"]].map(Number);
  const entry = { arrival, updateId, attempts } as InboxEntry;
  try {
    return { ...entry, update: JSON.parse(String(row["update"])) as Update };
  } catch (cause) {
    const message = `The inbox of ${file} has an update that is no JSON. It is passed over; mend or delete its row.`;
    return { ...entry, unreadable: new PerdureError("PERDURE_CANNOT_DECODE", message, { cause }) };
  }
}

function writeUnit({ statements, botId, now }: OpenFile, { changes, alias, done, setAside }: UnitCommit): void {
  for (const change of changes) statements.write(change);
  if (alias !== undefined) statements.writeAlias.run(alias.from, alias.to);
  if (setAside === true && done !== undefined) statements.setAside.run(now(), botId, done);
}

function markDone(open: OpenFile, ids: readonly number[]): void {
  const { statements, botId } = open;
  for (const id of ids) statements.removeFromInbox.run(botId, id);
  const { removed, written } = doneRanges(open).add(ids, open.now());
  for (const first of removed) statements.removeDone.run(botId, first);
  for (const { first, last, since, until } of written) statements.writeDone.run(botId, first, last, since, until);
}

function doneRanges(open: OpenFile): DoneRanges {
  open.done ??= new DoneRanges(open.statements.done.all(open.botId).map(doneRange));
  return open.done;
}

function doneRange(row: Record<string, unknown>): DoneRange {
  const [first, last, since, until] = [row["first_id"], row["last_id"], row["since"], row["until"]].map(Number);
  return { first, last, since, until } as DoneRange;
}

function inTransaction<T>(statements: SqliteStatements, begin: SqliteStatement, work: () => T): T {
  begin.run();
  try {
    const result = work();
    statements.commit.run();
    return result;
  } catch (error) {
    // A full disk, for one, has ended the transaction already; the first error is the one to tell.
    try {
      statements.rollback.run();
    } catch {}
    throw error;
  }
}

function inParts(keys: readonly RecordKey[]): RecordKey[][] {
  const count = Math.ceil(keys.length / MOST_READ_AT_ONCE);
  return Array.from({ length: count }, (_, part) =>
    keys.slice(part * MOST_READ_AT_ONCE, (part + 1) * MOST_READ_AT_ONCE),
  );
}
