import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lastRun, nextRun, type Schedule } from "./schedule.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ALL_DAYS = [0, 1, 2, 3, 4, 5, 6];

/** What the clocks show in one minute. `date` and `time` compare as texts. */
interface Shown {
  readonly moment: number;
  readonly date: string;
  readonly time: string;
}

/** Another way of asking than the unit's: whole texts of another locale. */
function showing(zone: string): (moment: number) => Shown {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return (moment) => {
    const [date = "", time = ""] = format.format(moment).split(" ");
    return { moment, date, time };
  };
}

/** Five days, minute by minute, and the part of it that is to be compared. */
interface Window {
  readonly zone: string;
  readonly shown: readonly Shown[];
  /** Exclusive. */
  readonly from: number;
  readonly to: number;
}

function windowAround(zone: string, middle: number): Window {
  const show = showing(zone);
  const start = Math.floor(middle / HOUR) * HOUR - 2.5 * DAY;
  const shown = Array.from({ length: (5 * DAY) / MINUTE }, (_, index) => show(start + index * MINUTE));
  return { zone, shown, from: start + 1.25 * DAY, to: start + 3.75 * DAY };
}

/** The hours of a year in which the clocks of a zone change. */
function changes(zone: string, year: number): number[] {
  const show = showing(zone);
  const minute = (moment: number): string => show(moment).time.slice(3);
  const hour = (moment: number): number =>
    (Number(show(moment).time.slice(0, 2)) - new Date(moment).getUTCHours() + 24) % 24;
  const found: number[] = [];
  for (let day = Date.UTC(year, 0, 1); day < Date.UTC(year + 1, 0, 1); day += DAY) {
    const sameAs = (moment: number): boolean => hour(moment) === hour(day) && minute(moment) === minute(day);
    if (sameAs(day + DAY) && show(day).date !== show(day + DAY).date) continue;
    for (let at = day; at < day + DAY; at += HOUR) if (sameAs(at) && !sameAs(at + HOUR)) found.push(at);
  }
  return found;
}

/** Zones and times of all sorts, at a change of the clocks as often as not. */
const windows = fc
  .record({
    zone: fc.oneof(
      fc.constantFrom(...Intl.supportedValuesOf("timeZone")),
      fc.constantFrom("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Nuuk", "Africa/Casablanca"),
    ),
    year: fc.integer({ min: 1975, max: 2037 }),
    day: fc.integer({ min: 0, max: 365 }),
    change: fc.option(fc.nat({ max: 3 })),
  })
  .map(({ zone, year, day, change }) => {
    const found = change === null ? [] : changes(zone, year);
    const middle = found[(change ?? 0) % (found.length || 1)] ?? Date.UTC(year, 0, 1 + day);
    return windowAround(zone, middle);
  });

const samoa = windowAround("Pacific/Apia", Date.UTC(2011, 11, 30, 10));

const pad = (number: number): string => String(number).padStart(2, "0");
const weekday = (date: string): number => new Date(`${date}T00:00Z`).getUTCDay();
const dayOfMonth = (date: string): number => Number(date.slice(-2));
const isLastOfMonth = (date: string): boolean => new Date(Date.parse(`${date}T00:00Z`) + DAY).getUTCDate() === 1;

/** One run on each date that is wanted: the first minute that shows the time, or the first that shows a later one. */
function oneRunEach({ shown, from, to }: Window, time: string, wanted: (date: string) => boolean): number[] {
  const found: number[] = [];
  for (const date of new Set(shown.map((minute) => minute.date))) {
    const exact = shown.find((minute) => minute.date === date && minute.time === time);
    const later = shown.find((minute, index) => {
      const before = shown[index - 1];
      return before !== undefined && isBefore(before, date, time) && !isBefore(minute, date, time);
    });
    const run = (exact ?? later)?.moment;
    if (wanted(date) && run !== undefined && run > from && run <= to) found.push(run);
  }
  return found.sort((a, b) => a - b);
}

function isBefore(minute: Shown, date: string, time: string): boolean {
  return minute.date < date || (minute.date === date && minute.time < time);
}

function hasGapAtMidnight({ shown }: Window): boolean {
  return shown.some(({ date }, index) => date > (shown[index - 1]?.date ?? date) && shown[index - 1]?.time !== "23:59");
}

function runsIn(schedule: Schedule, { from, to }: Window): number[] {
  const found: number[] = [];
  for (let run = nextRun(schedule, from); run !== undefined && run <= to; run = nextRun(schedule, run)) found.push(run);
  return found;
}

const clock = fc.record({
  hour: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 23 })),
  minute: fc.constantFrom(0, 15, 30, 59),
  second: fc.constant(0),
});
const someDays = fc.subarray(ALL_DAYS, { minLength: 1 });

