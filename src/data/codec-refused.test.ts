import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { isPerdureError } from "../errors.ts";
import { jsonCodec, type EncodeOptions } from "./codec.ts";

class Cart {
  readonly items: unknown[] = [];
}

const codec = jsonCodec().register("Cart", Cart, { encode: (cart) => cart.items, decode: () => new Cart() });

/** The error that encoding gives: it must be one, and have the code. */
function refusal(value: unknown, options: EncodeOptions = { name: "userData.42" }): Error {
  try {
    codec.encode(value, options);
  } catch (error) {
    if (isPerdureError(error, "PERDURE_CANNOT_KEEP")) return error;
    throw error;
  }
  throw new Error("it was kept");
}

const refused = () => 1;

describe("the path to what cannot be kept", () => {
  test.each<[value: unknown, path: string]>([
    [refused, "userData.42"],
    [{ cart: [1, 2, 3, { save: refused }] }, "userData.42.cart[3].save"],
    [{ "odd key": refused }, 'userData.42["odd key"]'],
    [{ "": refused }, 'userData.42[""]'],
    [{ 7: refused }, 'userData.42["7"]'],
    [{ naïve_$1: refused }, "userData.42.naïve_$1"],
    [{ 'a"b': refused }, 'userData.42["a\\"b"]'],
    [{ __proto__: null, a: refused }, "userData.42.a"],
    [{ $escaped: refused }, "userData.42.$escaped"],
    [{ u: undefined, a: { b: refused } }, "userData.42.a.b"],
    // oxlint-disable-next-line no-sparse-arrays
    [[, refused], "userData.42[1]"],
    [new Map([["key", refused]]), 'userData.42.get("key")'],
    [new Map([[7, refused]]), "userData.42.get(7)"],
    [new Map([[7n, refused]]), "userData.42.get(7n)"],
    [new Map([[null, refused]]), "userData.42.get(null)"],
    [new Map([[undefined, refused]]), "userData.42.get(undefined)"],
    [
      new Map<unknown, unknown>([
        [1, 1],
        [{}, { a: refused }],
      ]),
      "userData.42.get(<key 1>).a",
    ],
    [
      new Map<unknown, unknown>([
        [1, 1],
        [{ a: [refused] }, 1],
      ]),
      "userData.42<key 1>.a[0]",
    ],
    [new Map([[refused, 1]]), "userData.42<key 0>"],
    [new Set([1, 2, { a: refused }]), "userData.42<member 2>.a"],
    [{ cart: Object.assign(new Cart(), { items: [refused] }) }, "userData.42.cart<Cart>[0]"],
    [{ ["k".repeat(100)]: refused }, `userData.42["${"k".repeat(60)}…"]`],
  ])("begins the message, %#", (value, path) => {
    expect(refusal(value).message.startsWith(`${path}: a function cannot be kept. `)).toBe(true);
  });

  test("begins with the name that the value has, by default value", () => {
    expect(refusal([refused], { name: "botData" }).message).toMatch(/^botData\[0\]: /);
    expect(refusal([refused], {}).message).toMatch(/^value\[0\]: /);
  });
});

class Unregistered {}
class Names extends Set {}
class List extends Array {}
class When extends Date {}
class Bytes extends Uint8Array {}
class Special extends Cart {}

class OddName {
  static readonly name = 5 as unknown as string;
}

const NamedMap = { Map: class Map extends globalThis.Map {} }.Map;

function* generator(): Generator<number> {
  yield 1;
}

