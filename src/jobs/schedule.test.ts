import { describe, expect, test } from "vitest";
import { withCode } from "../../test/support/with-code.ts";
import { firstRun, lastRun, nextRun, sameSchedule, type Schedule } from "./schedule.ts";

const utc = (text: string): number => Date.parse(`${text}Z`);

/** The next runs, as text in UTC without seconds that are 0. */
function runs(schedule: Schedule, after: string, count: number): string[] {
  const texts: string[] = [];
  let run = nextRun(schedule, utc(after));
  while (run !== undefined && texts.length < count) {
    texts.push(new Date(run).toISOString().replace(/(:00)?\.000Z$/, ""));
    run = nextRun(schedule, run);
  }
  return texts;
}

const ALL_DAYS = [0, 1, 2, 3, 4, 5, 6];
const at = (hour: number, minute = 0, second = 0): { hour: number; minute: number; second: number } => ({
  hour,
  minute,
  second,
});
const daily = (zone: string, time = at(2, 30), days = ALL_DAYS): Schedule => ({ kind: "daily", time, days, zone });
const monthly = (day: number, zone = "UTC", time = at(12)): Schedule => ({ kind: "monthly", time, day, zone });
const cron = (pattern: string, zone = "UTC"): Schedule => ({ kind: "cron", pattern, zone });

describe("once", () => {
  test("has one run", () => {
    expect(nextRun({ kind: "once", at: 1000 }, 999)).toBe(1000);
    expect(nextRun({ kind: "once", at: 1000 }, 1000)).toBeUndefined();
    expect(nextRun({ kind: "once", at: 1000, last: 999 }, 0)).toBeUndefined();
  });
});

describe("repeating", () => {
  const schedule: Schedule = { kind: "repeating", every: 100, anchor: 1030, last: 1230 };

  test("keeps its grid, whenever it is asked, up to its last moment and with it", () => {
    expect(nextRun(schedule, 0)).toBe(1030);
    expect(nextRun(schedule, 1029)).toBe(1030);
    expect(nextRun(schedule, 1030)).toBe(1130);
    expect(nextRun(schedule, 1131)).toBe(1230);
    expect(nextRun(schedule, 1230)).toBeUndefined();
  });

  test("counts real time over a change of the clocks", () => {
    const day = 24 * 60 * 60 * 1000;
    expect(runs({ kind: "repeating", every: day, anchor: utc("2026-03-28T08:00") }, "2026-03-28T08:00", 2)).toEqual([
      "2026-03-29T08:00",
      "2026-03-30T08:00",
    ]);
  });
});

describe("daily", () => {
  test("PTB 181: days of the week count from Sunday", () => {
    expect(runs(daily("UTC", at(9), [0, 3]), "2026-11-21T00:00", 3)).toEqual([
      "2026-11-22T09:00", // a Sunday
      "2026-11-25T09:00",
      "2026-11-29T09:00",
    ]);
  });

  test("is strictly after the moment, to the millisecond", () => {
    const noon = utc("2026-01-01T12:00");
    expect(nextRun(daily("UTC", at(12)), noon - 1)).toBe(noon);
    expect(nextRun(daily("UTC", at(12)), noon)).toBe(noon + 24 * 60 * 60 * 1000);
    expect(nextRun(daily("UTC", at(12)), noon + 1)).toBe(noon + 24 * 60 * 60 * 1000);
  });

  test("the clocks go forward: 02:30 is at the first moment after the gap, once", () => {
    expect(runs(daily("Europe/Berlin"), "2026-03-27T12:00", 3)).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:00", // 03:00 there
      "2026-03-30T00:30",
    ]);
    expect(runs(daily("America/New_York"), "2026-03-07T00:00", 3)).toEqual([
      "2026-03-07T07:30",
      "2026-03-08T07:00", // 03:00 there
      "2026-03-09T06:30",
    ]);
    expect(runs(daily("Australia/Lord_Howe", at(2, 15)), "2026-10-02T00:00", 3)).toEqual([
      "2026-10-02T15:45",
      "2026-10-03T15:30", // 02:30 there
      "2026-10-04T15:15",
    ]);
  });

  test("the clocks go back: 02:30 is at the first of two, once", () => {
    expect(runs(daily("Europe/Berlin"), "2026-10-24T00:00", 3)).toEqual([
      "2026-10-24T00:30",
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
    expect(runs(daily("America/New_York", at(1, 30)), "2026-10-31T00:00", 3)).toEqual([
      "2026-10-31T05:30",
      "2026-11-01T05:30",
      "2026-11-02T06:30",
    ]);
    expect(runs(daily("Australia/Lord_Howe", at(1, 45)), "2026-04-03T00:00", 3)).toEqual([
      "2026-04-03T14:45",
      "2026-04-04T14:45",
      "2026-04-05T15:15",
    ]);
  });

  test("asked between the two 02:30 of a day, the next is tomorrow's", () => {
    expect(runs(daily("Europe/Berlin"), "2026-10-25T01:15", 1)).toEqual(["2026-10-26T01:30"]);
  });

  test("a gap that ends at midnight is no reason to leave out the day's run", () => {
    expect(runs(daily("America/Nuuk", at(23, 30)), "2024-03-29T12:00", 3)).toEqual([
      "2024-03-30T01:30",
      "2024-03-31T01:00", // 00:00 of the next day there
      "2024-04-01T00:30",
    ]);
  });

  test("a day that a zone left out has no run", () => {
    expect(runs(daily("Pacific/Apia", at(8)), "2011-12-28T18:00", 2)).toEqual(["2011-12-29T18:00", "2011-12-30T18:00"]);
    expect(runs(daily("Pacific/Apia", at(8), [5]), "2011-12-24T00:00", 1)).toEqual(["2012-01-05T18:00"]);
  });
});

