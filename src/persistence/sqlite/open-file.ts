import type { Update } from "@grammyjs/types";
import { PerdureError } from "../../errors.ts";
import {
  DONE_MEMORY,
  type Abilities,
  type Acceptance,
  type InboxEntry,
  type OpenOptions,
  type UnitCommit,
} from "../atomic-persistence.ts";
import { DoneRanges, type DoneRange, type DoneRangesChange } from "../done-ranges.ts";
import { CurrentRecords, type CurrentRecordsOptions } from "./current-records.ts";
import { checkChange } from "./kept-exactly.ts";
import { LogFlush } from "./log-flush.ts";
import type { OwnerLock } from "../owner-lock.ts";
import type { SqliteClient } from "./sqlite-client.ts";
import { sqliteError } from "./sqlite-errors.ts";
import { openFile } from "./sqlite-file.ts";
import { upgradeFormat } from "./sqlite-format.ts";
import { SqliteStatements } from "./sqlite-statements.ts";
import type { Row } from "./sqlite-tables.ts";
import { SqliteTransactions } from "./sqlite-transactions.ts";

/**
 * How long the log grows before a commit folds it into the file, with two syncs of its own. A group commit of 64 updates logs some 140
 * pages: with 200, nearly every second one would also fold, and cost a third more. With 1000, SQLite's own default, the longest commits take some ms.
 */
const AUTOCHECKPOINT_PAGES = 1000;

/** What a file is opened with. */
export interface OpenFileOptions {
  readonly file: string;
  readonly lock: OwnerLock;
  readonly durable: Abilities["durable"];
  readonly cache: CurrentRecordsOptions;
  readonly open: OpenOptions;
}

/** What there is between `open` and `close`. */
export class OpenFile {
  readonly file: string;
  readonly statements: SqliteStatements;
  readonly transactions: SqliteTransactions;
  readonly records: CurrentRecords;
  readonly botId: number;
  /** Missing where nothing has to survive a power cut. */
  readonly #log: LogFlush | undefined;
  readonly #now: () => number;
  readonly #lock: OwnerLock;
  readonly #database: SqliteClient;
  /** The arrival of the update that was accepted last. */
  #arrivals: number;
  /** The table `done` in memory; read anew after a transaction that failed. */
  #done: DoneRanges | undefined;

