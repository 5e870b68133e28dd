import type { ConformanceCase } from "../conformance-case.ts";
import { PLAIN } from "../contract.ts";
import { holds, same } from "../expectations.ts";
import { SLOTS } from "./slots.ts";

/** A value, made anew at each call, so that what comes back is compared with something that nobody has touched. */
type Sample = readonly [name: string, make: () => unknown];

const JSON_SAMPLES: readonly Sample[] = [
  ["null", () => null],
  ["booleans", () => [true, false]],
  ["texts", () => ["", " ", "ä", "日本", "👩‍🚀", "\u0000", '\n\t"\\', "\u2028", "'; drop table x; --", "$1 %s {0}"]],
  ["a lone surrogate", () => "\ud800"],
  ["integers", () => [0, 1, -1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1]],
  ["fractions", () => [0.1, -1.5, 1e21, 1e-7, Number.MAX_VALUE, Number.MIN_VALUE]],
  ["an empty list and an empty object", () => [[], {}, [[]], [{}]]],
  ["a list with null", () => [null, [null]]],
  ["odd keys", () => ({ "": 1, " ": 2, "a.b": 3, $set: 4, "0": 5, ключ: 6, 'quo"te': 7, constructor: 8, length: 9 })],
  ["texts that look like other values", () => ["null", "1", "true", "2024-02-01T00:00:00.000Z", "{}", "[]"]],
  ["an object that looks like a tag of the codec", () => ({ $date: "2024-02-01T00:00:00.000Z" })],
  ["deep nesting", () => nested(100)],
  ["a long text", () => "x€".repeat(100_000)],
];

const OTHER_SAMPLES: readonly Sample[] = [
  ["undefined as a property", () => ({ a: undefined, b: 1 })],
  ["undefined in a list", () => [1, undefined]],
  ["-0", () => [-0, { zero: -0 }]],
  ["NaN and the infinities", () => [NaN, Infinity, -Infinity]],
  ["bigint", () => [0n, -1n, 2n ** 100n]],
  ["Date", () => [new Date(0), new Date(1_700_000_000_123), new Date(-1)]],
  [
    "Map",
    () =>
      new Map<unknown, unknown>([
        ["b", 1],
        ["a", new Map([[1, { a: undefined }]])],
        [{ key: 1 }, null],
      ]),
  ],
  ["Set", () => new Set<unknown>(["b", "a", 1, "1", new Set()])],
  ["Uint8Array", () => new Uint8Array([0, 1, 254, 255])],
  [
    "other typed arrays",
    () => [new Float64Array([0.1, -0, NaN]), new Int16Array([-1]), new BigInt64Array([-(2n ** 63n)])],
  ],
  ["the keys __proto__ and constructor", () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"a":1}}')],
];

/** Which values come back as they were. */
export const valueCases: readonly ConformanceCase[] = [
  ...JSON_SAMPLES.map((sample) => sampleCase("JSON", sample)),
  ...OTHER_SAMPLES.map((sample): ConformanceCase => ({ ...sampleCase("other", sample), needs: ["all values"] })),
  {
    name: "other values: the order of a Map and of a Set (PTB 38)",
    contract: PLAIN.kept,
    needs: ["all values"],
    run: async (setting) => {
      const persistence = await setting.open();
      await persistence.updateBotData({
        map: new Map([
          ["b", 1],
          ["a", 2],
        ]),
        set: new Set([3, 1, 2]),
      });
      const again = await setting.reopen(persistence);
      const { map, set } = (await again.getBotData()) as { map: Map<string, number>; set: Set<number> };
      same(
        [[...map.keys()], [...set]],
        [
          ["b", "a"],
          [3, 1, 2],
        ],
        "the keys of the Map and the members of the Set",
      );
    },
  },
  {
    name: "other values: what was one object comes back as one, also in a circle (PTB 39)",
    contract: PLAIN.kept,
    needs: ["all values"],
    run: async (setting) => {
      interface Circle {
        self?: Circle;
        readonly first: object;
        readonly second: object;
      }
      const shared = { a: 1 };
      const circle: Circle = { first: shared, second: shared };
      circle.self = circle;
      const persistence = await setting.open();
      await persistence.updateBotData(circle);
      const again = await setting.reopen(persistence);
      const back = (await again.getBotData()) as Circle | undefined;
      holds(back?.self === back && back !== undefined, "data.self of a circle", "the data itself", back);
      holds(back?.first === back?.second, "two properties that had one object", "one object", back);
      same(back?.first, { a: 1 }, "this object");
    },
  },
];

function sampleCase(group: string, [name, make]: Sample): ConformanceCase {
  return {
    name: `${group} values: ${name}, in every kind of data (PTB 12, 13)`,
    contract: PLAIN.kept,
    run: async (setting) => {
      const persistence = await setting.open();
      for (const { put } of SLOTS) await put(persistence, { value: make() });
      const again = await setting.reopen(persistence);
      for (const { name: kind, take } of SLOTS) same(await take(again), { value: make() }, `the ${kind}`);
      holds(!("polluted" in {}), "the prototype of all objects", "as it was", Object.prototype);
    },
  };
}

function nested(depth: number): unknown {
  return depth === 0 ? "deep" : [{ inner: nested(depth - 1) }];
}