describe("monthly", () => {
  test("PTB 181: months without the day are skipped", () => {
    expect(runs(monthly(31), "2026-01-31T12:00", 3)).toEqual([
      "2026-03-31T12:00",
      "2026-05-31T12:00",
      "2026-07-31T12:00",
    ]);
    expect(runs(monthly(30), "2026-01-30T12:00", 1)).toEqual(["2026-03-30T12:00"]);
  });

  test("PTB 181: -1 is the last day of the month, in leap years too", () => {
    expect(runs(monthly(-1), "2027-12-31T12:00", 4)).toEqual([
      "2028-01-31T12:00",
      "2028-02-29T12:00",
      "2028-03-31T12:00",
      "2028-04-30T12:00",
    ]);
    expect(runs(monthly(-1), "2100-02-01T00:00", 1)).toEqual(["2100-02-28T12:00"]);
  });

  test("29 February comes in leap years only", () => {
    expect(runs(monthly(29), "2027-01-29T12:00", 1)).toEqual(["2027-03-29T12:00"]);
    expect(runs(monthly(29), "2028-01-29T12:00", 1)).toEqual(["2028-02-29T12:00"]);
  });

  test("the month is the zone's: 1 January in Auckland is still December in UTC", () => {
    expect(runs(monthly(1, "Pacific/Auckland", at(8)), "2026-12-15T00:00", 1)).toEqual(["2026-12-31T19:00"]);
    expect(runs(monthly(-1, "America/Los_Angeles", at(20)), "2027-01-01T01:00", 1)).toEqual(["2027-01-01T04:00"]);
  });

  test("daylight saving as for daily runs", () => {
    expect(runs(monthly(29, "Europe/Berlin", at(2, 30)), "2026-03-01T00:00", 1)).toEqual(["2026-03-29T01:00"]);
    expect(runs(monthly(25, "Europe/Berlin", at(2, 30)), "2026-10-01T00:00", 2)).toEqual([
      "2026-10-25T00:30",
      "2026-11-25T01:30",
    ]);
  });

  test("a month that left out the day is skipped", () => {
    expect(runs(monthly(30, "Pacific/Apia", at(8)), "2011-12-01T00:00", 1)).toEqual(["2012-01-29T18:00"]);
  });
});

