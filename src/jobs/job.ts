import type { KeptRecord } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import type { KeptValue } from "../engine/kept-value.ts";
import type { JobHost } from "./job-host.ts";
import { jobKey } from "./job-key.ts";
import { dueOf, isUnreadable, readJob, writeJob, type KeptJob } from "./job-record.ts";
import { firstRun } from "./schedule.ts";

/**
 * What a job does: `"scheduled"`, it waits for its next run, or runs; `"paused"`, see {@link Job.enabled}; `"failed"`, its last run has failed (one that
 * repeats goes on all the same, and has not failed any more when a run succeeds); `"unknown"`, it is due, and cannot be run: its definition is not
 * there; or it cannot be read, and then its name and its definition are empty.
 */
export type JobState = "scheduled" | "paused" | "failed" | "unknown";

/** Why the last run of a job failed. */
export interface JobError {
  /** The error's name and message. */
  readonly error: string;
  readonly at: Date;
  /** When the run was to be made. */
  readonly scheduledTime: Date;
  /** How often it was made. */
  readonly attempts: number;
}

/** What a job is made of. */
export interface JobContent {
  readonly id: string;
  /** As it was found; `undefined` once it is removed. */
  readonly job: KeptJob | undefined;
  /** As it was before it was removed, if it is. */
  readonly last: KeptJob;
  readonly foundBy: Pick<KeptRecord, "time" | "chatId" | "userId">;
}

/**
 * A job, as it was when it was asked for or scheduled: what has become of it since is not seen here. Its methods belong to the unit of work in which they
 * are called, and are real with its commit; elsewhere each is a commit of its own. They wait for a run of the job that goes on.
 *
 * In a run, `ctx.job` is the job as it is kept together with the run: its next time is that after this run. Its `data` may be changed in place, and what a job
 * that repeats has left there is there in its next run.
 */
export class Job<Data = unknown> {
  /** Names it: scheduling another job with the same id replaces it. */
  readonly id: string;
  /** Its chat, whose turn its runs take and whose data they have. After the migration of a group, the new one's. */
  readonly chatId: number | undefined;
  /** Its user, likewise. */
  readonly userId: number | undefined;
  readonly #host: JobHost;
  #last: KeptJob;
  readonly #isUnknown: boolean;
  #job: KeptJob | undefined;

  constructor(host: JobHost, { id, job, last, foundBy }: JobContent) {
    this.#host = host;
    this.id = id;
    this.chatId = foundBy.chatId;
    this.userId = foundBy.userId;
    this.#job = job;
    this.#last = last;
    const isParked = job !== undefined && foundBy.time === undefined && dueOf(job) !== undefined;
    this.#isUnknown = job === UNREADABLE || isParked;
  }

  /** What it was called when it was scheduled; by default as its definition. Several may have the same name. */
  get name(): string {
    return this.#last.name;
  }

  /** The name of its definition. */
  get definition(): string {
    return this.#last.definition;
  }

  /** What it was scheduled with. */
  get data(): Data {
    return this.#last.data as Data;
  }

  /** Its next run: `undefined` when it is paused, removed, or over. One that failed and is tried again: when that is. */
  get nextRunTime(): Date | undefined {
    const { paused, retry, next } = this.#job ?? {};
    const time = paused ? undefined : (retry?.at ?? next);
    return time === undefined ? undefined : new Date(time);
  }

  /** Whether it runs at its times. */
  get enabled(): boolean {
    return this.#last.paused !== true;
  }

  get state(): JobState {
    if (this.#isUnknown) return "unknown";
    const { paused, failure, retry } = this.#job ?? {};
    if (failure !== undefined && retry === undefined) return "failed";
    return paused ? "paused" : "scheduled";
  }

  /** Why its last run failed, also while that is tried again; `undefined` if it did not. */
  get failure(): JobError | undefined {
    const { failure } = this.#job ?? {};
    if (failure === undefined) return undefined;
    const { error, at, run, attempts } = failure;
    return { error, at: new Date(at), scheduledTime: new Date(run), attempts };
  }

  /** Whether it was removed by this object. */
  get removed(): boolean {
    return this.#job === undefined;
  }

  /** Removes it. A run that goes on ends first; in that run, it is the last one. Called again, it does nothing (PTB statement 186). */
  scheduleRemoval(): Promise<void> {
    return this.#host.join(`removing job ${this.id}`, async (unit) => {
      (await unit.open(jobKey(this.id))).drop();
      this.#job = undefined;
    });
  }

  /**
   * Pauses it, or lets it go on: a job that repeats at its next time from now on, a one-time job whose time has passed at once. Rejects with
   * `PERDURE_NO_JOB` if it is not there any more.
   */
  setEnabled(enabled: boolean): Promise<void> {
    return this.#change("pausing", (job) => {
      if (enabled !== (job.paused === true)) return job;
      if (!enabled) return { ...job, paused: true };
      const isRepeated = job.schedule.kind !== "once" && job.next !== undefined && job.retry === undefined;
      const next = isRepeated ? firstRun(job.schedule, this.#host.now()) : job.next;
      return next === undefined && isRepeated ? undefined : { ...job, next, paused: undefined };
    });
  }

  /**
   * Runs it once more, beside its schedule, as soon as this is committed; also if it is paused. The run is durable like every other. Where the last run has
   * failed it is that one that is made again, and if it succeeds, the job goes on as if it had not failed: a one-time job is over. Resolves when
   * that is settled, not when it has run. Rejects with `PERDURE_NO_JOB` if it is not there any more.
   */
  run(): Promise<void> {
    return this.#change("running", (job) => ({ ...job, requested: this.#host.now() }));
  }

  #change(what: string, change: (job: KeptJob) => KeptJob | undefined): Promise<void> {
    const { id } = this;
    return this.#host.join(`${what} job ${id}`, async (unit) => {
      const kept = await unit.open(jobKey(id));
      const job = readJob(kept);
      if (job === undefined) throw noJob(id);
      const changed = change(job);
      if (changed === undefined) kept.drop();
      else if (changed !== job) writeJob(kept, changed);
      this.#job = changed;
      this.#last = changed ?? job;
    });
  }
}

/** A record of a job as the object that users get; `undefined` where there is none. */
export function jobOf<Data>(host: JobHost, id: string, kept: KeptValue): Job<Data> | undefined {
  const job = readJob(kept);
  return job && new Job(host, { id, job, last: job, foundBy: kept.foundBy });
}

/** Likewise for a list: one record that cannot be read does not hide the others, and is to be found and removed. */
export function listedJob(host: JobHost, id: string, kept: KeptValue): Job | undefined {
  try {
    return jobOf(host, id, kept);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return new Job(host, { id, job: UNREADABLE, last: UNREADABLE, foundBy: kept.foundBy });
  }
}

/** What stands for a job that cannot be read, in a list. */
const UNREADABLE: KeptJob = { definition: "", name: "", schedule: { kind: "once", at: 0 }, version: 0 };

function noJob(id: string): PerdureError {
  return new PerdureError(
    "PERDURE_NO_JOB",
    `There is no job "${id}" any more: it was removed, or it is over. Schedule it anew.`,
  );
}
