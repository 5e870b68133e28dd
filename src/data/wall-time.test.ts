import { describe, expect, test } from "vitest";
import { wallTime } from "./wall-time.ts";

const utc = (text: string): number => Date.parse(`${text}Z`);

describe("wallTime", () => {
  test.each([
    ["2026-01-15T12:00:00", "Europe/Berlin", "2026-01-15T13:00:00"],
    ["2026-07-15T12:00:00", "Europe/Berlin", "2026-07-15T14:00:00"],
    ["2026-07-15T12:00:00.250", "Asia/Kathmandu", "2026-07-15T17:45:00.250"],
    ["1960-01-01T00:00:00.750", "America/New_York", "1959-12-31T19:00:00.750"],
    ["0050-06-01T00:00:00", "Europe/Berlin", "0050-06-01T00:53:28"],
    ["2026-01-01T00:00:00", "+02:00", "2026-01-01T02:00:00"],
  ])("at %s UTC the clocks of %s show %s", (moment, zone, wall) => {
    expect(wallTime(utc(moment), zone)).toBe(utc(wall));
  });
});
