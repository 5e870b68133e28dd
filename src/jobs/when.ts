import { milliseconds, type Duration } from "../data/duration.ts";
import { PerdureError } from "../errors.ts";
import { DAYS_OF_WEEK, nextRun } from "./schedule.ts";
import { readTimeOfDay, timeOfDayText, type TimeOfDay, type ZonedTime } from "./time-of-day.ts";

/**
 * A moment, in the forms that PTB takes:
 *
 * - a time span from now: a number of milliseconds, or text such as `"10m"`. (A number below 1000, other than 0, is refused: PTB's numbers
 *   are seconds. Write `"500ms"` or `"30s"`.)
 * - a `Date`, which may be past
 * - a time of day: `"02:30"`, `"02:30:15"`, `"02:30 Europe/Berlin"` or `{ hour: 2, minute: 30, zone: "Europe/Berlin" }`; in UTC unless it says another
 *   zone. Today, or tomorrow if it is past or just now.
 */
export type When = Duration | Date | TimeOfDay;

/**
 * The moment that is meant, in whole milliseconds since 1970. `option` names it in the error that a wrong one gives (`PERDURE_INVALID_OPTION`).
 */
export function momentOf(when: When, now: number, option: string): number {
  if (when instanceof Date) return momentOfDate(when, option);
  if (isTimeOfDay(when)) return nextAtTimeOfDay(readTimeOfDay(when, option), now);
  const moment = now + timeSpan(when, option);
  if (isMoment(moment)) return moment;
  throw noMoment(when, option);
}

/** How it was written, with what means the same written the same: `"+600000"`, `"02:30:00 UTC"`, `"2030-01-01T00:00:00.000Z"`. */
export function asWritten(when: When, option: string): string {
  if (when instanceof Date) return new Date(momentOfDate(when, option)).toISOString();
  if (isTimeOfDay(when)) return timeOfDayText(readTimeOfDay(when, option));
  return `+${timeSpan(when, option)}`;
}

/** A time span in whole milliseconds. A bare number below 1000 that is not 0 is refused: it is likely to be meant as seconds. */
export function timeSpan(span: Duration, option: string): number {
  const value = Math.round(milliseconds(span, option));
  if (typeof span !== "number" || value === 0 || value >= 1000) return value;
  throw new PerdureError(
    "PERDURE_INVALID_OPTION",
    `${option} is ${span}: a number counts milliseconds; write "${span}s" for seconds or "${span}ms" for milliseconds.`,
  );
}

/** Whether it is a time of day: another moment each day. */
export function isTimeOfDay(when: When): when is TimeOfDay {
  if (typeof when === "string") return when.includes(":");
  return typeof when === "object" && when !== null && !(when instanceof Date);
}

function nextAtTimeOfDay(zonedTime: ZonedTime, now: number): number {
  return nextRun({ kind: "daily", ...zonedTime, days: DAYS_OF_WEEK }, now) as number;
}

function momentOfDate(date: Date, option: string): number {
  const moment = date.getTime();
  if (isMoment(moment)) return moment;
  throw noMoment(String(date), option);
}

function isMoment(moment: number): boolean {
  return !Number.isNaN(new Date(moment).getTime());
}

function noMoment(when: unknown, option: string): PerdureError {
  return new PerdureError("PERDURE_INVALID_OPTION", `${option} is ${JSON.stringify(when)}, which is no moment.`);
}
