import { isDeepStrictEqual } from "node:util";
import { wallTime } from "../data/wall-time.ts";
import { PerdureError } from "../errors.ts";
import { nextCronMoment } from "./cron-pattern.ts";
import { DAY, momentOfWallTime } from "./wall-clock.ts";

/**
 * When a job runs, as it is kept: plain JSON. Moments are whole milliseconds since 1970. `make-schedule.ts` makes them from what a user writes, and
 * checks it.
 *
 * **Daylight saving.** Daily and monthly runs: each day has one run. When clocks are put forward over its time, it is made
 * at the first moment after the gap (02:30 becomes 03:00, in Greenland 23:30 becomes midnight); when they are put back and its
 * time comes twice, it is made at the first. A day that a zone left out altogether (Samoa, 30 December 2011) has none. Repeating
 * ones count real time. Cron has the rules of Vixie cron: see {@link CronSchedule}.
 */
export type Schedule = OnceSchedule | RepeatingSchedule | DailySchedule | MonthlySchedule | CronSchedule;

interface Bounded {
  /** After this moment there is no run; at it there may be one. */
  readonly last?: number | undefined;
  /** How the moments were written that depend on when the job was scheduled, such as `"10m"`; see {@link sameSchedule}. */
  readonly written?: string | undefined;
}

/** One run. */
export interface OnceSchedule extends Bounded {
  readonly kind: "once";
  readonly at: number;
}

/** Runs at `anchor`, and every so many milliseconds after it. They keep this grid, however late one was made. */
export interface RepeatingSchedule extends Bounded {
  readonly kind: "repeating";
  /** In milliseconds, at least 1. */
  readonly every: number;
  readonly anchor: number;
}

/** What a clock shows. */
export interface ClockTime {
  /** 0 to 23. */
  readonly hour: number;
  /** 0 to 59. */
  readonly minute: number;
  /** 0 to 59. */
  readonly second: number;
}

/** One run on each day that is one of `days`. */
export interface DailySchedule extends Bounded {
  readonly kind: "daily";
  readonly time: ClockTime;
  /** 0 is Sunday, 6 is Saturday; ascending, at least one. */
  readonly days: readonly number[];
  /** The IANA name of the time zone. */
  readonly zone: string;
}

/** One run in each month that has the day. */
export interface MonthlySchedule extends Bounded {
  readonly kind: "monthly";
  readonly time: ClockTime;
  /** 1 to 31, or -1 for the last day of the month. */
  readonly day: number;
  /** The IANA name of the time zone. */
  readonly zone: string;
}

/**
 * Runs at the times that a cron pattern names, as the library croner reads it. Five fields: minute, hour, day of month, month, day of week; six: seconds
 * first; seven: the year last. A day of month together with a day of week means either of both (`+MON`: both).
 *
 * When clocks change, it is as in Vixie cron. A pattern of one time of day (one second, minute and hour): a time in the gap runs after the gap if that
 * is on the same day, a time that comes twice runs at the first. Any other pattern: what is in the gap is left out, what comes twice runs twice.
 */
export interface CronSchedule extends Bounded {
  readonly kind: "cron";
  readonly pattern: string;
  /** The IANA name of the time zone. */
  readonly zone: string;
}

/** The days of a week, from Sunday on. */
export const DAYS_OF_WEEK: readonly number[] = [0, 1, 2, 3, 4, 5, 6];

/** In how many days a day of the week comes, even if one of them is left out. */
const DAYS_TO_LOOK_AT = 15;

/** In how many months each day comes: the 31st may be missing in one, and may be left out in the next that has it. */
const MONTHS_TO_LOOK_AT = 6;

/**
 * The first run strictly after a moment; `undefined` when there is none. A schedule that cannot be followed (edited by hand, or with a zone that this system
 * does not know) is a `PERDURE_CANNOT_DECODE`, never an early end.
 */
export function nextRun(schedule: Schedule, after: number): number | undefined {
  const { last = Infinity } = schedule;
  const run = unboundedRun(schedule, after);
  if (run !== undefined && !(Number.isSafeInteger(run) && run > after && typeof last === "number")) {
    throw cannotFollow(schedule);
  }
  return run === undefined || run > last ? undefined : run;
}

