import { describe, expect, test } from "vitest";
import { withCode } from "../../../test/support/with-code.ts";
import { readPythonJson } from "./python-json-reader.ts";
import { writePythonJson } from "./python-json-writer.ts";

class Cart {
  items = 1;
}

const written = (value: unknown): string => writePythonJson(value, "userData.1");

describe("writes what Python's json.dumps writes", () => {
  test.each([
    [{ a: [1, 2, {}], b: [] }, '{"a": [1, 2, {}], "b": []}'],
    [
      'ü😀\ud800"\\/\b\f\n\r\t\0\u007f\u2028',
      '"\\u00fc\\ud83d\\ude00\\ud800\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u007f\\u2028"',
    ],
    [[null, true, false], "[null, true, false]"],
    [Object.create(null), "{}"],
  ])("70: %#", (value, text) => {
    expect(written(value)).toBe(text);
  });

  test.each([
    [0, "0"],
    [-7, "-7"],
    [9007199254740991, "9007199254740991"],
    [9007199254740992, "9007199254740992.0"],
    [-0, "-0.0"],
    [0.1, "0.1"],
    [-1.5, "-1.5"],
    [1e16, "1e+16"],
    [1.5e300, "1.5e+300"],
    [123456789012345.6, "123456789012345.6"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1e-7, "1e-07"],
    [5e-324, "5e-324"],
    [Number.NaN, "NaN"],
    [Infinity, "Infinity"],
    [-Infinity, "-Infinity"],
  ])("71: the number %d is %s", (value, text) => {
    expect(written(value)).toBe(text);
  });

  test("71: a float that was read is a float again", () => {
    expect(written(readPythonJson("[1.0, 1, -0.0, -0, 100e2]"))).toBe("[1.0, 1, -0.0, 0, 10000.0]");
  });

  test("72: integers of any size", () => {
    expect(written([2n ** 70n, -(10n ** 5000n), 5n])).toBe(`[1180591620717411303424, -1${"0".repeat(5000)}, 5]`);
  });

  test("73: the keys of a Map, also those that are the same as text", () => {
    const map = new Map<unknown, unknown>([
      ["1", "a"],
      [1, "b"],
      [2n ** 64n, 0],
      [0.5, 0],
      [true, 0],
      [false, 0],
      [null, 0],
    ]);
    expect(written(map)).toBe(
      '{"1": "a", "1": "b", "18446744073709551616": 0, "0.5": 0, "true": 0, "false": 0, "null": 0}',
    );
  });

  test("one object in two places is written twice", () => {
    const shared = { a: 1 };
    expect(written([shared, shared])).toBe('[{"a": 1}, {"a": 1}]');
  });

  test("what is written can be read, as deep as may be", () => {
    let deep: unknown[] = [];
    for (let depth = 1; depth < 1000; depth += 1) deep = [deep];
    expect(written(readPythonJson(written(deep)))).toBe("[".repeat(1000) + "]".repeat(1000));
    expect(() => written([deep])).toThrow(/nested deeper than 1000 levels/);
  });
});

describe("82: refuses what JSON has no form for, and says where", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = [circular];
  test.each([
    [{ tags: [new Set()] }, "userData.1.tags[0]: a built-in Set has"],
    [{ at: new Date(0) }, "userData.1.at: a built-in Date has"],
    [{ bytes: new Uint8Array() }, "userData.1.bytes: a built-in Uint8Array has"],
    [{ a: undefined }, "userData.1.a: undefined has"],
    [[1, , 2], "userData.1[1]: undefined has"], // oxlint-disable-line no-sparse-arrays
    [{ f() {} }, "userData.1.f: a function has"],
    [[Symbol("s")], "userData.1[0]: a symbol has"],
    [new Map([["k", new Cart()]]), 'userData.1.get("k"): an instance of the class Cart has'],
    [Object.create({}), "userData.1: an object with a prototype of its own has"],
    [circular, "userData.1.self[0]: a reference to an object that contains it has"],
    [new Map([[[1], 1]]), "userData.1<key 0>: only a string, a number, a boolean or null can be a key in JSON."],
    [new Map([[undefined, 1]]), "userData.1<key 0>: only a string, a number, a boolean or null can be a key in JSON."],
  ])("%#", (value, beginning) => {
    expect(() => written(value)).toThrow(withCode("PERDURE_CANNOT_KEEP"));
    expect(() => written(value)).toThrow(beginning);
  });
});