describe("agrees with a look at the clocks, minute by minute", () => {
  test("daily", () => {
    fc.assert(
      fc.property(
        fc.oneof({ weight: 9, arbitrary: windows }, fc.constant(samoa)),
        clock,
        someDays,
        (window, time, days) => {
          const expected = oneRunEach(window, `${pad(time.hour)}:${pad(time.minute)}`, (date) =>
            days.includes(weekday(date)),
          );
          expect(runsIn({ kind: "daily", time, days, zone: window.zone }, window)).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("monthly", () => {
    const ahead = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(
        fc.oneof({ weight: 9, arbitrary: windows }, fc.constant(samoa)),
        clock,
        ahead,
        (window, time, index) => {
          const dates = [...new Set(window.shown.map(({ date }) => date))];
          const date = dates[index % dates.length] as string;
          const day = isLastOfMonth(date) ? -1 : dayOfMonth(date);
          const wanted = (other: string): boolean => (day === -1 ? isLastOfMonth(other) : dayOfMonth(other) === day);
          const expected = oneRunEach(window, `${pad(time.hour)}:${pad(time.minute)}`, wanted);
          expect(runsIn({ kind: "monthly", time, day, zone: window.zone }, window)).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("cron, with a list or a step: every minute that shows what the pattern names", () => {
    const hours = fc.subarray(
      Array.from({ length: 24 }, (_, hour) => hour),
      { minLength: 2 },
    );
    const step = fc.constantFrom(5, 15, 30);
    fc.assert(
      fc.property(windows, hours, step, someDays, (window, hourList, every, days) => {
        const pattern = `*/${every} ${hourList.join(",")} * * ${days.join(",")}`;
        const named = window.shown.filter(({ date, time }) => {
          const [hour, minute] = time.split(":").map(Number) as [number, number];
          return minute % every === 0 && hourList.includes(hour) && days.includes(weekday(date));
        });
        const expected = named.map(({ moment }) => moment).filter((at) => at > window.from && at <= window.to);
        expect(runsIn({ kind: "cron", pattern, zone: window.zone }, window)).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });

  test("cron, with a time of day: as daily, wherever no gap reaches midnight", () => {
    const elsewhere = windows.filter((window) => !hasGapAtMidnight(window));
    fc.assert(
      fc.property(elsewhere, clock, someDays, (window, time, days) => {
        const { zone } = window;
        const pattern = `${time.minute} ${time.hour} * * ${days.join(",")}`;
        const expected = runsIn({ kind: "daily", time, days, zone }, window);
        expect(runsIn({ kind: "cron", pattern, zone }, window)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});

const zones = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));
const moments = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2037, 0) });
const last = fc.option(moments, { nil: undefined });
const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  fc.record({ kind: fc.constant("once" as const), at: moments, last }),
  fc.record({
    kind: fc.constant("repeating" as const),
    every: fc.integer({ min: 1, max: 40 * DAY }),
    anchor: moments,
    last,
  }),
  fc.record({ kind: fc.constant("daily" as const), time: clock, days: someDays, zone: zones, last }),
  fc.record({
    kind: fc.constant("monthly" as const),
    time: clock,
    day: fc.oneof(fc.constant(-1), fc.integer({ min: 1, max: 31 })),
    zone: zones,
    last,
  }),
  fc.record({
    kind: fc.constant("cron" as const),
    pattern: fc.constantFrom("*/7 * * * *", "0 2 * * *", "30 1,2 1 * *", "0 12 L * *", "15,45 * * * MON", "0 0 1 1 *"),
    zone: zones,
    last,
  }),
);

describe("of every schedule", () => {
  test("the next run is strictly after the moment, and not after the last", () => {
    fc.assert(
      fc.property(schedules, moments, (schedule, after) => {
        const run = nextRun(schedule, after);
        expect(run === undefined || (run > after && run <= (schedule.last ?? Infinity))).toBe(true);
      }),
    );
  });

  test("a later moment has no earlier next run, and moments before one run have that run", () => {
    fc.assert(
      fc.property(schedules, moments, fc.integer({ min: 0, max: 400 * DAY }), (schedule, after, later) => {
        const run = nextRun(schedule, after) ?? Infinity;
        const next = nextRun(schedule, after + later) ?? Infinity;
        expect(after + later < run ? next === run : next > run || next === Infinity).toBe(true);
      }),
    );
  });

  test("the last run until a moment is one, and none is between", () => {
    fc.assert(
      fc.property(schedules, moments, fc.integer({ min: 0, max: 40 * DAY }), (schedule, after, span) => {
        const run = nextRun(schedule, after);
        fc.pre(run !== undefined);
        const found = lastRun(schedule, run, run + span);
        expect(found).toBeLessThanOrEqual(run + span);
        expect(nextRun(schedule, found - 1)).toBe(found);
        expect(nextRun(schedule, found) ?? Infinity).toBeGreaterThan(run + span);
      }),
    );
  });

  test("it is plain JSON", () => {
    fc.assert(
      fc.property(schedules, moments, (schedule, after) => {
        expect(nextRun(JSON.parse(JSON.stringify(schedule)) as Schedule, after)).toBe(nextRun(schedule, after));
      }),
      { numRuns: 30 },
    );
  });
});
