import fc from "fast-check";
import { expect, test } from "vitest";
import { isPerdureError } from "../errors.ts";
import { jsonCodec, type Codec } from "./codec.ts";

/** A class without any special treatment, kept by registration. */
class Cart {
  readonly items: unknown;

  constructor(items: unknown) {
    this.items = items;
  }
}

/** A class on top of a built-in one. */
class Names extends Set<string> {}

function codecWithClasses(): Codec {
  return jsonCodec()
    .register("Cart", Cart, { encode: (cart) => cart.items, decode: (items) => new Cart(items) })
    .register("Names", Names, { encode: (names) => [...names], decode: (names) => new Names(names) });
}

/** What a graph of objects is made from. Numbers in lists stand for nodes or scalars, see {@link build}. */
interface Description {
  readonly scalars: readonly unknown[];
  readonly leaves: readonly Leaf[];
  readonly nodes: readonly Node[];
}

type Leaf = readonly [kind: (typeof leafKinds)[number], seed: number, text: string];
type Node = readonly [kind: (typeof nodeKinds)[number], children: readonly number[], keys: readonly string[]];

const leafKinds = [
  "date",
  "invalid date",
  "bytes",
  "buffer",
  "floats",
  "bigints",
  "view",
  "memory",
  "cart",
  "names",
  "empty",
] as const;
const nodeKinds = ["object", "null", "array", "sparse", "map", "set"] as const;

const anyString = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("\ud800", "\udc00a", '{"$map":[]}', "\u2028", "$", "\\u0024", '"', "\\"),
);

const key = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom("__proto__", "constructor", "toString", "toJSON", "length", "", "0", "1", "-1"),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom("$map", "$ref", "$plain", "$class", "$undefined", "$", "$$", "$date", "$live"),
  },
  { weight: 3, arbitrary: fc.constantFrom("a", "b", "c") },
  { weight: 1, arbitrary: anyString },
);

const scalar = fc.oneof(
  anyString,
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.constantFrom(undefined, null, true, false, -0, 0, Number.NaN, Infinity, -Infinity, 2 ** 53, 5e-324),
);

const description: fc.Arbitrary<Description> = fc.record({
  scalars: fc.array(scalar, { minLength: 1, maxLength: 8 }),
  leaves: fc.array(fc.tuple(fc.constantFrom(...leafKinds), fc.nat(), anyString), { minLength: 1, maxLength: 6 }),
  nodes: fc.array(
    fc.tuple(
      fc.constantFrom(...nodeKinds),
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.array(key, { minLength: 1, maxLength: 6 }),
    ),
    { minLength: 1, maxLength: 10 },
  ),
});

/** Makes the graph: nodes refer to any node, also to themselves; instances of classes to leaves that come before. */
function build({ scalars, leaves, nodes }: Description): unknown {
  const made: object[] = [];
  for (const leaf of leaves) made.push(buildLeaf(leaf, [...made, ...scalars]));
  const empty = nodes.map(([kind]) => emptyNode(kind));
  const all = [...empty, ...empty, ...made, ...scalars];
  for (const [index, [, children, keys]] of nodes.entries()) {
    fill(
      empty[index],
      keys,
      children.map((child) => all[child % all.length]),
    );
  }
  return empty[0];
}

function buildLeaf([kind, seed, text]: Leaf, earlier: readonly unknown[]): object {
  const bytes = Uint8Array.from({ length: (seed % 4) * 8 }, (_, index) => (seed >> (index % 24)) & 0xff);
  switch (kind) {
    case "date":
      return new Date(seed * 1000);
    case "invalid date":
      return new Date(Number.NaN);
    case "bytes":
      return bytes;
    case "buffer":
      return Buffer.from(text);
    case "floats":
      return new Float64Array(bytes.buffer);
    case "bigints":
      return new BigUint64Array(bytes.buffer);
    case "view":
      return new DataView(bytes.buffer);
    case "memory":
      return bytes.buffer;
    case "cart":
      return new Cart([earlier[seed % earlier.length], text, { total: seed, shared: earlier[seed % earlier.length] }]);
    case "names":
      return new Names([text, String(seed)]);
    case "empty":
      return {};
  }
}

function emptyNode(kind: (typeof nodeKinds)[number]): object {
  switch (kind) {
    case "object":
      return {};
    case "null":
      return Object.create(null) as object;
    case "array":
      return [];
    case "sparse":
      return Array.from({ length: 3 });
    case "map":
      return new Map();
    case "set":
      return new Set();
  }
}

function fill(node: unknown, keys: readonly string[], children: readonly unknown[]): void {
  if (Array.isArray(node)) {
    const isSparse = node.length > 0;
    for (const child of children) node.push(child);
    if (isSparse) Reflect.deleteProperty(node, 1);
  } else if (node instanceof Map) {
    for (const [index, child] of children.entries()) node.set(child, children[index + 1]);
  } else if (node instanceof Set) {
    for (const child of children) node.add(child);
  } else {
    for (const [index, child] of children.entries()) {
      const property = { value: child, enumerable: true, configurable: true, writable: true };
      Object.defineProperty(node, keys[index % keys.length] ?? "", property);
    }
  }
}

