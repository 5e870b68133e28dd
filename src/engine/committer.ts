import { setImmediate } from "node:timers";
import type { AtomicPersistence, UnitCommit } from "../persistence/atomic-persistence.ts";
import { isPerdureError } from "../errors.ts";
import type { Clock } from "./clock.ts";

/** A done mark without changes waits for the next commit, at most so long, in milliseconds. */
const DONE_MARK_DELAY = 1000;

/**
 * So many of them wait for none but a commit that runs: one for all of a second in which much happens would hold up the event loop, and what waits is
 * no garbage yet.
 */
const MOST_DONE_MARKS = 256;

interface Waiting {
  readonly unit: UnitCommit;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What the committer needs of the engine. */
export interface CommitterOptions {
  readonly persistence: AtomicPersistence;
  readonly clock: Clock;
  /** Tries again what fails for now. */
  readonly retry: (commit: () => unknown) => Promise<unknown>;
  /** Whether there is one unit of work on its way and no other: nobody could share its commit. */
  readonly isAlone: () => boolean;
}

/**
 * Makes units of work durable, those that finish in the same turn of the event loop together. One commit runs at a time,
 * so nothing overtakes a commit that has to be tried again.
 */
export class Committer {
  readonly #options: CommitterOptions;
  #waiting: Waiting[] = [];
  #doneMarks: Waiting[] = [];
  #cancelTimer: (() => void) | undefined;
  /** Whether the done marks wait no longer. */
  #areMarksDue = false;
  #running: Promise<void> | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Resolves when the unit is durable. Rejects when it can never be, or when the engine was stopped before it was. */
  commit(unit: UnitCommit): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ unit, resolve, reject });
      this.#start();
    });
  }

  /** Like `commit`, for an update that changed nothing: with the next commit, when there are many of them, or a second later. */
  markDone(updateId: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#doneMarks.push({ unit: { changes: [], done: updateId }, resolve, reject });
      if (this.#doneMarks.length >= MOST_DONE_MARKS) this.#startWithMarks();
      else this.#cancelTimer ??= this.#options.clock.after(DONE_MARK_DELAY, () => this.#startWithMarks());
    });
  }

  /** Commits what waits, done marks included. */
  async flush(): Promise<void> {
    if (this.#doneMarks.length > 0) this.#startWithMarks();
    await this.#running;
  }

  #startWithMarks(): void {
    this.#areMarksDue = true;
    this.#start();
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What finishes in this turn of the event loop shares the commit.
    if (!this.#options.isAlone() && this.#waiting.length > 0) await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0 || this.#areMarksDue) await this.#commitAll();
    // At once, so that a commit that comes now starts anew.
    this.#running = undefined;
  }

  async #commitAll(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#areMarksDue = false;
    const waiting = [...this.#doneMarks.splice(0), ...this.#waiting.splice(0)];
    try {
      await this.#try(waiting.map(({ unit }) => unit));
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      const refused = waiting.length > 1 && isPerdureError(error, "PERDURE_REFUSED");
      if (refused) await this.#commitEach(waiting);
      else for (const { reject } of waiting) reject(error);
    }
  }

  /** After a refusal each goes alone, so that one that can't be kept takes no other with it. */
  async #commitEach(waiting: readonly Waiting[]): Promise<void> {
    for (const { unit, resolve, reject } of waiting) {
      try {
        await this.#try([unit]);
        resolve();
      } catch (error) {
        reject(error);
      }
    }
  }

  #try(units: readonly UnitCommit[]): Promise<unknown> {
    return this.#options.retry(() => this.#options.persistence.commit(units));
  }
}
