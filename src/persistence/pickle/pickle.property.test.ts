import fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { jsonCodec } from "../../data/codec.ts";
import { PythonDate } from "../../data/python/python-date.ts";
import { PythonDatetime } from "../../data/python/python-datetime.ts";
import { PythonDecimal } from "../../data/python/python-decimal.ts";
import { PythonDeque } from "../../data/python/python-deque.ts";
import { PythonDict } from "../../data/python/python-dict.ts";
import { PythonEnum } from "../../data/python/python-enum.ts";
import { PythonFrozenset } from "../../data/python/python-frozenset.ts";
import { PythonGlobal } from "../../data/python/python-global.ts";
import { PythonObject } from "../../data/python/python-object.ts";
import { PythonTime } from "../../data/python/python-time.ts";
import { PythonTimedelta } from "../../data/python/python-timedelta.ts";
import { PythonTimezone } from "../../data/python/python-timezone.ts";
import { PythonTuple } from "../../data/python/python-tuple.ts";
import { PythonUuid } from "../../data/python/python-uuid.ts";
import { isPerdureError } from "../../errors.ts";
import { FromJavaScript } from "./python/from-javascript.ts";
import { ToJavaScript } from "./python/to-javascript.ts";
import { readPickle } from "./reader/read-pickle.ts";
import { writePickle } from "./writer/write-pickle.ts";

const anyString = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("__proto__", "", "1", "constructor", "\ud83d\ude00", "\ud800", "\ufffd", "x".repeat(300)),
);

const global = fc.constantFrom(new PythonGlobal("mybot.models", "Color"), new PythonGlobal("builtins", "int"));
const offset = fc.integer({ min: -86_399, max: 86_399 });
const zone = fc.oneof(
  offset.map((seconds) => new PythonTimezone("datetime", { offset: seconds })),
  offset.map((seconds) => new PythonTimezone("datetime", { offset: seconds, name: "X" })),
  fc.constantFrom("Europe/Berlin", "UTC").map((name) => new PythonTimezone("zoneinfo", { name })),
  fc.constant(new PythonTimezone("pytz", { name: "Europe/Berlin", offset: 7200, dst: 3600, abbreviation: "CEST" })),
  fc.constant(new PythonTimezone("pytz", { name: "UTC", offset: 0 })),
  fc.constant(new PythonTimezone("pytz", { offset: 5400 })),
);
const date = fc.date({
  min: new Date("0001-01-01T00:00:00Z"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});
const micros = fc.integer({ min: 1, max: 999 }).map((value) => String(value).padStart(3, "0"));
const fold = fc.constantFrom<(0 | 1)[]>(0, 1);

const ofPython = fc.oneof(
  global,
  zone,
  fc
    .tuple(date, micros, fc.option(zone), fold)
    .map(([when, end, at, twice]) => new PythonDatetime(`${when.toISOString().slice(0, 23)}${end}`, at, twice)),
  fc
    .tuple(date, fc.option(zone), fold)
    .map(([when, at, twice]) => new PythonTime(`${when.toISOString().slice(11, 23)}000`, at, twice)),
  date.map((when) => new PythonDate(when.toISOString().slice(0, 10))),
  fc
    .tuple(fc.integer({ min: -1000, max: 1000 }), fc.nat(86_399), fc.nat(999_999))
    .map((parts) => new PythonTimedelta(...parts)),
  fc.constantFrom("1.10", "-0", "NaN", "1E+5").map((text) => new PythonDecimal(text)),
  fc.uuid().map((text) => new PythonUuid(text)),
  fc.constant(new PythonEnum(new PythonGlobal("mybot.models", "Color"), { member: "RED" })),
  fc.constantFrom("a", 1, true).map((value) => new PythonEnum(new PythonGlobal("mybot.models", "Color"), { value })),
);

const key = fc.oneof(anyString, fc.maxSafeInteger(), fc.double(), fc.constantFrom(null, true, false), ofPython);

const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(
      anyString,
      fc.double(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.bigInt(),
      fc.constantFrom(
        null,
        true,
        false,
        -0,
        1e16,
        2 ** 53,
        Number.NaN,
        Infinity,
        -Infinity,
        0n,
        255n,
        -1n,
        2n ** 2100n,
      ),
      date,
      fc.uint8Array({ maxLength: 300 }),
      ofPython,
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(anyString, tie("value"), { maxKeys: 4 }),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(key, { maxLength: 4 }).map((members) => new Set(members)),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => new PythonTuple(items)),
    fc.array(key, { maxLength: 4 }).map((items) => new PythonFrozenset(items)),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => new PythonDeque(items, 9)),
    fc
      .dictionary(anyString, tie("value"))
      .map((all) => new PythonDict("defaultdict", Object.entries(all), new PythonGlobal("builtins", "list"))),
    fc
      .tuple(fc.dictionary(anyString, tie("value"), { maxKeys: 3 }), fc.array(tie("value"), { maxLength: 2 }))
      .map(([state, items]) => new PythonObject({ from: new PythonGlobal("mybot.models", "Player"), state, items })),
  ),
})).value;

/** Written as a pickle and read back; undefined if it is refused, since it has no equal in Python. */
function throughPickle(value: unknown): { readonly value: unknown } | undefined {
  try {
    const description = new FromJavaScript(undefined).describe(value, "value");
    return { value: new ToJavaScript({}).value(readPickle(writePickle(description)), "value") };
  } catch (error) {
    if (isPerdureError(error, "PERDURE_CANNOT_KEEP")) return undefined;
    throw error;
  }
}

test("what the codec keeps and what has an equal in Python is the same after a pickle", () => {
  let kept = 0;
  const runs = 1000;
  fc.assert(
    fc.property(anyValue, (value) => {
      const codec = jsonCodec();
      const original = codec.decode(codec.encode(value));
      const after = throughPickle(original);
      if (after === undefined) return;
      kept += 1;
      expect(isDeepStrictEqual(after.value, original)).toBe(true);
    }),
    { numRuns: runs },
  );
  expect(kept).toBeGreaterThan(runs / 2);
});

test("what is shared or in a circle stays so", () => {
  const list: unknown[] = [1];
  const shared = { list };
  list.push(shared, new PythonTuple([list]), new Map<unknown, unknown>([[1, list]]));
  const deque = new PythonDeque([]);
  deque.items.push(deque, new PythonDict("Counter", [["a", deque]]));
  const made = throughPickle({ shared, again: shared, deque })?.value as {
    shared: { list: unknown[] };
    again: object;
    deque: PythonDeque;
  };
  expect(made.again).toBe(made.shared);
  expect(made.shared.list[1]).toBe(made.shared);
  expect((made.shared.list[2] as PythonTuple).items[0]).toBe(made.shared.list);
  expect(made.deque.items[0]).toBe(made.deque);
  const codec = jsonCodec();
  expect(codec.encode(codec.decode(codec.encode(made)))).toBe(codec.encode(made));
});

test("a tuple that is in itself is refused, and does not go on for ever", () => {
  const items: unknown[] = [];
  const tuple = new PythonTuple(items);
  items.push(new PythonTuple([tuple]));
  expect(throughPickle([tuple])).toBeUndefined();
});
