import { close, constants, fdatasync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs";
import { clearImmediate, setImmediate } from "node:timers";

/** Somebody who waits until what was written so far is on the disk. */
interface Waiting {
  readonly upTo: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a flush of the log needs. */
export interface LogFlushOptions {
  /** SQLite's log, which exists as long as the database is open. */
  readonly log: string;
  /** Does something while nobody writes to the log. Throws when somebody does now. */
  readonly withoutWriters: (work: () => void) => void;
}

/**
 * Where flushes take as long as this, in milliseconds, they go on in a thread, and the event loop goes on as well. To wait for quicker
 * ones costs less than to have a thread woken up.
 */
const QUICK = 1;

/** So much of the log is written again at once, in bytes. */
const PART = 2 ** 20;

/**
 * Brings what commits have written to SQLite's log to the disk. SQLite itself writes a commit without flushing it (`synchronous = normal`): that
 * alone survives every end of the process. One flush is for everything that was written before it began: for an update that was accepted
 * and what it has changed, where the handlers were quick; and for all that is committed while a slow disk flushes.
 *
 * After a flush that failed the system may take for flushed what is lost, and say so when it is asked again. So the log is written once more
 * before it is flushed again, and nothing new is written to it, or moved from it to the file, before that.
 */
export class LogFlush {
  readonly #options: LogFlushOptions;
  readonly #descriptor: number;
  /** How often something was written, and how much of that is on the disk. What was written before it was opened may not be. */
  #written = 1;
  #flushed = 0;
  #waiting: Waiting[] = [];
  #soon: NodeJS.Immediate | undefined;
  #isRunning = false;
  /** How long the last flush took, in milliseconds. */
  #lastTook = 0;
  #hasFailed = false;
  #isClosed = false;

  constructor(options: LogFlushOptions) {
    this.#options = options;
    // Windows flushes only what may be written.
    this.#descriptor = openSync(options.log, constants.O_RDWR);
  }

  /** Notes that something was written. */
  wrote(): void {
    this.#written += 1;
  }

  /** Resolves when everything that was written is on the disk; `undefined` when it is. Rejects with the system's error. */
  now(): Promise<void> | undefined {
    return this.#flush(() => this.#start());
  }

  /** The same for who has time: what is written in this turn of the event loop goes with it. */
  soon(): Promise<void> | undefined {
    return this.#flush(() => (this.#soon ??= setImmediate(() => this.#start())));
  }

  /** To be called before something is written: after a flush that failed, the log must be on the disk first. Throws while it is not. */
  mend(): void {
    if (!this.#hasFailed) return;
    this.#writeAgain();
    this.#succeed(this.#written);
  }

  /** Flushes what is not flushed. To be called before the database is closed, which may leave everything in the log. */
  close(): void {
    this.#isClosed = true;
    clearImmediate(this.#soon);
    if (this.#written !== this.#flushed) this.#here();
    if (!this.#isRunning) this.#closeLog();
  }

  #flush(start: () => void): Promise<void> | undefined {
    const upTo = this.#written;
    if (upTo === this.#flushed) return undefined;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ upTo, resolve, reject });
      start();
    });
  }

  #start(): void {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    if (this.#isRunning || this.#isClosed || this.#waiting.length === 0) return;
    if (this.#hasFailed || this.#lastTook < QUICK) this.#here();
    else this.#inThread();
  }

  #here(): void {
    const began = performance.now();
    try {
      if (this.#hasFailed) this.#writeAgain();
      else fdatasyncSync(this.#descriptor);
    } catch (error) {
      return this.#fail(error);
    }
    this.#lastTook = performance.now() - began;
    this.#succeed(this.#written);
  }

  #inThread(): void {
    const upTo = this.#written;
    const began = performance.now();
    this.#isRunning = true;
    fdatasync(this.#descriptor, (error) => {
      this.#isRunning = false;
      if (this.#isClosed) return this.#closeLog();
      if (error !== null) return this.#fail(error);
      this.#lastTook = performance.now() - began;
      this.#succeed(upTo);
      this.#start();
    });
  }

  #succeed(upTo: number): void {
    this.#hasFailed = false;
    this.#flushed = upTo;
    const isDurable = (waiting: Waiting): boolean => waiting.upTo <= upTo;
    const durable = this.#waiting.filter(isDurable);
    this.#waiting = this.#waiting.filter((waiting) => !isDurable(waiting));
    for (const { resolve } of durable) resolve();
  }

  /** What stands in the log is what the system has in memory, whatever of it is lost on the disk. */
  #writeAgain(): void {
    this.#options.withoutWriters(() => {
      const part = Buffer.alloc(PART);
      for (let position = 0; ;) {
        const length = readSync(this.#descriptor, part, 0, PART, position);
        if (length === 0) break;
        position += writeSync(this.#descriptor, part, 0, length, position);
      }
      fdatasyncSync(this.#descriptor);
    });
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #closeLog(): void {
    close(this.#descriptor, () => {});
  }
}
