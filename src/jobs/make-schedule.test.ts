import { describe, expect, test } from "vitest";
import { withCode } from "../../test/support/with-code.ts";
import {
  cronSchedule,
  dailySchedule,
  monthlySchedule,
  onceSchedule,
  repeatingSchedule,
  type CronOptions,
  type DailyOptions,
  type RepeatingOptions,
} from "./make-schedule.ts";
import { firstRun, sameSchedule } from "./schedule.ts";

const utc = (text: string): number => Date.parse(`${text}Z`);
const MINUTE = 60_000;

/** A Saturday. */
const NOW = utc("2026-11-21T12:00");

function refused(make: () => unknown, message: string): void {
  expect(make).toThrow(withCode("PERDURE_INVALID_OPTION"));
  expect(make).toThrow(message);
}

describe("onceSchedule", () => {
  test("PTB 179: the moment of its run", () => {
    expect(onceSchedule("10m", NOW)).toEqual({ kind: "once", at: NOW + 10 * MINUTE });
    expect(onceSchedule("13:00", NOW)).toEqual({ kind: "once", at: NOW + 60 * MINUTE });
  });

  test("PTB 187: a moment that is past is a late run, and not none", () => {
    const schedule = onceSchedule(new Date(NOW - MINUTE), NOW);
    expect(firstRun(schedule, NOW)).toBe(NOW - MINUTE);
  });

  test("the same moment is the same schedule; a time span begins anew each time", () => {
    expect(sameSchedule(onceSchedule("13:00", NOW), onceSchedule("13:00", NOW + MINUTE))).toBe(true);
    expect(sameSchedule(onceSchedule("10m", NOW), onceSchedule("10m", NOW + MINUTE))).toBe(false);
  });
});

describe("repeatingSchedule", () => {
  const first = (options: RepeatingOptions): number | undefined => firstRun(repeatingSchedule(options, NOW), NOW);

  test("PTB 180: the first run is one interval from now", () => {
    expect(first({ interval: "10m" })).toBe(NOW + 10 * MINUTE);
  });

  test("PTB 180: or at `first`", () => {
    expect(first({ interval: "10m", first: 0 })).toBe(NOW);
    expect(first({ interval: "10m", first: "30s" })).toBe(NOW + 30_000);
    expect(first({ interval: "10m", first: "09:00" })).toBe(utc("2026-11-22T09:00"));
  });

  test("a `first` that is past is where the grid begins", () => {
    expect(first({ interval: "10m", first: new Date(NOW - 14 * MINUTE) })).toBe(NOW + 6 * MINUTE);
  });

  test("PTB 180: `last` before `first` is an error, at it is one run", () => {
    const words = "'last' must not be before 'first'!";
    refused(() => repeatingSchedule({ interval: "10m", first: "2m", last: "1m" }, NOW), words);
    refused(() => repeatingSchedule({ interval: "10m", last: "9m" }, NOW), words);
    const [early, late] = [new Date(NOW - 2 * MINUTE), new Date(NOW - MINUTE)];
    refused(() => repeatingSchedule({ interval: "10m", first: late, last: early }, NOW), words);
    refused(
      () => repeatingSchedule({ interval: "10m", first: "2m", last: "1m" }, NOW),
      "The first run would be at 2026-11-21T12:02:00.000Z, last is 2026-11-21T12:01:00.000Z.",
    );
    const once = repeatingSchedule({ interval: "10m", first: "2m", last: "2m" }, NOW);
    expect(firstRun(once, NOW)).toBe(NOW + 2 * MINUTE);
    expect(firstRun(once, NOW + 2 * MINUTE + 1)).toBeUndefined();
  });

  test("a `last` that is past by now is no error: the program must still start, and the job is over", () => {
    const past = new Date(NOW - MINUTE);
    expect(first({ interval: "10m", last: past })).toBeUndefined();
    expect(first({ interval: "10m", first: "2m", last: past })).toBeUndefined();
    expect(first({ interval: "10m", first: "19:00", last: "2h" })).toBeUndefined();
    expect(first({ interval: "10m", first: new Date(NOW + MINUTE), last: 0 })).toBeUndefined();
  });

  test("a time of day as `last` is the first one after the first run", () => {
    const options: RepeatingOptions = { interval: "10m", first: "19:00", last: "22:00" };
    const tonight = { anchor: utc("2026-11-21T19:00"), last: utc("2026-11-21T22:00") };
    const tomorrow = { anchor: utc("2026-11-22T19:00"), last: utc("2026-11-22T22:00") };
    expect(repeatingSchedule(options, NOW)).toMatchObject(tonight);
    expect(repeatingSchedule(options, utc("2026-11-21T20:00"))).toMatchObject(tomorrow);
  });

  test("PTB 190: what is scheduled at every start is the same schedule, as long as it is written the same", () => {
    const made = (now: number, options: Partial<RepeatingOptions> = {}) =>
      repeatingSchedule({ interval: "10m", ...options }, now);
    const later = NOW + MINUTE;
    expect(sameSchedule(made(NOW), made(later))).toBe(true);
    expect(sameSchedule(made(NOW, { last: "2h" }), made(later, { last: "2h" }))).toBe(true);
    expect(sameSchedule(made(NOW, { first: "09:00" }), made(later, { first: "9:00 UTC" }))).toBe(true);
    expect(sameSchedule(made(NOW), made(later, { interval: "11m" }))).toBe(false);
    expect(sameSchedule(made(NOW), made(later, { first: "5m" }))).toBe(false);
    expect(sameSchedule(made(NOW), made(later, { last: "2h" }))).toBe(false);
    expect(sameSchedule(made(NOW, { first: new Date(later) }), made(NOW, { first: new Date(NOW) }))).toBe(false);
  });

  test("an interval that is none is refused", () => {
    refused(() => repeatingSchedule({ interval: 0 }, NOW), "interval is 0");
    refused(() => repeatingSchedule({ interval: "0.2ms" }, NOW), "interval is 0");
    refused(() => repeatingSchedule({ interval: 60 }, NOW), `write "60s" for seconds`);
    refused(() => repeatingSchedule({ interval: "often" as never }, NOW), `interval is "often", which is no time span`);
    refused(() => repeatingSchedule({ interval: "09:00" as never }, NOW), `interval is "09:00", which is no time span`);
  });
});

