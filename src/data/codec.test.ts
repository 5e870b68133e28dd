import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { jsonCodec } from "./codec.ts";

const codec = jsonCodec();

function roundTrip(value: unknown): unknown {
  return codec.decode(codec.encode(value));
}

function withoutPrototype(properties: object): object {
  return Object.assign(Object.create(null) as object, properties);
}

function arrayOfHoles(length: number): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return array;
}

// oxlint-disable-next-line no-sparse-arrays
const withHoles = [1, , 3, ,];

// The text of every kind of value. It is kept for years: a change here is a change of the format.
describe.each<[what: string, value: unknown, text: string]>([
  ["a string", "a", '"a"'],
  ["null", null, "null"],
  ["a number", 1.5, "1.5"],
  ["a plain object", { b: [1, "x"], a: { c: true } }, '{"b":[1,"x"],"a":{"c":true}}'],
  ["undefined", undefined, '{"$undefined":true}'],
  ["a property that is undefined", { a: undefined }, '{"a":{"$undefined":true}}'],
  ["an element that is undefined", [undefined], '[{"$undefined":true}]'],
  ["NaN", Number.NaN, '{"$number":"NaN"}'],
  ["Infinity", Infinity, '{"$number":"Infinity"}'],
  ["-Infinity", -Infinity, '{"$number":"-Infinity"}'],
  ["-0", -0, '{"$number":"-0"}'],
  ["a bigint", -(2n ** 70n), '{"$bigint":"-1180591620717411303424"}'],
  ["a Date", new Date(0), '{"$date":"1970-01-01T00:00:00.000Z"}'],
  ["a Date far away", new Date(8.64e15), '{"$date":"+275760-09-13T00:00:00.000Z"}'],
  ["an invalid Date", new Date(Number.NaN), '{"$date":null}'],
  [
    "a Map",
    new Map([
      ["a", 1],
      ["b", 2],
    ]),
    '{"$map":[["a",1],["b",2]]}',
  ],
  ["a Map with objects as keys", new Map([[{ a: 1 }, [2]]]), '{"$map":[[{"a":1},[2]]]}'],
  ["an empty Map", new Map(), '{"$map":[]}'],
  ["a Set", new Set(["b", "a", {}]), '{"$set":["b","a",{}]}'],
  ["an empty Set", new Set(), '{"$set":[]}'],
  ["bytes", new Uint8Array([1, 2, 255]), '{"$bytes":"AQL/"}'],
  ["bytes that are a part of others", new Uint8Array([1, 2, 3]).subarray(1, 2), '{"$bytes":"Ag=="}'],
  ["a Buffer", Buffer.from("hi"), '{"$typed":["Buffer","aGk="]}'],
  [
    "a Float64Array",
    new Float64Array([1.5, -0, Number.NaN]),
    '{"$typed":["Float64Array","AAAAAAAA+D8AAAAAAAAAgAAAAAAAAPh/"]}',
  ],
  ["an Int8Array", new Int8Array([-1]), '{"$typed":["Int8Array","/w=="]}'],
  ["a Uint8ClampedArray", new Uint8ClampedArray([7]), '{"$typed":["Uint8ClampedArray","Bw=="]}'],
  ["an Int16Array", new Int16Array([-2]), '{"$typed":["Int16Array","/v8="]}'],
  ["a Uint16Array", new Uint16Array([258]), '{"$typed":["Uint16Array","AgE="]}'],
  ["an Int32Array", new Int32Array([-2]), '{"$typed":["Int32Array","/v///w=="]}'],
  ["a Uint32Array", new Uint32Array([1]), '{"$typed":["Uint32Array","AQAAAA=="]}'],
  ["a Float32Array", new Float32Array([1]), '{"$typed":["Float32Array","AACAPw=="]}'],
  ["a BigInt64Array", new BigInt64Array([-1n]), '{"$typed":["BigInt64Array","//////////8="]}'],
  ["a BigUint64Array", new BigUint64Array([1n]), '{"$typed":["BigUint64Array","AQAAAAAAAAA="]}'],
  ["a DataView", new DataView(new Uint8Array([1, 2]).buffer), '{"$typed":["DataView","AQI="]}'],
  ["an ArrayBuffer", new Uint8Array([1, 2]).buffer, '{"$typed":["ArrayBuffer","AQI="]}'],
  ["an array with holes", withHoles, '{"$sparse":[4,[[0,1],[2,3]]]}'],
  ["an array of holes", arrayOfHoles(2), '{"$sparse":[2,[]]}'],
  ["an object without prototype", withoutPrototype({ a: 1 }), '{"$null":{"a":1}}'],
  ["an object without prototype that looks like a tag", withoutPrototype({ $map: [] }), '{"$null":{"$map":[]}}'],
  ["an object that looks like a tag", { $map: [] }, '{"$plain":{"$map":[]}}'],
  ["an object that looks like an unknown tag", { $: 1 }, '{"$plain":{"$":1}}'],
  ["an object that looks like an escape", { $plain: { $plain: 1 } }, '{"$plain":{"$plain":{"$plain":{"$plain":1}}}}'],
  ["an object with a second key beside one with $", { $map: [], a: 1 }, '{"$map":[],"a":1}'],
  ["lone surrogates", { "\udc00": "\ud800a" }, '{"\\udc00":"\\ud800a"}'],
  [
    "lone surrogates beside a tag",
    [undefined, { "\udc00": "\ud800a" }],
    '[{"$undefined":true},{"\\udc00":"\\ud800a"}]',
  ],
  ["whole surrogates beside a tag", [undefined, "\u{1f600}"], '[{"$undefined":true},"\u{1f600}"]'],
  ["a text that looks like a tag", ['{"$map":[]}'], '["{\\"$map\\":[]}"]'],
])("%s", (_, value, text) => {
  test("is kept as a text that does not change", () => {
    expect(codec.encode(value)).toBe(text);
  });
  test("comes back the same", () => {
    expect(codec.decode(text)).toStrictEqual(value);
  });
});