/**
 * Where two graphs differ, undefined if nowhere: in a value, in order, in prototypes, in holes, or in which objects are
 * the same one. Every object of one graph must stand for one object of the other.
 */
function difference(
  left: unknown,
  right: unknown,
  pairs: Map<unknown, unknown> = new Map(),
  path = "",
): string | undefined {
  if (typeof left !== "object" || left === null) return Object.is(left, right) ? undefined : `${path}: ${String(left)}`;
  if (typeof right !== "object" || right === null) return `${path}: an object`;
  if (pairs.has(left)) return pairs.get(left) === right ? undefined : `${path}: another identity`;
  if ([...pairs.values()].includes(right)) return `${path}: the same identity`;
  pairs.set(left, right);
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return `${path}: another prototype`;
  const [leftParts, rightParts] = [partsOf(left), partsOf(right)];
  if (leftParts.length !== rightParts.length) return `${path}: another size`;
  for (const [index, part] of leftParts.entries()) {
    const found = difference(part, rightParts[index], pairs, `${path}/${index}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Everything that an object is, in order. */
function partsOf(object: object): readonly unknown[] {
  if (object instanceof Map) return [...object].flat();
  if (object instanceof Set) return [...object];
  if (object instanceof Date) return [object.getTime()];
  if (object instanceof ArrayBuffer) return [...new Uint8Array(object)];
  if (ArrayBuffer.isView(object)) return [...new Uint8Array(object.buffer, object.byteOffset, object.byteLength)];
  const own = Object.entries(object).flat();
  return Array.isArray(object) ? [object.length, ...own] : own;
}

const codec = codecWithClasses();

test("every graph of values comes back the same, and is not changed", () => {
  fc.assert(
    fc.property(description, (each) => {
      const value = build(each);
      const back = codec.decode(codec.encode(value));
      expect(difference(value, back)).toBeUndefined();
      expect(difference(value, build(each))).toBeUndefined();
    }),
    { numRuns: 3000 },
  );
});

test("the same value gives the same text, before and after a round trip", () => {
  fc.assert(
    fc.property(description, (each) => {
      const text = codec.encode(build(each));
      expect(codec.encode(build(each))).toBe(text);
      expect(codec.encode(codec.decode(text))).toBe(text);
    }),
    { numRuns: 1000 },
  );
});

/** JSON values as data: no key that makes a tag. */
const json = fc.jsonValue({ maxDepth: 5, noUnicodeString: false }).filter((value) => !Object.is(value, -0));

test("plain JSON stays exactly what JSON.stringify gives, also beside something special", () => {
  fc.assert(
    fc.property(json, (value) => {
      // JSON.parse, since the generator makes -0 and objects without a prototype.
      const plain: unknown = JSON.parse(JSON.stringify(value));
      const text = JSON.stringify(plain);
      fc.pre(!/"\$/.test(text));
      expect(codec.encode(plain)).toBe(text);
      expect(codec.encode([plain, undefined])).toBe(`[${text},{"$undefined":true}]`);
    }),
    { numRuns: 1000 },
  );
});

const tagContent = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(1, "x", null, true, "AAAA", "1", "NaN", "Cart", 4_294_967_295),
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(key, tie("node"), { maxKeys: 2 }),
    fc
      .tuple(
        fc.constantFrom(
          "$map",
          "$set",
          "$date",
          "$bigint",
          "$undefined",
          "$number",
          "$bytes",
          "$typed",
          "$sparse",
          "$null",
          "$ref",
          "$class",
          "$live",
          "$plain",
          "$new",
        ),
        fc.oneof(
          tie("node"),
          fc.tuple(fc.constantFrom<unknown>("Cart", "Names", "DataView", "Int16Array", 3), tie("node")),
          fc.array(fc.constantFrom(0, "$map", "a", 1)),
        ),
      )
      .map(([tag, content]) => ({ [tag]: content })),
  ),
})).node;

/** What a text decodes to, undefined if it is refused as it should be. Any other error is a failure. */
function decodedOrRefused(text: string): { value: unknown } | undefined {
  try {
    return { value: codec.decode(text) };
  } catch (error) {
    if (isPerdureError(error, "PERDURE_CANNOT_DECODE")) return undefined;
    throw error;
  }
}

test("any JSON text is either refused with the code of a text, or gives a value that can be kept", () => {
  let accepted = 0;
  fc.assert(
    fc.property(tagContent, (content) => {
      const decoded = decodedOrRefused(JSON.stringify(content));
      if (decoded === undefined) return;
      accepted += 1;
      expect(difference(codec.decode(codec.encode(decoded.value)), decoded.value)).toBeUndefined();
    }),
    { numRuns: 4000 },
  );
  expect(accepted).toBeGreaterThan(500);
});

test("a text with any one character changed is refused or read, never anything else", () => {
  const change = fc.tuple(description, fc.nat(), fc.constantFrom("", "$", "[", '"', "0", "}", "x"));
  let refused = 0;
  fc.assert(
    fc.property(change, ([each, position, instead]) => {
      const text = codec.encode(build(each));
      const at = position % text.length;
      if (decodedOrRefused(text.slice(0, at) + instead + text.slice(at + 1)) === undefined) refused += 1;
    }),
    { numRuns: 2000 },
  );
  expect(refused).toBeGreaterThan(200);
});
