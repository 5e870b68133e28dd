import { lastRun, nextRun, type Schedule } from "./schedule.ts";

/** What {@link dueRuns} goes by. Times are in milliseconds since 1970, spans in milliseconds. */
export interface DueRunsOptions {
  readonly schedule: Schedule;
  /** The earliest run that was not made: `next` of the call before. */
  readonly due: number;
  readonly now: number;
  /** A run that is later than this is skipped. `undefined`: however late, it is made. */
  readonly misfireGrace?: number | undefined;
  /** Whether several runs that were missed become one. */
  readonly coalesce: boolean;
  /** How many runs may begin now: `maxInstances` without those that are running. */
  readonly most: number;
}

/** What is to be done about a job now. */
export interface DueRuns {
  /** The scheduled times of the runs to make now, ascending. */
  readonly runs: readonly number[];
  /** When the job is due after these; not after `now` when some had to stay for later. `undefined`: it is over. */
  readonly next: number | undefined;
  /** The first and the last run that is skipped, since it is too late for it. */
  readonly skipped?: { readonly first: number; readonly last: number } | undefined;
}

/**
 * Which runs of a job are to be made now, after however long a time in which nobody looked: APScheduler's `misfire_grace_time`, `coalesce` and
 * `max_instances`. Runs are told by their scheduled times.
 *
 * - With `coalesce`, all runs that were missed become one, the last of them.
 * - Without it each is made, the earliest first, at most `most` now. The others stay due. (APScheduler drops what
 *   finds no free instance; here nothing is dropped but for being later than `misfireGrace`.)
 * - `next` is after every run that was given or skipped, so a clock that is put back repeats nothing: the job waits until its next time comes.
 * - A schedule's `last` bounds the scheduled times. What was due before it is made after it too.
 */
export function dueRuns(options: DueRunsOptions): DueRuns {
  const { due, now, most } = options;
  if (due > now || most < 1) return { runs: [], next: due };
  return options.coalesce ? coalesced(options) : eachOne(options);
}

function coalesced({ schedule, due, now, misfireGrace = Infinity }: DueRunsOptions): DueRuns {
  const last = lastRun(schedule, due, now);
  const next = nextRun(schedule, last);
  return now - last <= misfireGrace ? { runs: [last], next } : { runs: [], next, skipped: { first: due, last } };
}

function eachOne({ schedule, due, now, misfireGrace = Infinity, most }: DueRunsOptions): DueRuns {
  const tooLate = now - due <= misfireGrace ? undefined : lastRun(schedule, due, Math.ceil(now - misfireGrace) - 1);
  const runs: number[] = [];
  let next = tooLate === undefined ? due : nextRun(schedule, tooLate);
  while (next !== undefined && next <= now && runs.length < most) {
    runs.push(next);
    next = nextRun(schedule, next);
  }
  return { runs, next, ...(tooLate === undefined ? {} : { skipped: { first: due, last: tooLate } }) };
}