const { Float16Array } = globalThis as unknown as { Float16Array?: new (values: number[]) => object };

test.skipIf(Float16Array === undefined)("a Float16Array is kept where Node has it", () => {
  const value = Float16Array && new Float16Array([1.5]);
  expect(codec.encode(value)).toBe('{"$typed":["Float16Array","AD4="]}');
  expect(roundTrip(value)).toStrictEqual(value);
});

test("typed arrays come back in memory of their own", () => {
  const [one, two] = roundTrip([new Uint8Array([1]), new Uint8Array([2])]) as [Uint8Array, Uint8Array];
  expect([one.buffer.byteLength, two.buffer.byteLength]).toEqual([1, 1]);
});

test("a Buffer comes back as a Buffer, and bytes as a Uint8Array", () => {
  const [buffer, bytes] = roundTrip([Buffer.from("hi"), new Uint8Array(2)]) as [Buffer, Uint8Array];
  expect(buffer.toString("latin1")).toBe("hi");
  expect(Buffer.isBuffer(bytes)).toBe(false);
});

describe("keys that mean something to JavaScript", () => {
  const text = '{"__proto__":{"polluted":1},"constructor":2,"toString":3,"hasOwnProperty":4,"toJSON":5}';

  test.each([
    ["alone", text],
    ["beside a tag", `{"u":{"$undefined":true},${text.slice(1)}`],
    ["escaped", '{"$plain":{"__proto__":{"polluted":1}}}'],
    ["without prototype", '{"$null":{"__proto__":{"polluted":1}}}'],
  ])("are data and pollute nothing, %s", (_, each) => {
    const value = codec.decode(each) as object;
    expect(Object.getOwnPropertyDescriptor(value, "__proto__")).toEqual({
      value: { polluted: 1 },
      enumerable: true,
      configurable: true,
      writable: true,
    });
    expect("polluted" in value).toBe(false);
    expect("polluted" in {}).toBe(false);
  });

  test.each<[string, object]>([
    ["alone", {}],
    ["beside a tag", { u: undefined }],
  ])("are kept, %s", (_, beside) => {
    const value = { ...(JSON.parse(text) as object), ...beside };
    expect(Object.entries(roundTrip(value) as object)).toEqual(Object.entries(value));
  });
});

