import { PythonFrozenset } from "../../../data/python/python-frozenset.ts";
import { PythonGlobal } from "../../../data/python/python-global.ts";
import { PythonObject } from "../../../data/python/python-object.ts";
import { PythonTuple } from "../../../data/python/python-tuple.ts";
import { WholeFloat } from "./whole-float.ts";

/** Containers that Python takes neither as a key of a dict nor as a member of a set, beside lists, dicts and sets. */
const UNHASHABLE = new Set(["builtins.bytearray", "collections.deque", "collections.defaultdict"]);
for (const name of ["collections.Counter", "collections.OrderedDict"]) UNHASHABLE.add(name);

/**
 * A text that is the same for what Python takes for equal keys: `1`, `1.0` and `True`, tuples of equal items. Undefined for what is equal to
 * itself only; null for what Python does not take as a key.
 */
export function equalityText(description: unknown): string | undefined | null {
  switch (typeof description) {
    case "string":
      return `text ${description}`;
    case "number":
      return numberText(description);
    case "bigint":
      return `number ${description}`;
    case "boolean":
      return numberText(Number(description));
    default:
      return description === null ? "None" : objectText(description as object);
  }
}

function numberText(number: number): string | undefined {
  if (Number.isNaN(number)) return undefined;
  return `number ${Number.isInteger(number) ? BigInt(number) : number}`;
}

function objectText(object: object): string | undefined | null {
  if (object instanceof WholeFloat) return numberText(object.value);
  if (object instanceof Uint8Array) return `bytes ${Buffer.from(object).toString("hex")}`;
  if (object instanceof PythonTuple) return together("tuple", object.items);
  if (object instanceof PythonFrozenset) return together("frozenset", [...object.items], true);
  if (object instanceof PythonGlobal) return `global ${object.toString()}`;
  if (object instanceof PythonObject) return instanceText(object);
  return Array.isArray(object) || object instanceof Map || object instanceof Set ? null : undefined;
}

function instanceText({ from, called, args, state, items, entries }: PythonObject): string | undefined | null {
  if (from instanceof PythonGlobal && UNHASHABLE.has(from.toString())) return null;
  if (!called || state !== undefined || items.length > 0 || entries.size > 0) return undefined;
  return together("call", [from, ...args]) ?? undefined;
}

function together(kind: string, parts: readonly unknown[], isSorted = false): string | undefined | null {
  const texts = parts.map(equalityText);
  if (texts.includes(null)) return null;
  if (texts.includes(undefined)) return undefined;
  return `${kind} ${JSON.stringify(isSorted ? inOneOrder(texts as string[]) : texts)}`;
}

function inOneOrder(texts: readonly string[]): string[] {
  return texts.toSorted((first, second) => (first < second ? -1 : 1));
}