/**
 * The run with which a job that is scheduled now begins: at `now` or after it. One that runs once begins at its moment, also when that is past:
 * it is late, and runs at once.
 */
export function firstRun(schedule: Schedule, now: number): number | undefined {
  return nextRun(schedule, schedule.kind === "once" ? -Infinity : now - 1);
}

/** The last run that is not after `until`, given one that is not (`run`). Takes some 40 steps, however many runs lie between. */
export function lastRun(schedule: Schedule, run: number, until: number): number {
  let last = run;
  let clearAfter = until;
  let probe = run;
  while (last < clearAfter) {
    const next = nextRun(schedule, probe);
    if (next !== undefined && next <= clearAfter) last = next;
    else clearAfter = probe;
    probe = Math.floor((last + clearAfter) / 2);
  }
  return last;
}

/**
 * Whether two schedules are the same to the user who wrote them. What was written as `"10m"` from now is another moment at each start of
 * the program and still the same schedule; a job that repeats goes on with its old grid then.
 */
export function sameSchedule(one: Schedule, other: Schedule): boolean {
  return isDeepStrictEqual(asWritten(one), asWritten(other));
}

function asWritten(schedule: Schedule): object {
  if (schedule.written === undefined) return schedule;
  const written: Record<string, unknown> = { ...schedule };
  delete written["anchor"];
  delete written["last"];
  return written;
}

function unboundedRun(schedule: Schedule, after: number): number | undefined {
  try {
    return runAfter(schedule, after);
  } catch (error) {
    throw cannotFollow(schedule, error);
  }
}

function cannotFollow(schedule: Schedule, cause?: unknown): PerdureError {
  const why = cause instanceof Error ? ` (${cause.message})` : "";
  const text = `The schedule ${JSON.stringify(schedule)} cannot be followed${why}.`;
  return new PerdureError("PERDURE_CANNOT_DECODE", text, { cause });
}

function runAfter(schedule: Schedule, after: number): number | undefined {
  switch (schedule.kind) {
    case "once":
      if (!Number.isSafeInteger(schedule.at)) throw new TypeError("there is no moment");
      return schedule.at > after ? schedule.at : undefined;
    case "repeating":
      return nextOnGrid(schedule, after);
    case "daily":
      return nextOfDays(daysOfWeek(schedule, after), schedule, after);
    case "monthly":
      return nextOfDays(daysOfMonths(schedule, after), schedule, after);
    case "cron":
      return nextCronMoment(schedule.pattern, schedule.zone, after);
    default:
      throw new TypeError("unknown kind");
  }
}

function nextOnGrid({ every, anchor }: RepeatingSchedule, after: number): number {
  return after < anchor ? anchor : anchor + (Math.floor((after - anchor) / every) + 1) * every;
}

/** Of days that ascend, the first whose run is after a moment. Days are numbers since 1970-01-01. */
function nextOfDays(days: Iterable<number>, { time, zone }: DailySchedule | MonthlySchedule, after: number): number {
  const timeOfDay = ((time.hour * 60 + time.minute) * 60 + time.second) * 1000;
  for (const day of days) {
    const moment = momentOfWallTime(day * DAY + timeOfDay, zone);
    if (moment !== undefined && moment > after) return moment;
  }
  throw new RangeError("there is no such day");
}

function* daysOfWeek({ days, zone }: DailySchedule, after: number): Generator<number> {
  const today = Math.floor(wallTime(after, zone) / DAY);
  for (let day = today; day < today + DAYS_TO_LOOK_AT; day += 1) {
    if (days.includes(new Date(day * DAY).getUTCDay())) yield day;
  }
}

function* daysOfMonths({ day, zone }: MonthlySchedule, after: number): Generator<number> {
  const today = new Date(wallTime(after, zone));
  for (let ahead = 0; ahead < MONTHS_TO_LOOK_AT; ahead += 1) {
    const end = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + ahead + 1, 0));
    const lastDay = end.getUTCDate();
    const wanted = day === -1 ? lastDay : day;
    if (wanted <= lastDay) yield end.getTime() / DAY - lastDay + wanted;
  }
}
