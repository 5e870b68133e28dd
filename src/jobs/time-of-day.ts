import { PerdureError } from "../errors.ts";
import type { ClockTime } from "./schedule.ts";
import { checkZone } from "./wall-clock.ts";

/** A time of day in parts. */
export interface TimeOfDayParts {
  /** 0 to 23. */
  readonly hour: number;
  /** 0 to 59. Default 0. */
  readonly minute?: number | undefined;
  /** 0 to 59. Default 0. */
  readonly second?: number | undefined;
  /** The IANA name of the time zone, such as `"Europe/Berlin"`. Default `"UTC"`, as in PTB. */
  readonly zone?: string | undefined;
}

type ClockText = `${number}:${number}` | `${number}:${number}:${number}`;

/** A time of day as text: `"02:30"`, `"02:30:15"`, in UTC, or with a time zone behind it: `"02:30 Europe/Berlin"`. */
export type TimeOfDayText = ClockText | `${ClockText} ${string}`;

/** A time of day on the clocks of a time zone. */
export type TimeOfDay = TimeOfDayParts | TimeOfDayText;

/** A {@link TimeOfDay} that was read. */
export interface ZonedTime {
  readonly time: ClockTime;
  readonly zone: string;
}

const TEXT = /^(\d{1,2}):(\d\d)(?::(\d\d))?(?: +(\S+))?$/;

/** Reads a time of day. `option` names it in the error that a wrong one gives (`PERDURE_INVALID_OPTION`). */
export function readTimeOfDay(timeOfDay: TimeOfDay, option: string): ZonedTime {
  const parts = typeof timeOfDay === "string" ? partsOf(timeOfDay) : timeOfDay;
  const { hour, minute = 0, second = 0, zone = "UTC" } = parts ?? { hour: NaN };
  if (!isOneOf(24, hour) || !isOneOf(60, minute) || !isOneOf(60, second)) throw invalid(timeOfDay, option);
  checkZone(zone, option);
  return { time: { hour, minute, second }, zone };
}

/** A time of day as text, always the same for the same one: `"02:30:15 Europe/Berlin"`. */
export function timeOfDayText({ time: { hour, minute, second }, zone }: ZonedTime): string {
  return `${[hour, minute, second].map((part) => String(part).padStart(2, "0")).join(":")} ${zone}`;
}

function partsOf(text: string): TimeOfDayParts | undefined {
  const [matched, hour, minute, second = 0, zone] = TEXT.exec(text) ?? [];
  if (matched === undefined) return undefined;
  return { hour: Number(hour), minute: Number(minute), second: Number(second), zone };
}

function isOneOf(count: number, value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < count;
}

function invalid(timeOfDay: unknown, option: string): PerdureError {
  return new PerdureError(
    "PERDURE_INVALID_OPTION",
    `${option} is ${JSON.stringify(timeOfDay)}, which is no time of day. Give text such as "02:30", "02:30:15" or ` +
      `"02:30 Europe/Berlin", or { hour: 2, minute: 30, zone: "Europe/Berlin" }. Hours go from 0 to 23.`,
  );
}
