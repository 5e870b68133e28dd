import type { Update } from "@grammyjs/types";
import { milliseconds, type Duration } from "../../data/duration.ts";
import type { MaybePromise } from "../../data/maybe-promise.ts";
import type { KeptRecord, KeyOf, RecordKey, RecordKind, TimedKind } from "../../data/record.ts";
import { PerdureError } from "../../errors.ts";
import {
  AtomicPersistence,
  type Abilities,
  type Acceptance,
  type ChatAlias,
  type EarliestOptions,
  type FailedUpdate,
  type InboxEntry,
  type KeysOptions,
  type OpenOptions,
  type OpenUpdatesOptions,
  type TimedRecord,
  type UnitCommit,
} from "../atomic-persistence.ts";
import type { BasePersistenceOptions } from "../base-persistence.ts";
import type { DoneRange } from "../done-ranges.ts";
import type { CurrentRecordsOptions } from "./current-records.ts";
import { checkKey, checkName } from "./kept-exactly.ts";
import { OpenFile } from "./open-file.ts";
import { OwnerLock } from "../owner-lock.ts";
import { sqliteError } from "./sqlite-errors.ts";
import { checkAccess, realFile } from "./sqlite-file.ts";

/** Options of {@link SqlitePersistence}. */
export interface SqlitePersistenceOptions extends Pick<BasePersistenceOptions, "storeData" | "codec"> {
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
  /** How much is remembered of what was read. */
  cache?: SqliteCacheOptions | undefined;
}

/**
 * How much {@link SqlitePersistence} remembers of what it has read, so that an update whose records did not change in the file
 * does not read them again. What it does not remember it reads.
 */
export interface SqliteCacheOptions {
  /** At most so many records. Default 10 000, at most 10 000 000: room for them is made at once. */
  maxRecords?: number | undefined;
  /** At most so many characters of text in all of them. Default 32 000 000. A longer record is read each time. */
  maxCharacters?: number | undefined;
}

/** In characters; a hundredth of it in records. */
const MOST_REMEMBERED = 1_000_000_000;

/**
 * Keeps everything in one SQLite file, with Node's own `node:sqlite`. Nothing is loaded at start. Others may read the
 * file while the bot runs: `select id, data->>'name' from user_data`.
 */
export class SqlitePersistence extends AtomicPersistence {
  readonly abilities: Abilities;
  readonly #path: string;
  readonly #ownerTimeout: number;
  readonly #cache: CurrentRecordsOptions;
  #open: OpenFile | undefined;

