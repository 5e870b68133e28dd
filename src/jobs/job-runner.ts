import { AsyncResource } from "node:async_hooks";
import type { RecordChange } from "../data/record.ts";
import type { Clock } from "../engine/clock.ts";
import type { Engine } from "../engine/engine.ts";
import type { Reporter } from "../engine/reporter.ts";
import { SERVICE_ACCOUNTS } from "../engine/scopes-of-update.ts";
import { isPerdureError } from "../errors.ts";
import type { JobDefinitions } from "./job-definitions.ts";
import type { JobHost } from "./job-host.ts";
import type { JobOwner } from "./job-record.ts";
import { JobWork, type DueJob } from "./job-work.ts";
import { ParkedJobs } from "./parked-jobs.ts";

/** What a runner needs. */
export interface JobRunnerOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly definitions: JobDefinitions;
  readonly host: JobHost;
  /** How often a run is begun that never ends. */
  readonly maxAttempts: number;
  /** How many jobs are in memory at the same time: those that run, or wait for their turn. */
  readonly most: number;
}

/**
 * It looks at least so often, in milliseconds: timers do not notice when the machine sleeps or its clock is put forward, nor when another program puts a
 * job into the file.
 */
const LONGEST_SLEEP = 10_000;

/** Of a chat and of a user so many are on their way at the same time: one runs, and the next one begins at once. Where few may run, one. */
const MOST_OF_ONE = 2;
const FEW = 4;

/** Of the jobs that wait for a chat or a user whose job runs, at most so many are passed over for those behind them. */
const MOST_PASSED = 1000;

/** Where they were passed over for nothing, it does not look behind them again for so long, in milliseconds. */
const PAUSE = 250;

/** Whoever makes a runner look may be in a unit of work; the runs are not. */
const outside = new AsyncResource("perdure.JobRunner");

/** A job of which nothing can be noted, not even that it has failed, is left alone for so long, in milliseconds. */
const REST = 60_000;

/**
 * Runs what is due. It knows the jobs that run, and when to look again; all others are where they are kept, and are found by an index, the earliest
 * first. Of a chat and of a user it has few at a time: the others would wait for their turn, and for a chat that hangs they would hold up everybody's.
 */
export class JobRunner {
  readonly #options: JobRunnerOptions;
  readonly #parked: ParkedJobs;
  readonly #listenNoMore: () => void;
  #work: JobWork | undefined;
  /** The chat and the user of each, by its id. */
  readonly #running = new Map<string, readonly string[]>();
  /** Those among them that are left alone, by their ids: what ends that. */
  readonly #resting = new Map<string, () => void>();
  #state: "waiting" | "started" | "stopped" = "waiting";
  #isLooking = false;
  #isWanted = false;
  /** So many more are read than there is room for, to find those behind others that are passed over. */
  #readAhead = 0;
  /** Until then nothing is read ahead. */
  #narrowUntil = -Infinity;
  #sleepsUntil = Infinity;
  #cancelTimer: (() => void) | undefined;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
    this.#parked = new ParkedJobs(options);
    options.engine.onCommitted((changes) => this.#hear(changes));
    this.#listenNoMore = options.definitions.onAdded(() => this.#bringBack());
  }

