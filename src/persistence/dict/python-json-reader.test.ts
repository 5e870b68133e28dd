import { describe, expect, test } from "vitest";
import { PythonFloat } from "./python-float.ts";
import { readPythonJson } from "./python-json-reader.ts";

describe("reads what Python's json.loads reads", () => {
  test.each([
    [" \t\r\n[ 1 , 2 ] ", [1, 2]],
    ["[]", []],
    ["[ ]", []],
    ['"\\u00e9\\ud83d\\ude00\\ud800\\n\\/\\"\u2028\u007f"', 'é😀\ud800\n/"\u2028\u007f'],
    ["null", null],
    ["[true, false]", [true, false]],
    ["-0", 0],
    ["-0.0", -0],
    ["0.5", 0.5],
    ["1e400", Infinity],
    ["-1e400", -Infinity],
    ["1e16", 1e16],
    ["1.0", new PythonFloat(1)],
    ["1E2", new PythonFloat(100)],
    ["0e0", new PythonFloat(0)],
  ])("70, 71: %s", (text, value) => {
    expect(readPythonJson(text)).toStrictEqual(value);
  });

  test("71: NaN and the infinities", () => {
    expect(readPythonJson("[NaN, Infinity, -Infinity]")).toStrictEqual([Number.NaN, Infinity, -Infinity]);
  });

  test("72: integers of any size, as numbers where these are exact", () => {
    expect(readPythonJson("[9007199254740991, 9007199254740992, -9007199254740991, -9007199254740993]")).toStrictEqual([
      9007199254740991,
      9007199254740992n,
      -9007199254740991,
      -9007199254740993n,
    ]);
    expect(readPythonJson("7".repeat(10_000))).toBe(BigInt("7".repeat(10_000)));
  });

  test("73: of keys that stand twice the last wins, at the place of the first", () => {
    expect([...(readPythonJson('{"2":1,"a":2,"2":3,"\\u0061":4}') as Map<string, unknown>)]).toEqual([
      ["2", 3],
      ["a", 4],
    ]);
  });

  test("__proto__ is a key like any other", () => {
    expect(readPythonJson('{"__proto__":{"polluted":1}}')).toStrictEqual(
      new Map([["__proto__", new Map([["polluted", 1]])]]),
    );
  });
});

describe("refuses what Python refuses, and says where", () => {
  test.each([
    ["", "a value was expected at character 0"],
    ["nojson(", "a value was expected at character 0"],
    ["\ufeff1", "a value was expected at character 0"],
    ["[1,]", "a value was expected at character 3"],
    ['{"a":1,}', "a key in double quotes was expected at character 7"],
    ["{a:1}", "a key in double quotes was expected at character 1"],
    ["{'a':1}", "a key in double quotes was expected at character 1"],
    ['{"a" 1}', '":" was expected at character 5'],
    ['{"a":1', '"," or "}" was expected at character 6'],
    ["[1 2]", '"," or "]" was expected at character 3'],
    ["1 2", "the end of the text was expected at character 2"],
    ["01", "the end of the text was expected at character 1"],
    ["1.", "the end of the text was expected at character 1"],
    [".5", "a value was expected at character 0"],
    ["+1", "a value was expected at character 0"],
    ["-", "a value was expected at character 0"],
    ["-NaN", "a value was expected at character 0"],
    ["True", "a value was expected at character 0"],
    ["\u00a01", "a value was expected at character 0"],
    ['"a', "a string does not end at character 2"],
    ['"a\nb"', "a control character must be escaped at character 2"],
    ['"\\x41"', "this escape does not exist at character 2"],
    ['"\\', "this escape does not exist at character 2"],
    ['"\\u12g4"', "four hexadecimal digits were expected at character 3"],
    ["[1] // no", "the end of the text was expected at character 4"],
  ])("%j", (text, message) => {
    expect(() => readPythonJson(text)).toThrow(new SyntaxError(message));
  });

  test("what nests too deep, however deep", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(readPythonJson(nested(1003))).toBeInstanceOf(Array);
    expect(() => readPythonJson(nested(1004))).toThrow(
      new SyntaxError("nested deeper than 1003 levels at character 1003"),
    );
    expect(() => readPythonJson('{"a":'.repeat(1_000_000))).toThrow(SyntaxError);
  });

  test("a string of any length", () => {
    expect(readPythonJson(`"${"é".repeat(20_000_000)}"`)).toHaveLength(20_000_000);
  });
});
