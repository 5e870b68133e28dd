import { cannotDecode, malformed, messageOf } from "./failures.ts";
import type { FilledClass, RegisteredClass } from "./classes.ts";
import type { Place, PlaceKind, Step } from "./place.ts";
import { setOwn } from "./set-own.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** An object that is made of the values in a node of the document. */
export interface Container {
  /** What is made, to which its own content may refer. An instance of a class is made last. */
  readonly made: object | undefined;
  readonly parts: readonly Part[];
  /** Takes the value of a part, in order. */
  put(value: unknown, part: Part): void;
  /** Makes the instance, where nothing was made before. */
  finish?(): object;
}

/** One node in the node of a container, with its place. */
export interface Part {
  readonly node: unknown;
  readonly kind: PlaceKind;
  readonly at: Step;
  /** For a Map value its key, which is not known before that is read. */
  detail?: unknown;
}

export function objectContainer(node: JsonObject, kind: PlaceKind, made: object): Container {
  return {
    made,
    parts: Object.keys(node).map((key) => ({ node: node[key], kind, at: key })),
    put: (value, { at }) => setOwn(made, String(at), value),
  };
}

export function arrayContainer(nodes: readonly unknown[]): Container {
  const made: unknown[] = [];
  return {
    made,
    parts: nodes.map((node, at) => ({ node, kind: "index", at })),
    put: (value) => made.push(value),
  };
}

export function setContainer(content: unknown, place: Place): Container {
  const made = new Set();
  return {
    made,
    parts: listIn(content, "$set", place).map((node, at) => ({ node, kind: "member", at })),
    put: (value) => made.add(value),
  };
}

export function mapContainer(content: unknown, place: Place): Container {
  const made = new Map<unknown, unknown>();
  const parts = pairsIn(content, "$map", place).flatMap(([key, value], at): Part[] => [
    { node: key, kind: "mapKey", at },
    { node: value, kind: "mapValue", at },
  ]);
  return { made, parts, put };

  function put(value: unknown, part: Part): void {
    if (part.kind === "mapValue") {
      made.set(part.detail, value);
    } else {
      const valuePart = parts[2 * Number(part.at) + 1];
      if (valuePart !== undefined) valuePart.detail = value;
    }
  }
}

export function sparseContainer(content: unknown, place: Place): Container {
  const [length, elements, ...rest] = listIn(content, "$sparse", place);
  if (!isArrayLength(length) || rest.length > 0) throw malformed("$sparse", "it is no length and elements", place);
  const pairs = pairsIn(elements, "$sparse", place);
  checkIndexes(pairs, length, place);
  const made = arrayOfHoles(length);
  return {
    made,
    parts: pairs.map(([index, node], at) => ({ node, kind: "sparse", at, detail: index })),
    put: (value, { detail }) => {
      made[Number(detail)] = value;
    },
  };
}

function checkIndexes(pairs: readonly Pair[], length: number, place: Place): void {
  let next = 0;
  for (const [index] of pairs) {
    if (!isArrayLength(index) || index < next || index >= length) {
      throw malformed("$sparse", "its indexes do not ascend to below its length", place);
    }
    next = index + 1;
  }
}

/** An array of this length that takes no memory for its holes: a short text must not be able to take gigabytes. */
function arrayOfHoles(length: number): unknown[] {
  const array: unknown[] = [];
  if (length > 0) {
    array[length - 1] = undefined;
    Reflect.deleteProperty(array, length - 1);
  }
  return array;
}

export function instanceContainer(node: unknown, registered: RegisteredClass, place: Place): Container {
  let encoded: unknown;
  return {
    made: undefined,
    parts: [{ node, kind: "class", at: 1, detail: registered.name }],
    put: (value) => {
      encoded = value;
    },
    finish: () => instanceOf(registered, encoded, place),
  };
}

/** Likewise, of an instance that its own content may refer to. */
export function filledContainer(node: unknown, filled: FilledClass, place: Place): Container {
  const made = filled.create();
  return {
    made,
    parts: [{ node, kind: "filled", at: 1, detail: filled.name }],
    put: (value) => {
      try {
        filled.fill(made, value);
      } catch (cause) {
        throw malformed("$class", `of ${filled.name}, ${messageOf(cause)}`, place, cause);
      }
    },
  };
}

function instanceOf(registered: RegisteredClass, encoded: unknown, place: Place): object {
  try {
    return registered.decode(encoded);
  } catch (cause) {
    const name = JSON.stringify(registered.name);
    throw cannotDecode(place, `decode of the class ${name} failed: ${messageOf(cause)}`, cause);
  }
}

export function objectIn(content: unknown, tag: string, place: Place): JsonObject {
  if (typeof content === "object" && content !== null && !Array.isArray(content)) return content as JsonObject;
  throw malformed(tag, "it is no object", place);
}

export function listIn(content: unknown, tag: string, place: Place): readonly unknown[] {
  if (Array.isArray(content)) return content;
  throw malformed(tag, "it is no list", place);
}

type Pair = readonly [unknown, unknown];

function pairsIn(content: unknown, tag: string, place: Place): readonly Pair[] {
  const list = listIn(content, tag, place);
  if (list.every((pair) => Array.isArray(pair) && pair.length === 2)) return list as readonly Pair[];
  throw malformed(tag, "not all in its list are pairs", place);
}

function isArrayLength(value: unknown): value is number {
  return typeof value === "number" && value >>> 0 === value;
}
