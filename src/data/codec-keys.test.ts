import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonCodec } from "./codec.ts";

const codec = jsonCodec();

/** Objects whose keys V8 has seen: it takes the key of a later text for one of these, where the escapes agree. */
const seen = ["\\", "a\\nb", "\\\\", "\\u0041", '\\"'].map(
  (key) => JSON.parse(JSON.stringify({ p: 1, [key]: 1 })) as object,
);

describe("keys with escapes are read as they are written", () => {
  test.each(["\n", "\ud800", '"', '"x', "\\", "\\x", "\u0001", "a\nb", "A", "\\\\"])("%j", (key) => {
    expect(seen).toHaveLength(5);
    for (const value of [{ p: 1, [key]: 1 }, [{ p: 1, [key]: { p: 1, [key]: undefined } }]]) {
      expect(codec.decode(codec.encode(value))).toStrictEqual(value);
    }
  });

  test("any keys, in any order, after any others", () => {
    const key = fc.string({
      unit: fc.constantFrom("\\", "\n", '"', "n", "u", "0", "\ud800", "\ue000", "a"),
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.array(fc.uniqueArray(key, { maxLength: 4 }), { minLength: 1, maxLength: 6 }), (lists) => {
        for (const keys of lists) {
          const value = Object.fromEntries(keys.map((each, index) => [each, index]));
          const back = codec.decode(codec.encode(value)) as object;
          expect(Object.entries(back)).toEqual(Object.entries(value));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("also __proto__, numbers and what stands twice, as a person may write them", () => {
    expect(Object.entries(codec.decode('{"\\u005f_proto__":1,"b":2,"\\u0062":3,"\\u0031":4}') as object)).toEqual([
      ["1", 4],
      ["__proto__", 1],
      ["b", 3],
    ]);
  });
});
