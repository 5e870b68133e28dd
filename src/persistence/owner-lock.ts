import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { PerdureError } from "../errors.ts";
import { openSqlite, type SqliteClient } from "./sqlite/sqlite-client.ts";
import { resultCode, sqliteError } from "./sqlite/sqlite-errors.ts";

/** How often a waiting process looks whether its predecessor is gone, in milliseconds. */
const LOOK_EVERY = 50;

/**
 * One bot process per file: an open write transaction in a small database beside it. The operating system ends it with
 * the process, however that ends, so nothing stale is left; readers of the main file are not disturbed.
 *
 * The lock file stays when the lock is released. Removing it while it is held would let a second process in, and so
 * would reading it with `fs` in the holding process: POSIX drops a process's locks when it closes any descriptor.
 */
export class OwnerLock {
  readonly #database: SqliteClient;

  private constructor(database: SqliteClient) {
    this.#database = database;
  }

  /**
   * Waits up to `timeout` milliseconds for the owner of `file` to go, then rejects with `PERDURE_OWNED`; with the signal's
   * reason when it is aborted before.
   */
  static async acquire(file: string, timeout: number, signal?: AbortSignal): Promise<OwnerLock> {
    const deadline = performance.now() + timeout;
    for (;;) {
      signal?.throwIfAborted();
      const database = tryToOwn(`${file}-lock`);
      if (database !== undefined) return new OwnerLock(database);
      if (performance.now() >= deadline) throw owned(file, timeout);
      await sleep(LOOK_EVERY);
    }
  }

  /** Lets the next process in. */
  release(): void {
    this.#database.close();
  }
}

function tryToOwn(lockFile: string): SqliteClient | undefined {
  const database = openLockFile(lockFile);
  try {
    database.exec("begin immediate");
    database.exec("create table if not exists owner (pid integer, host text, since text) strict; delete from owner");
    database.prepare("insert into owner values (?, ?, ?)").run(process.pid, hostname(), new Date().toISOString());
    // Committed for others to read, then held open for as long as this process owns the file.
    database.exec("commit; begin immediate");
    return database;
  } catch (error) {
    database.close();
    if (resultCode(error) === 5) return undefined;
    throw sqliteError(error, lockFile, "lock");
  }
}

function openLockFile(lockFile: string): SqliteClient {
  try {
    return openSqlite(lockFile);
  } catch (error) {
    throw sqliteError(error, lockFile, "open");
  }
}

function owned(file: string, timeout: number): PerdureError {
  return new PerdureError(
    "PERDURE_OWNED",
    `${file} belongs to another bot process${ownerOf(`${file}-lock`)}, which did not end within ${timeout} ms. ` +
      "Stop it, or give this bot a file of its own.",
  );
}

function ownerOf(lockFile: string): string {
  try {
    const database = openSqlite(lockFile, { readOnly: true });
    try {
      const row = database.prepare("select pid, host, since from owner").get();
      return row === undefined
        ? ""
        : ` (process ${Number(row["pid"])} on ${String(row["host"])}, since ${String(row["since"])})`;
    } finally {
      database.close();
    }
  } catch {
    return "";
  }
}
