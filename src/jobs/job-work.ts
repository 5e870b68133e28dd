import type { JobKey } from "../data/record.ts";
import type { Clock } from "../engine/clock.ts";
import type { Task } from "../engine/assignments.ts";
import type { Engine, Note } from "../engine/engine.ts";
import type { KeptValue } from "../engine/kept-value.ts";
import type { Reporter } from "../engine/reporter.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { PerdureError } from "../errors.ts";
import { endInstance, failForGood, hasInstances, putInstances } from "./instances.ts";
import { isInternal } from "./internal.ts";
import type { Defined, RunParty } from "./job-definition.ts";
import type { JobDefinitions } from "./job-definitions.ts";
import { boundTo, type JobHost } from "./job-host.ts";
import { copyOfJob, isSameChat, readableJob, readJob, writeJob, type JobOwner, type KeptJob } from "./job-record.ts";
import { Job } from "./job.ts";
import { unknownDefinition, type ParkedJobs } from "./parked-jobs.ts";
import { afterFailure, failed, failureOf, planRun, type PlannedRun, type RunPlan } from "./run-plan.ts";

/** What is needed to run jobs. */
export interface JobWorkOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly definitions: JobDefinitions;
  readonly parked: ParkedJobs;
  readonly host: JobHost;
  /** How often a run that an earlier process may have begun is begun, and never ends, before it is given up. */
  readonly maxAttempts: number;
  /** What was due by then may have been begun by an earlier process, and may have ended it. In milliseconds since 1970. */
  readonly startedAt: number;
}

/** A job that was due when it was listed. */
export type DueJob = KeptValue & { readonly key: JobKey };

/** A job that can be run. */
interface Ready {
  readonly job: KeptJob;
  readonly definition: Defined;
  readonly plan: RunPlan | undefined;
}

/** A run that has begun, for what follows if it fails. */
interface Begun {
  readonly run: PlannedRun;
  /** The job as it is after it. */
  readonly after: KeptJob | undefined;
  readonly definition: Defined;
  readonly job: Job;
  readonly instanceOf: string | undefined;
  /** The job's record as it was. */
  readonly text: string | undefined;
}

/** Does what is to be done about one job that is due. */
export class JobWork {
  readonly #options: JobWorkOptions;

  constructor(options: JobWorkOptions) {
    this.#options = options;
  }