  /** Opens the file that the lock is for; when that fails, the lock is the caller's to release. */
  constructor({ file, lock, durable, cache, open }: OpenFileOptions) {
    this.file = file;
    this.botId = open.botId;
    this.#now = open.now;
    this.#lock = lock;
    this.#database = openFile(file);
    try {
      this.#database.exec(`
        pragma busy_timeout = 1000;
        pragma synchronous = normal;
        pragma wal_autocheckpoint = ${AUTOCHECKPOINT_PAGES};
        pragma trusted_schema = off;
      `);
      this.#requireLog();
      upgradeFormat(this.#database);
      this.statements = new SqliteStatements(this.#database);
      this.transactions = new SqliteTransactions(this.statements);
      this.records = new CurrentRecords(this.statements, this.transactions, cache);
      this.#doneRanges();
      this.#arrivals = Number(this.statements.lastArrival.get()?.["arrival"]);
      if (durable === "disk") this.#log = this.#logFlush();
      // From here on a busy database is the engine's to wait for, without blocking the event loop.
      this.#database.exec("pragma busy_timeout = 0");
    } catch (error) {
      this.#database.close();
      throw sqliteError(error, file, "open");
    }
  }

  /** Resolves when all that was written survives what the persistence promises; `undefined` when it does. */
  flush(when: "now" | "soon"): Promise<void> | undefined {
    return this.#log?.[when]()?.catch((error: unknown) => {
      throw sqliteError(error, this.file, "flush what was written to");
    });
  }

  /** Writes, in a transaction of its own or as a part of the one that is open. */
  transaction<T>(write: () => T): T {
    this.#log?.mend();
    const result = this.transactions.write(write);
    // A part of an exclusive transaction is written with the whole.
    if (!this.transactions.isExclusive) this.#log?.wrote();
    return result;
  }

  /** Ends the transaction that is open. */
  commitExclusive(): void {
    this.transactions.commitExclusive();
    this.#log?.wrote();
  }

  /** Closes the file, and lets the next process in. A transaction that is open is rolled back. */
  close(): void {
    try {
      this.#log?.close();
      this.#database.close();
    } finally {
      this.#lock.release();
    }
  }

  /** After something failed: what is in memory is read again. */
  forget(): void {
    this.#done = undefined;
    this.records.forget();
  }

  /** In a transaction: puts one update into the inbox, if it is new. */
  accept(update: Update): Acceptance {
    const now = this.#now();
    if (this.#doneRanges().has(update.update_id, now)) return "done";
    this.#arrivals += 1;
    const { changes } = this.statements.accept.run(
      this.botId,
      update.update_id,
      this.#arrivals,
      now,
      JSON.stringify(update),
    );
    return Number(changes) === 0 ? "open" : "accepted";
  }

  /** The open updates of the inbox that came after this arrival. */
  openUpdates(after: number, limit: number): InboxEntry[] {
    return this.statements.inbox.all(this.botId, after, limit).map((row) => inboxEntry(row, this.file));
  }

  /** In a transaction: what these units leave. */
  write(units: readonly UnitCommit[]): void {
    const done: number[] = [];
    const ranges: DoneRange[] = [];
    for (const unit of units) {
      this.#writeUnit(unit);
      if (unit.done !== undefined) done.push(unit.done);
      if (unit.doneUpdates !== undefined) ranges.push(...unit.doneUpdates);
    }
    if (done.length > 0 || ranges.length > 0) this.#markDone(done, ranges);
  }

  /** The updates that are done, as they are remembered now. */
  doneUpdates(): readonly DoneRange[] {
    return this.#doneRanges().remembered(this.#now());
  }

  /** Where memory cannot be shared, SQLite keeps no log, and says so in this answer only. */
  #requireLog(): void {
    const mode = String(this.#database.prepare("pragma journal_mode = wal").get()?.["journal_mode"]);
    if (mode === "wal") return;
    throw new PerdureError(
      "PERDURE_CANNOT_OPEN",
      `SQLite cannot keep a log beside ${this.file} (its journal_mode is ${mode}), as on some network file systems. Put the file on a local disk.`,
    );
  }

  #logFlush(): LogFlush {
    return new LogFlush({
      log: `${this.file}-wal`,
      withoutWriters: (work) => this.transactions.write(work),
    });
  }

  #writeUnit({ changes, alias, done, setAside, failedUpdates = [] }: UnitCommit): void {
    for (const change of changes) {
      checkChange(change);
      this.statements.write(change);
    }
    if (alias !== undefined) this.statements.writeAlias.run(alias.from, alias.to);
    if (setAside === true && done !== undefined) this.statements.setAside.run(this.#now(), this.botId, done);
    for (const { update, attempts, failedAt } of failedUpdates) {
      this.statements.writeFailed.run(this.botId, update.update_id, attempts, failedAt, JSON.stringify(update));
    }
  }

  #markDone(ids: readonly number[], ranges: readonly DoneRange[]): void {
    const now = this.#now();
    this.#writeRanges(this.#doneRanges().add(ids, now));
    this.#writeRanges(this.#doneRanges().addRanges(ranges, now));
    for (const [first, last] of consecutive(ids)) this.statements.removeFromInbox.run(this.botId, first, last);
    for (const { first, last, until } of ranges) {
      // The ids of a range that is forgotten by now may be those of new updates.
      if (until >= now - DONE_MEMORY) this.statements.removeFromInbox.run(this.botId, first, last);
    }
  }

  #writeRanges({ removed, written }: DoneRangesChange): void {
    const { removeDone, writeDone } = this.statements;
    for (const first of removed) removeDone.run(this.botId, first);
    for (const { first, last, since, until } of written) writeDone.run(this.botId, first, last, since, until);
  }

  #doneRanges(): DoneRanges {
    this.#done ??= new DoneRanges(this.statements.done.all(this.botId).map(doneRange));
    return this.#done;
  }
}

function inboxEntry(row: Row, file: string): InboxEntry {
  const [arrival, updateId, attempts] = [row["arrival"], row["update_id"], row["attempts"]].map(Number);
  const entry = { arrival, updateId, attempts } as InboxEntry;
  try {
    return { ...entry, update: JSON.parse(String(row["update"])) as Update };
  } catch (cause) {
    const message = `The inbox of ${file} has an update that is no JSON. It is passed over; mend or delete its row.`;
    return { ...entry, unreadable: new PerdureError("PERDURE_CANNOT_DECODE", message, { cause }) };
  }
}

function doneRange(row: Row): DoneRange {
  const [first, last, since, until] = [row["first_id"], row["last_id"], row["since"], row["until"]].map(Number);
  return { first, last, since, until } as DoneRange;
}

/** Ids as runs from the first to the last: updates are done nearly in sequence. */
function consecutive(ids: readonly number[]): (readonly [first: number, last: number])[] {
  const runs: [first: number, last: number][] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run?.[1] === id - 1) run[1] = id;
    else runs.push([id, id]);
  }
  return runs;
}