describe("an object in several places", () => {
  test("is one object again, and stands in the text where it is first met", () => {
    const shared = { a: 1 };
    const value = { first: shared, list: [shared], map: new Map([["k", shared]]), members: new Set([shared]) };
    const text = codec.encode(value);
    expect(text).toBe(
      '{"first":{"a":1},"list":[{"$ref":["first"]}],"map":{"$map":[["k",{"$ref":["first"]}]]},"members":{"$set":[{"$ref":["first"]}]}}',
    );
    const back = codec.decode(text) as typeof value;
    expect([back.list[0], back.map.get("k"), ...back.members].every((each) => each === back.first)).toBe(true);
  });

  test.each<[string, (shared: object) => unknown, string]>([
    ["an escaped object", (shared) => ({ $a: shared }), '["$plain","$a"]'],
    ["an object without prototype", (shared) => withoutPrototype({ a: shared }), '["$null","a"]'],
    [
      "a Map key",
      (shared) =>
        new Map<unknown, unknown>([
          [1, 2],
          [shared, 3],
        ]),
      '["$map",1,0]',
    ],
    ["a Map value", (shared) => new Map([[1, shared]]), '["$map",0,1]'],
    ["a Set", (shared) => new Set([1, shared]), '["$set",1]'],
    // oxlint-disable-next-line no-sparse-arrays
    ["an array with holes", (shared) => [, , shared], '["$sparse",1,0,1]'],
  ])("is found through %s", (_, contain, path) => {
    const shared = { a: 1 };
    const text = codec.encode([contain(shared), shared]);
    expect(text).toContain(`{"$ref":[0,${path.slice(1)}}`);
    const back = codec.decode(text);
    expect(back).toStrictEqual([contain(shared), shared]);
    expect(codec.encode(back)).toBe(text);
  });

  test.each<[string, object]>([
    ["a Date", new Date(5)],
    ["a typed array", new Uint16Array([5])],
    ["a Buffer", Buffer.from("a")],
    ["an empty object", {}],
    ["an empty array", []],
  ])("is one object again: %s", (_, shared) => {
    const [first, second] = roundTrip([shared, shared]) as [object, object];
    expect(first).toBe(second);
    expect(first).toStrictEqual(shared);
  });

  test.each([0, 3, 63, 64, 65, 499])("is found among many objects, %i", (index) => {
    const objects = Array.from({ length: 500 }, (_, each) => ({ each }));
    const back = roundTrip([...objects, objects[index]]) as object[];
    expect(back[500]).toBe(back[index]);
  });

  test("may contain itself", () => {
    const object: Record<string, unknown> = {};
    object["self"] = object;
    const map = new Map<unknown, unknown>();
    map.set(map, map);
    const set = new Set<unknown>();
    set.add(set);
    const list: unknown[] = [object, map, set];
    list.push(list);
    const back = roundTrip(list) as [typeof object, typeof map, typeof set, unknown];
    expect(back[0]["self"]).toBe(back[0]);
    expect([...back[1]]).toEqual([[back[1], back[1]]]);
    expect([...back[2]]).toEqual([back[2]]);
    expect(back[3]).toBe(back);
    expect(codec.encode(object)).toBe('{"self":{"$ref":[]}}');
  });

  test("two equal objects stay two", () => {
    const [first, second] = roundTrip([{ a: 1 }, { a: 1 }]) as [object, object];
    expect(first).not.toBe(second);
  });
});

