import type { MaybePromise } from "../../data/maybe-promise.ts";
import type { Contents } from "./contents.ts";
import type { Writer } from "./writer.ts";

/** Where the time comes from. Times are in milliseconds. */
export interface IntervalClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls once after so many milliseconds. What is returned takes it back. */
  after(milliseconds: number, call: () => void): () => void;
}

/** What a {@link Schedule} works on. */
export interface ScheduleOptions {
  readonly clock: IntervalClock;
  /** How long after one writing the next begins; 0 for one after each commit. */
  readonly interval: number;
  readonly writer: Writer;
  readonly contents: Contents;
}

/** The pauses before what has failed is tried again, for an interval of 0: the first, doubled each time, up to the last. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60_000;

/** When what is unwritten is written: at each interval, or after each commit. */
export class Schedule {
  readonly #options: ScheduleOptions;
  #cancel: (() => void) | undefined;
  #pause = FIRST_PAUSE;
  #isHeld = false;
  #isStopped = false;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    if (options.interval > 0) this.#in(options.interval);
  }

  /** After a commit. With an interval of 0 it resolves when its changes were tried to be written. */
  committed(): MaybePromise<void> {
    const { interval, contents } = this.#options;
    if (interval > 0 || this.#isHeld || contents.unwritten.size === 0) return;
    return this.#writeThrough();
  }

  /** Nothing is written until {@link Schedule.release}. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  async #writeThrough(): Promise<void> {
    const { writer, contents } = this.#options;
    await writer.write("changed");
    if (this.#cancel === undefined && contents.unwritten.hasFailed) this.#in(this.#pause);
  }

  #in(milliseconds: number): void {
    if (this.#isStopped) return;
    this.#cancel = this.#options.clock.after(milliseconds, () => void this.#due());
  }

  async #due(): Promise<void> {
    const { interval, writer, contents } = this.#options;
    if (!this.#isHeld) await writer.write("all");
    this.#cancel = undefined;
    if (interval > 0) return this.#in(interval);
    if (!contents.unwritten.hasFailed) return void (this.#pause = FIRST_PAUSE);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    this.#in(this.#pause);
  }
}