function withProperty<T extends object>(object: T): T {
  return Object.assign(object, { extra: 1 });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const throwing = {
  get a(): unknown {
    throw new Error("no way");
  },
};

describe("what cannot be kept says what it is and what to do", () => {
  test.each<[what: string, value: unknown, message: string]>([
    ["a function", [refused], "[0]: a function cannot be kept. Keep the data"],
    ["a class", [Cart], "[0]: a function cannot be kept. "],
    ["a symbol", [Symbol("x")], "[0]: a symbol cannot be kept. Keep its description"],
    [
      "a symbol as a key",
      { [Symbol("x")]: 1 },
      "[Symbol(x)]: a property whose key is a symbol cannot be kept. Use a string",
    ],
    ["a symbol as a key of an array", Object.assign([1], { [Symbol("x")]: 1 }), "[Symbol(x)]: a property whose key"],
    ["a symbol as a key of a Map", Object.assign(new Map(), { [Symbol("x")]: 1 }), "[Symbol(x)]: a property whose key"],
    [
      "an instance",
      [new Unregistered()],
      '[0]: an instance of the class Unregistered cannot be kept. Register the class, codec.register("Unregistered", Unregistered, {',
    ],
    [
      "an instance of a registered class's subclass",
      [new Special()],
      "[0]: an instance of the class Special cannot be kept. Register",
    ],
    [
      "a Map without a prototype",
      [Object.setPrototypeOf(new Map(), null)],
      "[0]: an object with a prototype of its own ",
    ],
    ["an array without the prototype of one", [Object.setPrototypeOf([1], Object.prototype)], "[0]: an object with a "],
    ["an instance of a class with an odd name", [new OddName()], "[0]: an object with a prototype of its own cannot "],
    [
      "an instance of a class without a name",
      [new (class {})()],
      "[0]: an object with a prototype of its own cannot be kept. Keep a plain object",
    ],
    [
      "an object on top of another",
      [Object.create({ a: 1 })],
      "[0]: an object with a prototype of its own cannot be kept. ",
    ],
    [
      "a subclass of Set",
      [new Names()],
      "[0]: an instance of the class Names cannot be kept (it would come back as a mere Set). Register",
    ],
    [
      "a subclass of Map",
      [new (class Index extends Map {})()],
      "[0]: an instance of the class Index cannot be kept (it would come back as a mere Map). ",
    ],
    [
      "a subclass of Array",
      [new List()],
      "[0]: an instance of the class List cannot be kept (it would come back as a mere Array). ",
    ],
    [
      "a subclass of Date",
      [new When()],
      "[0]: an instance of the class When cannot be kept (it would come back as a mere Date). ",
    ],
    [
      "a subclass of Uint8Array",
      [new Bytes()],
      "[0]: an instance of the class Bytes cannot be kept (it would come back as a mere Uint8Array). ",
    ],
    [
      "a subclass of Map that has its name",
      [new NamedMap()],
      "[0]: an instance of the class Map cannot be kept (it would come back as a mere Map). ",
    ],
    [
      "a subclass from another realm",
      [runInNewContext("new (class Index extends Map {})()")],
      "[0]: an instance of the class Index cannot be kept (it would come back as a mere Map). ",
    ],
    [
      "a proxy of a Map",
      [new Proxy(new Map(), {})],
      "[0]: what claims to be a Map and is none (a proxy?) cannot be kept. ",
    ],
    ["what has the prototype of Date", [Object.create(Date.prototype)], "[0]: what claims to be a Date and is none "],
    ["a Promise", [Promise.resolve(1)], "[0]: a Promise cannot be kept. Missing await?"],
    ["a WeakMap", [new WeakMap()], "[0]: a WeakMap cannot be kept, as nobody can list what is in it. Keep a Map."],
    ["a WeakSet", [new WeakSet()], "[0]: a WeakSet cannot be kept, as nobody can list what is in it. Keep a Set."],
    ["a WeakRef", [new WeakRef({})], "[0]: a WeakRef cannot be kept. "],
    ["a RegExp", [/a/], "[0]: a RegExp cannot be kept. Keep its source"],
    ["an Error", [new TypeError("x")], "[0]: an Error cannot be kept. Keep its message"],
    ["a URL", [new URL("http://a")], "[0]: a URL cannot be kept. Keep its href"],
    ["a boxed string", [Object("a")], "[0]: an object around a primitive cannot be kept. "],
    ["a boxed number", [Object(1)], "[0]: an object around a primitive cannot be kept. "],
    ["a generator", [generator()], "[0]: a generator cannot be kept. "],
    ["an array iterator", [[1].values()], "[0]: an iterator cannot be kept. "],
    ["a Map iterator", [new Map().entries()], "[0]: an iterator cannot be kept. "],
    ["shared memory", [new SharedArrayBuffer(1)], "[0]: shared memory cannot be kept. "],
    ["a view of shared memory", [new Uint8Array(new SharedArrayBuffer(1))], "[0]: shared memory cannot be kept. "],
    [
      "an array with a name",
      { a: withProperty([1]) },
      ".a.extra: a named property of a built-in Array cannot be kept. ",
    ],
    // oxlint-disable-next-line no-sparse-arrays
    ["an array with a hole and a name", { a: withProperty([,]) }, ".a.extra: a named property of a built-in Array "],
    ["the result of a match", "abc".match(/b/), ".groups: a named property of a built-in Array cannot be kept. "],
    [
      "an array with a name beyond all indexes",
      Object.assign([1], { 4294967295: 1 }),
      '["4294967295"]: a named property',
    ],
    ["a Map with a name", [withProperty(new Map())], "[0].extra: a named property of a built-in Map cannot be kept. "],
    ["a Set with a name", [withProperty(new Set())], "[0].extra: a named property of a built-in Set cannot be kept. "],
    [
      "a Date with a name",
      [withProperty(new Date())],
      "[0].extra: a named property of a built-in Date cannot be kept. ",
    ],
    ["bytes with a name", [withProperty(new Uint8Array(9))], "[0].extra: a named property of a built-in Uint8Array "],
    ["a Buffer with a name", [withProperty(Buffer.from("a"))], "[0].extra: a named property of a built-in Buffer "],
    [
      "an ArrayBuffer with a name",
      [withProperty(new ArrayBuffer(1))],
      "[0].extra: a named property of a built-in ArrayBuffer ",
    ],
    ["a getter that throws", [throwing], "[0].a: it cannot be read: no way"],
    ["a getter that throws beside something special", [undefined, throwing], "[1].a: it cannot be read: no way"],
    ["a proxy that is revoked", [revoked()], "[0]: it cannot be read: "],
  ])("%s", (_, value, message) => {
    const { message: actual } = refusal(value);
    expect(actual.slice(0, "userData.42".length + message.length)).toBe(`userData.42${message}`);
  });
});

test("a property that is not enumerable and has a symbol as key hides nothing that is refused", () => {
  const value = { a: refused };
  Object.defineProperty(value, Symbol("x"), { value: 1, enumerable: false });
  expect(refusal(value).message).toMatch(/^userData\.42\.a: a function/);
});

test("the error that reading gave is the cause", () => {
  expect(refusal(throwing).cause).toEqual(new Error("no way"));
  expect("cause" in refusal(refused)).toBe(false);
});

describe("a cycle through a registered class is refused", () => {
  test("where the class contains itself", () => {
    const cart = new Cart();
    cart.items.push({ owner: cart });
    expect(refusal({ cart }).message).toMatch(
      /^userData\.42\.cart<Cart>\[0\]\.owner: a registered class cannot refer back/,
    );
  });

  test("where the class contains what contains it", () => {
    const cart = new Cart();
    const value = { list: [cart] };
    cart.items.push(value);
    expect(refusal(value).message).toMatch(/^userData\.42\.list\[0\]<Cart>\[0\]: a registered class cannot refer back/);
  });

  test("but not a cycle inside of what the class gives", () => {
    const cart = new Cart();
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    cart.items.push(cyclic);
    expect(codec.encode(cart)).toBe('{"$class":["Cart",[[{"$ref":["$class",1,0]}]]]}');
  });
});
