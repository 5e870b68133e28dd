/** When a job runs: once, in an interval, each day at six, at each full hour, on the last day of each month at six, all in UTC. */
export type Rhythm = "once" | `every ${number}` | "daily" | "cron" | "monthly";

/** A job as the model knows it. Moments are milliseconds since 1970. */
export interface JobState {
  readonly definition: JobDefinitionName;
  readonly rhythm: Rhythm;
  /** Of a job that runs once, when; of one that runs in an interval, a moment of its grid. */
  readonly anchor?: number | undefined;
  readonly data: unknown;
  readonly chat?: number | undefined;
  readonly user?: number | undefined;
  /** The earliest run that was not made; none once it has failed for good. */
  readonly next?: number | undefined;
  /** The run has failed so often, and is made again at this moment. */
  readonly retryAt?: number | undefined;
  readonly retried?: number | undefined;
  /** The last run that failed. */
  readonly failed?: number | undefined;
  /** How often a run was begun that may have ended the process. */
  readonly begun?: number | undefined;
}

/** Of the first, what fails is over; of the second, each run is made twice at most. */
export const JOB_DEFINITIONS = ["plain", "retried"] as const;
/** Or the job that ends a conversation, which is made twice at most, too. */
export type JobDefinitionName = (typeof JOB_DEFINITIONS)[number] | "timeout";

/** What the keys of jobs begin with. */
export const JOB = "job:";

/** After a run that has failed, and how often it is made: of jobs that are `retried`. In milliseconds. */
export const RETRY_PAUSE = 90_000;
export const RETRY_ATTEMPTS = 2;

const [HOUR, DAY] = [3_600_000, 86_400_000];
const SIX = 6 * HOUR;

/** A job as text, the same for the same. */
export function jobText(job: JobState): string {
  const { definition, rhythm, anchor, data, chat, user, next, retryAt, retried, failed, begun } = job;
  return JSON.stringify({ definition, rhythm, anchor, data, chat, user, next, retryAt, retried, failed, begun });
}

export function jobOf(text: string | undefined): JobState | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as JobState);
}

/**
 * A record as it is to be found by now. A job that was given to a chat while that moved may still name its old id, which stands for the
 * new one.
 */
export function textNow(
  key: string,
  text: string | undefined,
  aliases: ReadonlyMap<number, number>,
): string | undefined {
  const job = key.startsWith(JOB) ? jobOf(text) : undefined;
  const moved = job?.chat === undefined ? undefined : aliases.get(job.chat);
  return job === undefined || moved === undefined ? text : jobText({ ...job, chat: moved });
}

/** When something is to be done about it; never, once it has failed for good. */
export function dueOf({ next, retryAt }: JobState): number {
  return retryAt ?? next ?? Infinity;
}

/** A new job that begins now. */
export function newJob(
  wanted: Pick<JobState, "definition" | "rhythm" | "data" | "chat" | "user">,
  delay: number,
  now: number,
): JobState {
  const { rhythm } = wanted;
  const anchor = rhythm === "once" || rhythm.startsWith("every") ? now + delay : undefined;
  return { ...wanted, anchor, next: anchor ?? nextAfter({ rhythm }, now - 1) };
}

/** What a job is after its run that was due, and for which moment that is. */
export function afterRun(job: JobState, now: number): { readonly scheduled: number; readonly after?: JobState } {
  const { definition, rhythm, anchor, data, chat, user, next = 0, retryAt } = job;
  let scheduled = next;
  for (let later = nextAfter(job, next); retryAt === undefined && later !== undefined && later <= now;) {
    scheduled = later;
    later = nextAfter(job, later);
  }
  const following = nextAfter(job, scheduled);
  if (following === undefined) return { scheduled };
  return { scheduled, after: { definition, rhythm, anchor, data, chat, user, next: following } };
}

/** What a job is after a run for `scheduled` has failed for the so many-th time. */
export function afterFailure(job: JobState, scheduled: number, attempt: number, now: number): JobState {
  const { definition, rhythm, anchor, data, chat, user } = job;
  const kept = { definition, rhythm, anchor, data, chat, user, failed: scheduled };
  if (definition !== "plain" && attempt < RETRY_ATTEMPTS) {
    const pause = definition === "retried" ? RETRY_PAUSE : 0;
    return { ...kept, next: scheduled, retryAt: now + pause, retried: attempt };
  }
  return { ...kept, next: nextAfter(job, scheduled) };
}

/** What a job is whose run that is due was begun too often. */
export function givenUp(job: JobState, now: number): JobState {
  const { definition, rhythm, anchor, data, chat, user } = job;
  return { definition, rhythm, anchor, data, chat, user, failed: afterRun(job, now).scheduled };
}

function nextAfter({ rhythm, anchor = 0 }: Pick<JobState, "rhythm" | "anchor">, moment: number): number | undefined {
  if (rhythm === "once") return undefined;
  if (rhythm === "daily") return onGrid(SIX, DAY, moment);
  if (rhythm === "cron") return onGrid(0, HOUR, moment);
  if (rhythm !== "monthly") return onGrid(anchor, Number(rhythm.slice("every ".length)), moment);
  const date = new Date(moment);
  const ends = [1, 2].map((later) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later, 0) + SIX);
  return ends.find((end) => end > moment);
}

function onGrid(anchor: number, every: number, moment: number): number {
  return anchor + Math.max(0, Math.floor((moment - anchor) / every) + 1) * every;
}