describe("dailySchedule", () => {
  test("PTB 181: every day, or some days of the week from 0 (Sunday) to 6", () => {
    const time = { hour: 8, minute: 30, second: 0 };
    expect(dailySchedule({ time: "08:30" }, NOW)).toEqual({
      kind: "daily",
      time,
      zone: "UTC",
      days: [0, 1, 2, 3, 4, 5, 6],
    });
    expect(dailySchedule({ time: "08:30 Europe/Berlin", days: [5, 1, 5] }, NOW)).toEqual({
      kind: "daily",
      time,
      zone: "Europe/Berlin",
      days: [1, 5],
    });
  });

  test.each([[[]], [[7]], [[-1]], [[1.5]], [["1"]], ["mon"], [3]])("days %o are refused", (days) => {
    refused(() => dailySchedule({ time: "08:30", days: days as never }, NOW), `days is ${JSON.stringify(days)}`);
  });

  test("a time, a zone and an end that cannot be are refused", () => {
    const make = (options: Partial<DailyOptions>) => () => dailySchedule({ time: "08:30", ...options }, NOW);
    refused(make({ time: "25:00" }), `time is "25:00", which is no time of day`);
    refused(make({ time: 5 as never }), "time is 5, which is no time of day");
    refused(make({ time: undefined as never }), "time is undefined, which is no time of day");
    refused(make({ time: { hour: 8, zone: "Mars" } }), `The time zone of time is "Mars"`);
    refused(make({ last: "later" as never }), `last is "later"`);
  });
});

describe("an end", () => {
  test("is in every schedule, and one that is past leaves no run", () => {
    const last = new Date(NOW);
    const schedules = [
      dailySchedule({ time: "08:30", last }, NOW),
      monthlySchedule({ time: "08:30", day: 1, last }, NOW),
      cronSchedule({ pattern: "30 8 * * *", last }, NOW),
    ];
    expect(schedules.map((schedule) => schedule.last)).toEqual([NOW, NOW, NOW]);
    expect(schedules.map((schedule) => firstRun(schedule, NOW))).toEqual([undefined, undefined, undefined]);
  });

  test("as a time of day it is the first one after the first run", () => {
    expect(dailySchedule({ time: "08:30", last: "08:00" }, NOW).last).toBe(utc("2026-11-23T08:00"));
  });
});

describe("monthlySchedule", () => {
  test("PTB 181: a day from 1 to 31, or -1 for the last", () => {
    expect(firstRun(monthlySchedule({ time: "08:00", day: 31 }, NOW), NOW)).toBe(utc("2026-12-31T08:00"));
    expect(firstRun(monthlySchedule({ time: "08:00", day: -1 }, NOW), NOW)).toBe(utc("2026-11-30T08:00"));
  });

  test.each([0, 32, -2, 1.5, "1", undefined, NaN])("day %o is refused", (day) => {
    refused(() => monthlySchedule({ time: "08:00", day: day as number }, NOW), `day is ${JSON.stringify(day)}`);
  });
});

describe("cronSchedule", () => {
  test("in UTC, or in a zone", () => {
    expect(cronSchedule({ pattern: "0 9 * * *" }, NOW)).toEqual({ kind: "cron", pattern: "0 9 * * *", zone: "UTC" });
    const berlin = cronSchedule({ pattern: "0 9 * * *", zone: "Europe/Berlin" }, NOW);
    expect(firstRun(berlin, NOW)).toBe(utc("2026-11-22T08:00"));
  });

  test.each(["", "x", "* * * *", "61 * * * *", "0 0 32 * *", "2030-01-01T00:00:00", "12:30", 5, undefined])(
    "pattern %o is refused",
    (pattern) => {
      const make = (): unknown => cronSchedule({ pattern: pattern as string }, NOW);
      refused(make, `pattern is ${JSON.stringify(pattern)}, which is no cron pattern`);
      refused(make, `such as "0 9 * * 1-5"`);
    },
  );

  test("a zone that is none is refused, and a pattern that never comes", () => {
    const make = (options: Partial<CronOptions>) => () => cronSchedule({ pattern: "0 9 * * *", ...options }, NOW);
    refused(make({ zone: "Europe/Atlantis" }), `"Europe/Atlantis"`);
    refused(make({ zone: "" }), `The time zone of pattern is ""`);
    refused(make({ pattern: "0 0 30 2 *" }), "names no moment");
  });

  test("a pattern of a year that is over is none of these", () => {
    expect(firstRun(cronSchedule({ pattern: "0 0 0 1 1 * 2020" }, NOW), NOW)).toBeUndefined();
  });
});