describe("cron", () => {
  test("five fields, and six with seconds", () => {
    expect(runs(cron("30 9 * * 1-5"), "2026-11-20T09:30", 2)).toEqual(["2026-11-23T09:30", "2026-11-24T09:30"]);
    expect(runs(cron("*/20 * * * * *"), "2026-01-01T00:00:15.500", 2)).toEqual([
      "2026-01-01T00:00:20",
      "2026-01-01T00:00:40",
    ]);
  });

  test("day of month or day of week; both with +", () => {
    expect(runs(cron("0 0 1 * MON"), "2026-05-31T00:00", 3)).toEqual([
      "2026-06-01T00:00",
      "2026-06-08T00:00",
      "2026-06-15T00:00",
    ]);
    expect(runs(cron("0 0 1 * +MON"), "2026-06-01T00:00", 1)).toEqual(["2027-02-01T00:00"]);
  });

  test("a time of day: after the gap, and at the first of two", () => {
    expect(runs(cron("30 2 * * *", "Europe/Berlin"), "2026-03-28T12:00", 2)).toEqual([
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
    expect(runs(cron("30 2 * * *", "Europe/Berlin"), "2026-10-24T12:00", 2)).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("any other pattern: nothing in the gap, and twice what comes twice", () => {
    expect(runs(cron("30 * * * *", "Europe/Berlin"), "2026-03-29T00:00", 2)).toEqual([
      "2026-03-29T00:30",
      "2026-03-29T01:30",
    ]);
    expect(runs(cron("30 1-3 * * *", "Europe/Berlin"), "2026-10-25T00:00", 3)).toEqual([
      "2026-10-25T00:30",
      "2026-10-25T01:30",
      "2026-10-25T02:30",
    ]);
  });

  test("a pattern of the past has no run", () => {
    expect(nextRun(cron("0 0 0 1 1 * 2020"), utc("2026-01-01T00:00"))).toBeUndefined();
  });
});

describe("firstRun", () => {
  test("a single run begins at its moment, also when that is past", () => {
    expect(firstRun({ kind: "once", at: 1000 }, 5000)).toBe(1000);
  });

  test("others begin now at the earliest", () => {
    expect(firstRun({ kind: "repeating", every: 100, anchor: 1000 }, 1000)).toBe(1000);
    expect(firstRun({ kind: "repeating", every: 100, anchor: 1000 }, 1001)).toBe(1100);
    expect(firstRun(daily("UTC", at(12)), utc("2026-01-01T12:00"))).toBe(utc("2026-01-01T12:00"));
    expect(firstRun(cron("0 12 * * *"), utc("2026-01-01T12:00"))).toBe(utc("2026-01-01T12:00"));
  });
});

describe("lastRun", () => {
  test("the last one that is not after the moment", () => {
    const schedule: Schedule = { kind: "repeating", every: 100, anchor: 1000, last: 1500 };
    expect(lastRun(schedule, 1000, 1000)).toBe(1000);
    expect(lastRun(schedule, 1000, 1099)).toBe(1000);
    expect(lastRun(schedule, 1000, 1100)).toBe(1100);
    expect(lastRun(schedule, 1000, 1_000_000)).toBe(1500);
  });

  test("ten years of seconds take no time", () => {
    const from = utc("2016-01-01T00:00");
    expect(lastRun(cron("* * 3 * * *"), from, utc("2026-01-01T00:00"))).toBe(utc("2025-12-31T03:59:59"));
  });
});

describe("sameSchedule", () => {
  test("the order of the fields does not matter, their values do", () => {
    expect(sameSchedule(daily("UTC"), { zone: "UTC", days: ALL_DAYS, time: at(2, 30), kind: "daily" })).toBe(true);
    expect(sameSchedule(daily("UTC"), daily("Europe/Berlin"))).toBe(false);
    expect(sameSchedule(daily("UTC"), daily("UTC", at(2, 30), [1]))).toBe(false);
    expect(sameSchedule({ kind: "once", at: 1 }, { kind: "once", at: 2 })).toBe(false);
  });

  test("moments do not count where it is known how they were written", () => {
    const one: Schedule = { kind: "repeating", every: 100, anchor: 1, last: 7, written: "+100 +7" };
    expect(sameSchedule(one, { ...one, anchor: 2, last: 8 })).toBe(true);
    expect(sameSchedule(one, { ...one, written: "+100 +8" })).toBe(false);
    expect(sameSchedule(one, { ...one, every: 200 })).toBe(false);
  });
});

describe("a schedule that cannot be followed is an error, and not over", () => {
  test.each<[string, unknown]>([
    ["an unknown kind", { kind: "yearly" }],
    ["an unknown zone", daily("Europe/Atlantis")],
    ["an unknown zone of cron", cron("* * * * *", "Europe/Atlantis")],
    ["no zone", cron("* * * * *", "")],
    ["no pattern", cron("x")],
    ["no days", daily("UTC", at(2), [])],
    ["an impossible day", monthly(32)],
    ["an interval of 0", { kind: "repeating", every: 0, anchor: 0 }],
    ["an interval below 0", { kind: "repeating", every: -5, anchor: 0 }],
    ["no anchor", { kind: "repeating", every: 5 }],
    ["no moment", { kind: "once" }],
    ["no time", { kind: "daily", days: ALL_DAYS, zone: "UTC" }],
    ["a last moment that is none", { kind: "once", at: 5000, last: "tomorrow" }],
  ])("%s", (_, schedule) => {
    expect(() => nextRun(schedule as Schedule, 1000)).toThrow(withCode("PERDURE_CANNOT_DECODE"));
    expect(() => nextRun(schedule as Schedule, 1000)).toThrow(JSON.stringify(schedule));
  });
});
