import { describe, expect, test } from "vitest";
import { pythonInt } from "./python-int.ts";

describe("75: Python's int()", () => {
  test.each([
    ["7", 7n],
    ["1_0", 10n],
    [" 7 ", 7n],
    ["\u00a07\u2003\n", 7n],
    ["\u00857", 7n],
    ["١", 1n],
    ["९٥", 95n],
    ["𝟙𝟎", 10n],
    ["+5", 5n],
    ["-5", -5n],
    ["-0", 0n],
    ["01", 1n],
    ["0_0", 0n],
    ["-1_0", -10n],
    ["123456789012345678901234567890", 123456789012345678901234567890n],
    ["9".repeat(4300), BigInt("9".repeat(4300))],
  ])("reads %j", (text, expected) => {
    expect(pythonInt(text)).toBe(expected);
  });

  test.each([
    ["1.5"],
    ["0x10"],
    ["1e5"],
    [""],
    [" "],
    ["+"],
    ["²"],
    ["Ⅷ"],
    ["--5"],
    ["+ 5"],
    ["1 0"],
    ["_1"],
    ["1_"],
    ["1__0"],
    ["\u200b5"],
    ["\ufeff5"],
    ["\u001c5"],
    ["5\0"],
    ["9".repeat(4301)],
  ])("refuses %j", (text) => {
    expect(pythonInt(text)).toBeUndefined();
  });

  test("is quick where a text is nothing but spaces", () => {
    expect(pythonInt(`1${" ".repeat(200_000)}1`)).toBeUndefined();
  }, 2000);
});
