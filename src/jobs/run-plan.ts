import type { Defined } from "./job-definition.ts";
import type { JobFailure, KeptJob } from "./job-record.ts";
import { dueRuns, type DueRuns } from "./misfire.ts";
import { nextRun } from "./schedule.ts";

/** What is to be done about a job that is due. */
export interface RunPlan {
  /** The run to make now; `undefined` when all that were due are skipped. */
  readonly run: PlannedRun | undefined;
  /** The job as it is kept together with what the run changes; `undefined`: it is over. */
  readonly after: KeptJob | undefined;
  readonly skipped?: DueRuns["skipped"];
}

/** One run. */
export interface PlannedRun {
  /** When it was to be made, in milliseconds since 1970. */
  readonly scheduled: number;
  /** Which attempt it is, from 1 on. */
  readonly attempt: number;
  /** Whether it was asked for, beside the schedule. */
  readonly isRequested: boolean;
}

/** What of a definition the plans go by. */
export type PlanOptions = Pick<Defined, "misfireGrace" | "coalesce">;

/** Plans the run of a job that is due at `now`. */
export function planRun(job: KeptJob, options: PlanOptions, now: number): RunPlan {
  if (job.requested !== undefined) return requestedRun(job, job.requested, now);
  const { next, retry } = job;
  if (next === undefined) return { run: undefined, after: job };
  if (retry !== undefined) {
    return {
      run: { scheduled: next, attempt: retry.failed + 1, isRequested: false },
      after: settled(job, nextRun(job.schedule, next)),
    };
  }
  const due = dueRuns({ ...options, schedule: job.schedule, due: next, now, most: 1 });
  const [scheduled] = due.runs;
  return {
    run: scheduled === undefined ? undefined : { scheduled, attempt: 1, isRequested: false },
    // Skipping runs is no success.
    after: settled(job, due.next, scheduled === undefined ? job.failure : undefined),
    ...(due.skipped === undefined ? {} : { skipped: due.skipped }),
  };
}

/** What becomes of a job whose run has failed: with a `pause`, in milliseconds, it is made again after that. */
export function afterFailure(job: KeptJob, { run, after, error, pause, now }: FailedRun): KeptJob {
  const failure = failureOf(error, run, now);
  if (run.isRequested) return { ...job, requested: undefined, begun: undefined, failure };
  if (pause === undefined) return { ...failed(job, failure), next: after?.next };
  return { ...job, next: run.scheduled, retry: { at: now + pause, failed: run.attempt }, failure, begun: undefined };
}

/** A run that has failed. */
export interface FailedRun {
  readonly run: PlannedRun;
  /** The job as it would have been after it. */
  readonly after: KeptJob | undefined;
  readonly error: unknown;
  readonly pause: number | undefined;
  readonly now: number;
}

/** A job that does not run any more by itself. */
export function failed(job: KeptJob, failure: JobFailure): KeptJob {
  return { ...job, failure, next: undefined, retry: undefined, requested: undefined, begun: undefined };
}

export function failureOf(
  error: unknown,
  { scheduled, attempt }: Omit<PlannedRun, "isRequested">,
  now: number,
): JobFailure {
  return { error: textOf(error).slice(0, LONGEST_ERROR), at: now, run: scheduled, attempts: attempt };
}

function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    // Anything can be thrown, also what is no text.
    return "something that has no text";
  }
}

/** So much of an error's text is kept, in characters. */
const LONGEST_ERROR = 1000;

/** A run beside the schedule. If one has failed, it is that one that is made again. */
function requestedRun(job: KeptJob, requested: number, now: number): RunPlan {
  const { next, retry, failure, schedule } = job;
  const isAgain = next === undefined || retry !== undefined;
  const run = { scheduled: isAgain ? (failure?.run ?? requested) : requested, attempt: 1, isRequested: true };
  if (!isAgain) return { run, after: settled(job, next) };
  return { run, after: settled(job, nextRun(schedule, schedule.kind === "once" ? schedule.at : (next ?? now))) };
}

/** Without anything that belongs to the run that is over. */
function settled(job: KeptJob, next: number | undefined, failure?: JobFailure): KeptJob | undefined {
  const isOver = next === undefined;
  return isOver ? undefined : { ...job, next, failure, retry: undefined, requested: undefined, begun: undefined };
}