  /** Begins. Called again, or after the stop, it does nothing. */
  start(): void {
    if (this.#state !== "waiting") return;
    this.#state = "started";
    this.#work = new JobWork({ ...this.#options, parked: this.#parked, startedAt: this.#options.clock.now() });
    this.#bringBack();
    this.#look();
  }

  /** Begins no more runs. */
  stop(): void {
    this.#state = "stopped";
    this.#cancelTimer?.();
    this.#listenNoMore();
    for (const [id, cancel] of this.#resting) {
      cancel();
      this.#running.delete(id);
    }
  }

  /** The ids of the jobs that a stop has left. To be called when the engine has stopped. */
  async left(): Promise<readonly string[]> {
    // What has ended is known in the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    return [...this.#running.keys()];
  }

  #bringBack(): void {
    if (this.#state === "started") outside.runInAsyncScope(() => void this.#parked.bringBack());
  }

  #hear(changes: readonly RecordChange[]): void {
    for (const { key, record } of changes) {
      if (key.kind === "job" && record?.time !== undefined && record.time < this.#sleepsUntil) return this.#look();
    }
  }

  /** One look at a time. What is wished for during one is another one after it. */
  #look(): void {
    if (this.#state !== "started") return;
    this.#isWanted = true;
    if (!this.#isLooking) outside.runInAsyncScope(() => void this.#lookOn());
  }

  async #lookOn(): Promise<void> {
    this.#isLooking = true;
    try {
      while (this.#isWanted) {
        // What ends in this turn of the event loop is replaced at once.
        await new Promise((resolve) => setImmediate(resolve));
        if (this.#state !== "started") return;
        this.#isWanted = false;
        await this.#beginDue();
      }
    } catch (error) {
      if (isPerdureError(error, "PERDURE_STOPPED")) return;
      this.#options.reporter.report(error);
      if (isPerdureError(error, "PERDURE_UNSUPPORTED")) this.stop();
      else this.#sleep(LONGEST_SLEEP);
    } finally {
      this.#isLooking = false;
    }
  }

  async #beginDue(): Promise<void> {
    const { engine, clock, most } = this.#options;
    // Those that rest take no room, unless they are many.
    const room = Math.max(most - this.#running.size + Math.min(this.#resting.size, most), 0);
    const now = clock.now();
    // Those that run are still due, until their commit.
    const limit = this.#running.size + room + 1 + this.#readAhead;
    const page = await engine.records.earliest("job", { until: now + LONGEST_SLEEP, limit });
    if (this.#state !== "started") return;
    const waiting = page.filter(({ key }) => !this.#running.has(key.id));
    const due = waiting.filter((kept) => timeOf(kept) <= now);
    const free = this.#free(due);
    for (const kept of free.slice(0, room)) this.#begin(kept);
    const next = waiting[due.length];
    this.#sleep(next === undefined ? LONGEST_SLEEP : timeOf(next) - now);
    const isCut = next === undefined && page.length === limit && free.length < room;
    const ahead = new Set(page.slice(limit - this.#readAhead));
    if (isCut && this.#readAhead < MOST_PASSED && now >= this.#narrowUntil) this.#readOn(due.length - free.length);
    else if (this.#readAhead > 0 && !free.some((kept) => ahead.has(kept))) this.#readNoMore(now);
    if (isCut) this.#sleep(PAUSE);
  }

  /** Those of whose chat and user fewer than may be are on their way, and none was passed over that comes before them. */
  #free(due: readonly DueJob[]): readonly DueJob[] {
    const mostOfOne = this.#options.most < FEW ? 1 : MOST_OF_ONE;
    const counts = new Map<string, number>();
    const count = (owner: string, by: number): unknown => counts.set(owner, (counts.get(owner) ?? 0) + by);
    for (const owner of [...this.#running.values()].flat()) count(owner, 1);
    return due.filter((kept) => {
      const owners = this.#ownersOf(kept);
      const isFree = owners.every((owner) => (counts.get(owner) ?? 0) < mostOfOne);
      for (const owner of owners) count(owner, isFree ? 1 : mostOfOne);
      return isFree;
    });
  }

  /** All that was read is due, there is room, and some were passed over: others may stand behind them. */
  #readOn(passed: number): void {
    this.#readAhead = Math.min(2 * Math.max(passed, this.#readAhead), MOST_PASSED);
    this.#isWanted = true;
  }

  /** Nobody who can begin stands behind them. The jobs of one chat would read so many with each that ends. */
  #readNoMore(now: number): void {
    this.#readAhead = 0;
    this.#narrowUntil = now + PAUSE;
  }

  /** Whose turns its run takes. */
  #ownersOf(kept: DueJob): readonly string[] {
    const { chatId, userId } = this.#subjectOf(kept);
    const chat = chatId === undefined ? [] : [`chat ${this.#options.engine.chatId(chatId)}`];
    // Those that stand for everybody have no turn.
    return userId === undefined || SERVICE_ACCOUNTS.has(userId) ? chat : [...chat, `user ${userId}`];
  }

  #subjectOf(kept: DueJob): JobOwner {
    try {
      return this.#work?.subjectOf(kept) ?? kept.foundBy;
    } catch {
      // What is wrong with it is found when it runs.
      return kept.foundBy;
    }
  }

  #begin(kept: DueJob): void {
    const { id } = kept.key;
    this.#running.set(id, this.#ownersOf(kept));
    const end = (): void => {
      this.#running.delete(id);
      this.#resting.delete(id);
      this.#look();
    };
    this.#work?.run(kept).then(end, (error: unknown) => {
      if (isPerdureError(error, "PERDURE_STOPPED")) return end();
      // It is still due.
      this.#options.reporter.report(error);
      if (this.#state === "stopped") return end();
      this.#running.set(id, []);
      this.#resting.set(id, this.#options.clock.after(REST, end));
      this.#look();
    });
  }

  #sleep(milliseconds: number): void {
    const { clock } = this.#options;
    const pause = Math.min(milliseconds, LONGEST_SLEEP);
    this.#cancelTimer?.();
    this.#sleepsUntil = clock.now() + pause;
    this.#cancelTimer = clock.after(pause, () => this.#look());
  }
}

function timeOf({ foundBy }: DueJob): number {
  return foundBy.time ?? Infinity;
}