  /** Runs it, if it still is due. A run that fails is reported and noted with the job; rejects when even that cannot be. */
  async run(due: DueJob): Promise<void> {
    const alone = this.#isSuspect(due) && (readableJob(due)?.begun ?? 0) > 0;
    let begun: Begun | undefined;
    try {
      await this.#inUnit(due, { alone, job: () => begun?.job }, async (unit, kept, note) => {
        // Another one may have been scheduled in its place, which no earlier process knows.
        begun = await this.#begin(unit, kept, this.#isSuspect(kept) ? note : undefined);
        if (begun === undefined) return;
        const { run, definition, job, instanceOf } = begun;
        await definition.handler({ unit, job, scheduledTime: new Date(run.scheduled), attempt: run.attempt });
        if (instanceOf !== undefined) await endInstance(unit, instanceOf);
      });
    } catch (error) {
      // Whatever fails after the engine was stopped fails because of it.
      if (begun === undefined || this.#options.engine.isStopped) throw error;
      this.#options.reporter.report(error, { job: begun.job });
      await this.#noteFailure(due, begun, error);
    }
  }

  /** Whose turns its run takes. */
  subjectOf(due: DueJob, party: RunParty | undefined = this.#partyOf(due)): JobOwner {
    const { chatId, userId } = due.foundBy;
    return { chatId: chatId ?? party?.chatId, userId: userId ?? party?.userId };
  }

  /** Whether an earlier process may have begun its run, and may have ended with it. */
  #isSuspect({ foundBy: { time = 0 } }: KeptValue): boolean {
    return time <= this.#options.startedAt;
  }

  /** Puts the job as it is after its next run. Nothing is to be run where that is all, or something is in the way. */
  async #begin(unit: UnitOfWork, kept: KeptValue, note: Note | undefined): Promise<Begun | undefined> {
    const { clock, parked, host, reporter } = this.#options;
    const { id } = kept.key as JobKey;
    const owner = ownerOf(kept);
    const now = clock.now();
    let ready: Ready;
    try {
      ready = this.#ready(kept, now);
    } catch (error) {
      await parked.park(unit, kept, error);
      return undefined;
    }
    const { job, definition, plan } = ready;
    const skipped = plan === undefined ? await putInstances(unit, kept, job, definition, now) : plan.skipped;
    if (skipped !== undefined) reporter.logger.warn(skippedRuns(id, job, skipped));
    if (plan === undefined) return undefined;
    const { run, after } = plan;
    if (run !== undefined && note !== undefined && !(await this.#noteBegun(unit, kept, run, note))) return undefined;
    const text = kept.current?.text;
    if (after === undefined) kept.drop();
    else writeJob(kept, after, owner);
    if (run === undefined) return undefined;
    const { instanceOf } = job;
    const content = { id: instanceOf ?? id, job: after, last: after ?? job, foundBy: { ...kept.foundBy, ...owner } };
    return { run, after, definition, job: new Job(boundTo(unit, host), content), instanceOf, text };
  }

  /** A job that is due with its definition, and the plan of its run; without one where its runs are jobs of their own. Throws what is in the way. */
  #ready(kept: KeptValue, now: number): Ready {
    // What a migration changes in place is not the record's before the job has begun.
    const stored = copyOfJob(kept);
    const definition = this.#options.definitions.get(stored.definition);
    if (definition === undefined) throw unknownDefinition(stored.definition);
    const job = migrated(stored, definition);
    return { job, definition, plan: hasInstances(job, definition) ? undefined : planRun(job, definition, now) };
  }

  async #noteFailure(due: DueJob, begun: Begun, error: unknown): Promise<void> {
    const { run, after, definition, instanceOf, text } = begun;
    const now = this.#options.clock.now();
    const pause = run.attempt < definition.attempts ? this.#pauseAfter(definition, run.attempt) : undefined;
    await this.#inUnit(due, { alone: false }, async (unit, kept) => {
      // Another one may have been scheduled in its place meanwhile.
      if (kept.loaded?.text !== text) return;
      const job = afterFailure(readJob(kept) as KeptJob, { run, after, error, pause, now });
      if (instanceOf === undefined || job.retry !== undefined) return writeJob(kept, job);
      await endInstance(unit, instanceOf, job.failure);
      kept.drop();
    });
  }

  #pauseAfter({ pauseAfter }: Defined, attempt: number): number | undefined {
    try {
      return pauseAfter(attempt);
    } catch (error) {
      this.#options.reporter.report(error);
      return undefined;
    }
  }

  /**
   * Notes, durably, that a run is begun which an earlier process may have begun already: it may be what ended that process. Answers whether it
   * may be; begun too often, the job has failed.
   */
  async #noteBegun(unit: UnitOfWork, kept: KeptValue, { scheduled }: PlannedRun, note: Note): Promise<boolean> {
    const { clock, reporter, host, maxAttempts } = this.#options;
    const job = readJob(kept) as KeptJob;
    const { begun = 0, instanceOf } = job;
    const owner = ownerOf(kept);
    if (begun < maxAttempts) {
      writeJob(kept, { ...job, begun: begun + 1 });
      await note({ key: kept.key, record: kept.current });
      return true;
    }
    const id = instanceOf ?? (kept.key as JobKey).id;
    const error = neverEnds(id, begun);
    const failure = failureOf(error, { scheduled, attempt: begun }, clock.now());
    const given = failed(job, failure);
    if (instanceOf === undefined) writeJob(kept, given);
    else {
      await failForGood(unit, instanceOf, failure);
      kept.drop();
    }
    reporter.report(error, { job: new Job(host, { id, job: given, last: given, foundBy: owner }) });
    return false;
  }

  #partyOf(due: DueJob): RunParty | undefined {
    const job = isInternal(due.key.id) ? readableJob(due) : undefined;
    return job && this.#options.definitions.get(job.definition)?.party?.(job.data);
  }

  /** Does something with the job's record, unless something else has become of it since it was found to be due. */
  async #inUnit(
    due: DueJob,
    options: Pick<Task, "alone" | "job">,
    work: (unit: UnitOfWork, kept: KeptValue, note: Note) => Promise<void>,
  ): Promise<void> {
    const { engine, clock } = this.#options;
    const { key } = due;
    const { chatId, userId } = due.foundBy;
    const party = this.#partyOf(due);
    const keys = [key, ...(party?.keys ?? [])];
    await engine.run({ name: `job ${key.id}`, ...this.subjectOf(due, party), keys, ...options }, async (unit, note) => {
      const kept = unit.known(key) as KeptValue;
      const { time, chatId: chatNow, userId: userNow } = kept.foundBy;
      const isTheSame = isSameChat(engine, chatId, chatNow) && userId === userNow;
      if (isTheSame && time !== undefined && time <= clock.now()) await work(unit, kept, note);
    });
  }
}

function ownerOf({ foundBy: { chatId, userId } }: KeptValue): JobOwner {
  return { chatId, userId };
}

/** With the data of the definition's version. */
function migrated(job: KeptJob, { version, migrate, name }: Defined): KeptJob {
  if (job.version === version) return job;
  if (job.version > version) throw newerJob(job, version);
  try {
    const data = migrate?.(job.data, job.version) ?? job.data;
    return { ...job, data, version };
  } catch (cause) {
    const message = `The data of a job of the definition "${name}" cannot be brought from version ${job.version} to ${version}. It is left as it is.`;
    throw new PerdureError("PERDURE_MIGRATION", message, { cause });
  }
}

function newerJob({ definition, version }: KeptJob, known: number): PerdureError {
  return new PerdureError(
    "PERDURE_NEWER_RECORD",
    `Jobs of the definition "${definition}" were kept by a newer version of this bot: their data is of version ${version}, this code knows ` +
      `${known}. They are left as they are, and run with the newer code.`,
  );
}

function neverEnds(id: string, attempts: number): PerdureError {
  return new PerdureError(
    "PERDURE_SET_ASIDE",
    `The job "${id}" was begun ${attempts} times and never ended, for instance because it ended the process. It is kept as failed: ` +
      'jobs({ state: "failed" }) lists it, and job.run() runs it once more.',
  );
}

function skippedRuns(id: string, { definition }: KeptJob, { first, last }: NonNullable<RunPlan["skipped"]>): string {
  const [from, to] = [first, last].map((moment) => new Date(moment).toISOString());
  const which = from === to ? `The run of ${from}` : `The runs from ${from} to ${to}`;
  return `${which} of the job ${definition}, id ${id}, came too late for its misfireGrace and was skipped.`;
}
