import type { Duration } from "../data/duration.ts";
import { PerdureError } from "../errors.ts";
import { checkPattern } from "./cron-pattern.ts";
import {
  DAYS_OF_WEEK,
  firstRun,
  nextRun,
  type CronSchedule,
  type DailySchedule,
  type MonthlySchedule,
  type OnceSchedule,
  type RepeatingSchedule,
  type Schedule,
} from "./schedule.ts";
import { readTimeOfDay, type TimeOfDay } from "./time-of-day.ts";
import { checkZone } from "./wall-clock.ts";
import { asWritten, isTimeOfDay, momentOf, timeSpan, type When } from "./when.ts";

// What a user writes becomes a schedule here, and is checked: whatever is wrong is a `PERDURE_INVALID_OPTION` that says what to write. `now` is in
// milliseconds since 1970. A schedule that is over already is none of what is wrong (`firstRun` is undefined then): the same program, started
// again after `last`, must still start.

/** An end that every repeated job may have. */
export interface LastOption {
  /** After this moment there is no run; at it there may be one. A time of day is the first one after the first run. */
  readonly last?: When | undefined;
}

/** What a job that repeats is scheduled with. */
export interface RepeatingOptions extends LastOption {
  /** From one run to the next. A bare number below 1000 is refused, see {@link When}. */
  readonly interval: Duration;
  /** The first run. Default: `interval` from now. A date that is past counts as the beginning of the grid on which the runs are. */
  readonly first?: When | undefined;
}

/** What a daily job is scheduled with. */
export interface DailyOptions extends LastOption {
  readonly time: TimeOfDay;
  /** On which days: 0 is Sunday, 6 is Saturday. Default: all. */
  readonly days?: readonly number[] | undefined;
}

/** What a monthly job is scheduled with. */
export interface MonthlyOptions extends LastOption {
  readonly time: TimeOfDay;
  /** 1 to 31, or -1 for the last day of the month. A month that lacks the day is skipped. */
  readonly day: number;
}

/** What a job with a cron pattern is scheduled with. */
export interface CronOptions extends LastOption {
  /** Five fields (minute, hour, day of month, month, day of week), or six, with seconds first. See {@link CronSchedule}. */
  readonly pattern: string;
  /** The IANA name of the time zone. Default `"UTC"`. */
  readonly zone?: string | undefined;
}

/** One run, at a moment. A moment that is past is fine: the run is late. */
export function onceSchedule(when: When, now: number): OnceSchedule {
  return { kind: "once", at: momentOf(when, now, "when") };
}

/** Runs in an interval. */
export function repeatingSchedule(options: RepeatingOptions, now: number): RepeatingSchedule {
  const { interval, first = interval, last } = options;
  const every = timeSpan(interval, "interval");
  if (every === 0) throw invalid("interval is 0. Give a time span of at least one millisecond.");
  const anchor = momentOf(first, now, "first");
  const { written, ...bound } = boundOf(last, anchor, now);
  checkOrder(first, anchor, last, bound.last);
  const both = [asWritten(first, "first"), ...(written === undefined ? [] : [written])].join(" ");
  return { kind: "repeating", every, anchor, ...bound, written: both };
}

/** A run on each day, or on some days of the week. */
export function dailySchedule({ time, days = DAYS_OF_WEEK, last }: DailyOptions, now: number): DailySchedule {
  if (!Array.isArray(days) || days.length === 0 || !days.every((day) => DAYS_OF_WEEK.includes(day))) {
    throw invalid(`days is ${JSON.stringify(days)}. Give days of the week, from 0 (Sunday) to 6 (Saturday).`);
  }
  const ascending = [...new Set(days)].sort((a, b) => a - b);
  return bounded({ kind: "daily", ...readTimeOfDay(time, "time"), days: ascending }, last, now);
}

/** A run on one day of each month. */
export function monthlySchedule({ time, day, last }: MonthlyOptions, now: number): MonthlySchedule {
  if (day !== -1 && !(Number.isInteger(day) && day >= 1 && day <= 31)) {
    throw invalid(`day is ${JSON.stringify(day)}. Give a day from 1 to 31, or -1 for the last day of the month.`);
  }
  return bounded({ kind: "monthly", ...readTimeOfDay(time, "time"), day }, last, now);
}

/** Runs at what a cron pattern names. */
export function cronSchedule({ pattern, zone = "UTC", last }: CronOptions, now: number): CronSchedule {
  checkPattern(pattern);
  checkZone(zone, "pattern");
  const schedule: CronSchedule = { kind: "cron", pattern, zone };
  if (nextRun(schedule, 0) === undefined) throw invalid(`pattern is "${pattern}", which names no moment.`);
  return bounded(schedule, last, now);
}

function bounded<S extends DailySchedule | MonthlySchedule | CronSchedule>(
  schedule: S,
  last: When | undefined,
  now: number,
): S {
  return last === undefined ? schedule : { ...schedule, ...boundOf(last, firstRun(schedule, now) ?? now, now) };
}

function boundOf(last: When | undefined, first: number, now: number): Pick<Schedule, "last" | "written"> {
  if (last === undefined) return {};
  return { last: momentOf(last, isTimeOfDay(last) ? first : now, "last"), written: asWritten(last, "last") };
}

/**
 * PTB's rule, for what can only be a mistake: two time spans, or two dates. Which is first of a date and a time span depends on when the
 * program is started.
 */
function checkOrder(first: When, anchor: number, last: When | undefined, end: number | undefined): void {
  if (last === undefined || end === undefined || end >= anchor) return;
  if (first instanceof Date !== last instanceof Date || isTimeOfDay(first)) return;
  const moments = [anchor, end].map((moment) => new Date(moment).toISOString());
  throw invalid(`'last' must not be before 'first'! The first run would be at ${moments[0]}, last is ${moments[1]}.`);
}

function invalid(message: string): PerdureError {
  return new PerdureError("PERDURE_INVALID_OPTION", message);
}