describe("plain objects", () => {
  test("of another realm are plain", () => {
    const foreign: unknown = runInNewContext(
      "({ list: [1], map: new Map([[1, new Set([2])]]), at: new Date(0), b: new Uint8Array(1) })",
    );
    expect(roundTrip(foreign)).toStrictEqual({
      list: [1],
      map: new Map([[1, new Set([2])]]),
      at: new Date(0),
      b: new Uint8Array(1),
    });
  });

  test("are read through getters", () => {
    const value = {
      get a() {
        return { b: undefined };
      },
      get c() {
        return 1;
      },
    };
    expect(roundTrip(value)).toStrictEqual({ a: { b: undefined }, c: 1 });
  });

  test("may be proxies", () => {
    const proxies = [new Proxy({ a: [1] }, {}), new Proxy([1, undefined], {})];
    expect(roundTrip(proxies)).toStrictEqual([{ a: [1] }, [1, undefined]]);
  });

  test.each([
    ["string", "hidden"],
    ["symbol", Symbol("hidden")],
  ])("lose non-enumerable properties (%s)", (_, key) => {
    const value = { a: 1 };
    Object.defineProperty(value, key, { value: () => 1, enumerable: false });
    expect(codec.encode(value)).toBe('{"a":1}');
  });

  test("are kept without asking a toJSON that is not enumerable", () => {
    const value = { a: 1 };
    Object.defineProperty(value, "toJSON", { value: () => "other", enumerable: false });
    expect(codec.encode(value)).toBe('{"a":1}');
  });

  test("are kept without asking a toJSON that all arrays were given", () => {
    Object.defineProperty(Array.prototype, "toJSON", { value: () => "other", configurable: true });
    const text = codec.encode([{ a: 1 }, new Date(0)]);
    Reflect.deleteProperty(Array.prototype, "toJSON");
    expect(text).toBe('[{"a":1},{"$date":"1970-01-01T00:00:00.000Z"}]');
  });

  test("are made where Object.prototype has a property that cannot be assigned", () => {
    Object.defineProperty(Object.prototype, "fixed", { value: 1, writable: false, configurable: true });
    const values = ['{"fixed":2}', '{"fixed":2,"u":{"$undefined":true}}'].map((text) => codec.decode(text));
    Reflect.deleteProperty(Object.prototype, "fixed");
    expect(values).toStrictEqual([{ fixed: 2 }, { fixed: 2, u: undefined }]);
  });

  test("are kept without what Object.prototype was given", () => {
    const polluted = { value: 1, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(Object.prototype, "polluted", polluted);
    const texts = [codec.encode({ $map: 1 }), codec.encode({ a: undefined })];
    Reflect.deleteProperty(Object.prototype, "polluted");
    expect(texts).toEqual(['{"$plain":{"$map":1}}', '{"a":{"$undefined":true}}']);
  });
});

test("what is decoded is fresh each time", () => {
  for (const text of ['{"a":[]}', '{"a":{"$map":[]}}']) {
    const [first, second] = [codec.decode(text), codec.decode(text)] as [{ a: object }, { a: object }];
    expect(first).not.toBe(second);
    expect(first.a).not.toBe(second.a);
  }
});

describe("1000 levels", () => {
  const wrappers: [string, (inner: unknown) => unknown][] = [
    ["arrays", (inner) => [inner]],
    ["objects", (inner) => ({ inner })],
    ["objects beside something special", (inner) => ({ inner, u: undefined })],
    ["escaped objects", (inner) => ({ $inner: inner })],
    ["Map values", (inner) => new Map([["k", inner]])],
    ["Map keys", (inner) => new Map([[inner, 1]])],
    ["Sets", (inner) => new Set([inner])],
    // oxlint-disable-next-line no-sparse-arrays
    ["arrays with holes", (inner) => [, inner]],
  ];

  function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
    let value: unknown = 1;
    for (let level = 0; level < levels; level += 1) value = wrap(value);
    return value;
  }

  test.each(wrappers)("of %s are kept and come back", (_, wrap) => {
    const text = codec.encode(nested(1000, wrap));
    expect(codec.encode(codec.decode(text))).toBe(text);
  });

  test.each(wrappers)("of %s are the limit", (_, wrap) => {
    const tooDeep = nested(1001, wrap);
    expect(() => codec.encode(tooDeep)).toThrow(/^value.+ … .+: nested deeper than 1000 levels/s);
  });

  test("are kept where the call stack is nearly used up", () => {
    const value = nested(999, (inner) => ({ inner, list: new Set([1]) }));
    const text = codec.encode(value);
    function inFrame<T>(frame: number, run: () => T): T {
      return frame === 0 ? run() : inFrame(frame - 1, run);
    }
    function framesLeft(): number {
      try {
        return 1 + framesLeft();
      } catch {
        return 0;
      }
    }
    const nearEnd = Math.floor(framesLeft() * 0.7);
    expect(inFrame(nearEnd, () => codec.encode(value))).toBe(text);
    expect(inFrame(nearEnd, () => codec.encode(codec.decode(text)))).toBe(text);
  });
});