  constructor(options: SqlitePersistenceOptions) {
    const { path, durability = "disk", ownerTimeout = "10s", cache = {}, storeData, codec } = options;
    super({ storeData, codec });
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
    const { maxRecords = 10_000, maxCharacters = 32_000_000 } = cache;
    this.#cache = {
      maxRecords: bound(maxRecords, "cache.maxRecords", MOST_REMEMBERED / 100),
      maxCharacters: bound(maxCharacters, "cache.maxCharacters", MOST_REMEMBERED),
    };
    this.abilities = { atomic: true, durable: durability, shared: false, lazy: true };
  }

  /**
   * Takes the file for this process and opens it. A file that an older version of perdure has written is brought up to date.
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
      const durable = this.abilities.durable;
      this.#open = new OpenFile({ file, lock, durable, cache: this.#cache, open: options });
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.close();
  }

  read(keys: readonly RecordKey[]): readonly (KeptRecord | undefined)[] {
    return this.#using("read", ({ records }) => {
      for (const key of keys) checkKey(key);
      return records.read(keys);
    });
  }

  keys<Kind extends RecordKind>(kind: Kind, options: KeysOptions<Kind>): readonly KeyOf<Kind>[] {
    return this.#using("list the records of", ({ statements }) => {
      if (options.within !== undefined) checkName(options.within);
      if (options.after !== undefined) checkKey(options.after);
      return statements.keys(kind, options);
    });
  }

  earliest(kind: TimedKind, options: EarliestOptions): readonly TimedRecord[] {
    return this.#using("find the earliest records of", ({ statements }) => statements.earliest(kind, options));
  }

  accept(updates: readonly Update[]): readonly Acceptance[] {
    return this.#writing("accept updates in", (open) => updates.map((update) => open.accept(update)));
  }

  openUpdates({ after = 0, limit }: OpenUpdatesOptions): readonly InboxEntry[] {
    return this.#using("read the inbox of", (open) => open.openUpdates(after, limit));
  }

  sync(): MaybePromise<void> {
    const open = this.#opened("flush what was written to");
    if (open.transactions.isWithin) {
      throw new TypeError("sync() was called in exclusively(). What is written there is durable when that resolves.");
    }
    return open.flush("soon");
  }

  noteAttempts(updateId: number, attempts: number): MaybePromise<boolean> {
    const isOpen = this.#writing("note an attempt in", ({ statements, botId }) => {
      const { changes } = statements.noteAttempts.run(attempts, botId, updateId);
      return Number(changes) > 0;
    });
    const flushed = this.#flush();
    return flushed === undefined ? isOpen : flushed.then(() => isOpen);
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

  doneUpdates(): readonly DoneRange[] {
    return this.#using("read the done updates of", (open) => open.doneUpdates());
  }

  commit(units: readonly UnitCommit[]): MaybePromise<void> {
    this.#writing("commit to", (open) => open.write(units));
    this.#open?.records.committed(units.flatMap(({ changes }) => changes));
    return this.#flush();
  }

  /**
   * Keeps other programs from writing as long as `work` runs, and the rest of this one from using this object: a call that comes neither from `work` nor
   * from what it calls rejects with `PERDURE_BUSY`, but for `sync` and `close`. A commit in it that is refused is left out of the whole, if `work`
   * goes on all the same. Rejects also when everything was written and could not be flushed to the disk. There is one at a time: a call within
   * `work`, or while another one runs, rejects with a `TypeError`, since waiting for its own end would be for ever; likewise `sync` within it.
   */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const open = this.#opened("begin to write to");
    if (open.transactions.isExclusive) {
      throw new TypeError("exclusively() was called while another one runs. Do all of it in one, or await the first.");
    }
    this.#using("begin to write to", ({ transactions }) => transactions.beginExclusive());
    const { result, flushed } = await open.transactions.within(() => this.#inExclusive(open, work));
    await flushed;
    return result;
  }

  /** Does it, commits, and begins to flush before anybody else may use the file again. */
  async #inExclusive<T>(
    open: OpenFile,
    work: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly flushed: Promise<void> | undefined }> {
    try {
      const result = await work();
      if (this.#open !== open) throw this.#closed("commit to");
      this.#using("commit to", () => open.commitExclusive());
      return { result, flushed: open.flush("now") };
    } catch (error) {
      open.transactions.rollbackExclusive();
      throw error;
    } finally {
      open.forget();
    }
  }

  #using<T>(doing: string, use: (open: OpenFile) => T): T {
    const open = this.#opened(doing);
    const { transactions } = open;
    if (transactions.isExclusive && !transactions.isWithin) throw this.#busy(doing);
    try {
      transactions.requireNotLost();
      return use(open);
    } catch (error) {
      throw sqliteError(error, open.file, doing);
    }
  }

  #writing<T>(doing: string, write: (open: OpenFile) => T): T {
    return this.#using(doing, (open) => {
      try {
        return open.transaction(() => write(open));
      } catch (error) {
        open.forget();
        throw error;
      }
    });
  }

  /** What is part of a transaction that is open becomes durable with it. */
  #flush(): Promise<void> | undefined {
    return this.#open?.transactions.isExclusive === true ? undefined : this.#open?.flush("now");
  }

  #opened(doing: string): OpenFile {
    if (this.#open === undefined) throw this.#closed(doing);
    return this.#open;
  }

  #busy(doing: string): PerdureError {
    return new PerdureError(
      "PERDURE_BUSY",
      `Cannot ${doing} ${this.#path}: it is used exclusively. It will work when that has ended.`,
    );
  }

  #closed(doing: string): PerdureError {
    return new PerdureError("PERDURE_CLOSED", `Cannot ${doing} ${this.#path}: it is not open.`);
  }
}

function bound(value: number, option: string, most: number): number {
  if (Number.isSafeInteger(value) && value > 0 && value <= most) return value;
  throw new PerdureError(
    "PERDURE_INVALID_OPTION",
    `${option} is ${JSON.stringify(value)}: a whole number from 1 to ${most}.`,
  );
}
