import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withCode } from "../../test/support/with-code.ts";
import { wallTime } from "../data/wall-time.ts";
import { checkZone, momentOfWallTime } from "./wall-clock.ts";

const utc = (text: string): number => Date.parse(`${text}Z`);

describe("momentOfWallTime", () => {
  test.each([
    ["a plain time", "2026-01-15T13:00:00", "Europe/Berlin", "2026-01-15T12:00:00"],
    ["after a gap", "2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:00:00"],
    ["the end of the gap itself", "2026-03-29T03:00:00", "Europe/Berlin", "2026-03-29T01:00:00"],
    ["the last second before the gap", "2026-03-29T01:59:59", "Europe/Berlin", "2026-03-29T00:59:59"],
    ["the first of two", "2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00"],
    ["a gap of half an hour", "2026-10-04T02:15:00", "Australia/Lord_Howe", "2026-10-03T15:30:00"],
    ["a gap that ends at midnight", "2024-03-30T23:30:00", "America/Nuuk", "2024-03-31T01:00:00"],
  ])("%s: %s in %s is %s UTC", (_, wall, zone, moment) => {
    expect(momentOfWallTime(utc(wall), zone)).toBe(utc(moment));
  });

  test("a day that a zone left out has no moments, its neighbours have", () => {
    expect(momentOfWallTime(utc("2011-12-29T23:59:59"), "Pacific/Apia")).toBe(utc("2011-12-30T09:59:59"));
    expect(momentOfWallTime(utc("2011-12-30T00:00:00"), "Pacific/Apia")).toBeUndefined();
    expect(momentOfWallTime(utc("2011-12-30T23:59:59"), "Pacific/Apia")).toBeUndefined();
    expect(momentOfWallTime(utc("2011-12-31T00:00:00"), "Pacific/Apia")).toBe(utc("2011-12-30T10:00:00"));
  });

  test("what the clocks show at a moment leads back to it, or to an earlier moment at which they showed the same", () => {
    const zones = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));
    const seconds = fc.integer({ min: utc("1975-01-01T00:00") / 1000, max: utc("2037-12-31T00:00") / 1000 });
    fc.assert(
      fc.property(zones, seconds, (zone, second) => {
        const wall = wallTime(second * 1000, zone);
        const moment = momentOfWallTime(wall, zone) as number;
        expect(moment).toBeLessThanOrEqual(second * 1000);
        expect(wallTime(moment, zone)).toBe(wall);
      }),
    );
  });
});

describe("checkZone", () => {
  test.each(["UTC", "Europe/Berlin", "Asia/Calcutta", "Asia/Kolkata"])("%s is one", (zone) => {
    expect(() => checkZone(zone, "time")).not.toThrow();
  });

  test.each(["", "Europe/Atlantis", "UTC+2", 3, undefined, null])("%s is none, and the error names it", (zone) => {
    expect(() => checkZone(zone, "time")).toThrow(withCode("PERDURE_INVALID_OPTION"));
    expect(() => checkZone(zone, "time")).toThrow(`The time zone of time is ${JSON.stringify(zone)}`);
  });
});
