import { describe, expect, test } from "vitest";
import { withCode } from "../../test/support/with-code.ts";
import { asWritten, momentOf, timeSpan, type When } from "./when.ts";

const utc = (text: string): number => Date.parse(`${text}Z`);

/** A Saturday, 13:00 in Berlin. */
const NOW = utc("2026-11-21T12:00:00");

describe("PTB 179: a moment is", () => {
  test.each<[string, When, string]>([
    ["milliseconds from now", 90_000, "2026-11-21T12:01:30"],
    ["now", 0, "2026-11-21T12:00:00"],
    ["a time span from now", "10m", "2026-11-21T12:10:00"],
    ["a time span below a second, as text", "500ms", "2026-11-21T12:00:00.500"],
    ["a date", new Date("2030-01-01T00:00:00Z"), "2030-01-01T00:00:00"],
    ["a date that is past", new Date("2020-01-01T00:00:00Z"), "2020-01-01T00:00:00"],
    ["a time of day, in UTC", "15:30", "2026-11-21T15:30:00"],
    ["with one digit for the hour", "9:30", "2026-11-22T09:30:00"],
    ["with seconds", "15:30:15", "2026-11-21T15:30:15"],
    ["with a time zone", "15:30 Europe/Berlin", "2026-11-21T14:30:00"],
    ["with seconds and a time zone", "15:30:15 America/New_York", "2026-11-21T20:30:15"],
    ["a time of day that is past, tomorrow", "11:59", "2026-11-22T11:59:00"],
    ["a time of day that is just now, tomorrow", "12:00", "2026-11-22T12:00:00"],
    ["a time of day that is past in its zone", "12:30 Europe/Berlin", "2026-11-22T11:30:00"],
    ["a time of day in parts", { hour: 15 }, "2026-11-21T15:00:00"],
    ["all parts", { hour: 15, minute: 30, second: 5, zone: "Europe/Berlin" }, "2026-11-21T14:30:05"],
  ])("%s", (_, when, moment) => {
    expect(new Date(momentOf(when, NOW, "when"))).toEqual(new Date(utc(moment)));
  });

  test("a time of day that the clocks leave out tonight: when they have gone forward", () => {
    expect(momentOf("02:30 Europe/Berlin", utc("2026-03-28T22:00"), "when")).toBe(utc("2026-03-29T01:00"));
  });

  test("a time of day on a day that a zone left out: the day after", () => {
    expect(momentOf("08:00 Pacific/Apia", utc("2011-12-30T05:00"), "when")).toBe(utc("2011-12-30T18:00"));
  });
});

describe("what is no moment is refused, with the value and what to write", () => {
  test.each<[unknown, string]>([
    ["soon", `first is "soon", which is no time span`],
    ["", `first is "", which is no time span`],
    [-5, "first is -5, which is no time span"],
    ["-5m", `first is "-5m", which is no time span`],
    [NaN, "which is no time span"],
    [undefined, "first is undefined, which is no time span"],
    [null, "first is null, which is no time span"],
    [true, "first is true, which is no time span"],
    [30, `first is 30: a number counts milliseconds; write "30s" for seconds or "30ms" for milliseconds`],
    [0.4e300, "which is no moment"],
    [new Date(NaN), `first is "Invalid Date", which is no moment`],
    ["24:00", `first is "24:00", which is no time of day`],
    ["12:60", `first is "12:60", which is no time of day`],
    ["12:5", `first is "12:5", which is no time of day`],
    ["12:00:60", `first is "12:00:60", which is no time of day`],
    ["-1:00", `first is "-1:00", which is no time of day`],
    ["2030-01-01T00:00:00Z", "which is no time of day"],
    ["12:00 Europe/Atlantis", `The time zone of first is "Europe/Atlantis", which is none that is known here`],
    [{ hour: 12, zone: "" }, `The time zone of first is ""`],
    [{ hour: 12.5 }, `first is {"hour":12.5}, which is no time of day`],
    [{ hour: 12, minute: -1 }, "which is no time of day"],
    [{ hour: "12" }, "which is no time of day"],
    [{}, "first is {}, which is no time of day"],
  ])("%o", (when, message) => {
    expect(() => momentOf(when as When, NOW, "first")).toThrow(withCode("PERDURE_INVALID_OPTION"));
    expect(() => momentOf(when as When, NOW, "first")).toThrow(message);
    expect(() => asWritten(when as When, "first")).not.toThrow(TypeError);
  });
});

describe("asWritten", () => {
  test("is the same for what means the same, and another for anything else", () => {
    expect(asWritten("10m", "x")).toBe(asWritten(600_000, "x"));
    expect(asWritten("02:30 UTC", "x")).toBe(asWritten({ hour: 2, minute: 30 }, "x"));
    expect(asWritten(new Date(5000), "x")).toBe(asWritten(new Date(5000), "x"));
    const different: When[] = ["10m", "11m", "02:30", "02:31", "02:30 Europe/Berlin", new Date(1), new Date(2)];
    expect(new Set(different.map((when) => asWritten(when, "x"))).size).toBe(different.length);
  });
});

describe("timeSpan", () => {
  test("is in whole milliseconds", () => {
    expect(timeSpan("1.5s", "x")).toBe(1500);
    expect(timeSpan(1000.4, "x")).toBe(1000);
    expect(timeSpan(1000, "x")).toBe(1000);
    expect(() => timeSpan(999, "x")).toThrow(withCode("PERDURE_INVALID_OPTION"));
  });
});
