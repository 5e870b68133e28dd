import { cannotKeep } from "../../../data/codec/failures.ts";
import type { LiveObjects } from "../../../data/codec/live-objects.ts";
import { kindOf } from "../../../data/codec/object-kind.ts";
import { maxDepth, placeIn, rootPlace, type Place, type PlaceKind, type Step } from "../../../data/codec/place.ts";
import { PythonDeque } from "../../../data/python/python-deque.ts";
import { PythonDict } from "../../../data/python/python-dict.ts";
import { PythonFrozenset } from "../../../data/python/python-frozenset.ts";
import { PythonGlobal } from "../../../data/python/python-global.ts";
import { PythonObject } from "../../../data/python/python-object.ts";
import { PythonTuple } from "../../../data/python/python-tuple.ts";
import { KNOWN_BOT, UNKNOWN_BOT } from "./bot-reference.ts";
import { descriptionOf, emptyDeque, emptyDict, orderedDictOf } from "./known-descriptions.ts";
import { equalityText } from "./python-equality.ts";
import { WholeFloat } from "./whole-float.ts";

/**
 * Makes the description of a value, the reverse of {@link ToJavaScript}. What would not come back the same is refused with `PERDURE_CANNOT_KEEP` and its
 * path. Where `old` describes what was there before, a whole number in the place of a float stays a float, and the keys of dicts their order.
 */
export class FromJavaScript {
  readonly #live: LiveObjects | undefined;
  readonly #described = new Map<object, object>();
  /** What is open and has to be complete before it is made: tuples, and objects whose arguments are read. A list or dict in between is made before its content. */
  #incomplete = new Set<object>();

  constructor(live: LiveObjects | undefined) {
    this.#live = live;
  }

  /** The description. `name` is what the value is called in errors: `userData.42`. */
  describe(value: unknown, name: string, old?: unknown): unknown {
    return this.#value(value, rootPlace(name), old);
  }

  #part(value: unknown, parent: Place, kind: PlaceKind, at: Step, old?: unknown, detail?: unknown): unknown {
    if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
    if (typeof value === "number") return numberOf(value, old);
    return this.#value(value, placeIn(parent, kind, at, detail), old);
  }

  #value(value: unknown, place: Place, old: unknown): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
      case "bigint":
        return value;
      case "number":
        return numberOf(value, old);
      case "object":
        return value === null ? null : this.#object(value, place, old);
      case "undefined":
        throw cannotKeep(place, "Python has no undefined. Keep null, or leave it out.");
      default:
        throw cannotKeep(place, `a ${typeof value} cannot be kept.`);
    }
  }

  #object(object: object, place: Place, old: unknown): object {
    const name = this.#live?.nameOf(object);
    if (name !== undefined) return botIn(name, place);
    const described = this.#described.get(object);
    if (this.#incomplete.has(object)) throw cannotKeep(place, "a tuple cannot contain itself. Keep a list in between.");
    if (described !== undefined) return described;
    if (place.depth > maxDepth) throw cannotKeep(place, `nested deeper than ${maxDepth} levels.`);
    return this.#firstDescription(object, place, old);
  }

  #firstDescription(object: object, place: Place, old: unknown): object {
    if (object instanceof PythonTuple) return this.#complete(object, () => this.#tuple(object, place, old));
    if (object instanceof PythonFrozenset) return this.#complete(object, () => this.#frozenset(object, place));
    if (object instanceof PythonGlobal) return object;
    if (object instanceof PythonObject) return this.#instance(object, place);
    if (object instanceof PythonDeque) return this.#inContainer(() => this.#deque(object, place));
    if (object instanceof PythonDict) return this.#inContainer(() => this.#pythonDict(object, place));
    if (object instanceof Date && Number.isNaN(object.getTime()))
      throw cannotKeep(place, "an invalid Date has no equal in Python. Keep null.");
    if (object instanceof Date && !isYearOfPython(object))
      throw cannotKeep(place, "Python has dates of the years 1 to 9999 only. Keep a number or a text.");
    const known = descriptionOf(object, (part) =>
      this.#value(part, placeIn(place, "filled", 1, object.constructor.name), undefined),
    );
    if (known !== undefined) return this.#keep(object, known);
    return this.#inContainer(() => this.#builtIn(object, place, old));
  }

  /** Describes what must not contain itself but in a container. */
  #complete<T>(object: object, describe: () => T): T {
    this.#incomplete.add(object);
    const described = describe();
    this.#incomplete.delete(object);
    return described;
  }

  /** Describes the content of what is made before it. */
  #inContainer<T>(describe: () => T): T {
    const outside = this.#incomplete;
    this.#incomplete = new Set();
    const described = describe();
    this.#incomplete = outside;
    return described;
  }

  #builtIn(object: object, place: Place, old: unknown): object {
    const kind = kindOf(object);
    switch (kind) {
      case "Object":
        return this.#dict(object as Readonly<Record<string, unknown>>, place, old);
      case "Array":
        return this.#list(object as readonly unknown[], place, old);
      case "Map":
        return this.#map(object as ReadonlyMap<unknown, unknown>, place, old);
      case "Set":
        return this.#set(object as ReadonlySet<unknown>, place);
      case "Uint8Array":
        return this.#keep(object, (object as Uint8Array).slice());
      case "null":
        throw cannotKeep(place, "an object without a prototype would come back as one with it. Keep a plain object.");
      case undefined:
        throw cannotKeep(
          place,
          `an instance of the class ${object.constructor.name} has no equal in Python. Keep plain data.`,
        );
      default:
        throw cannotKeep(place, `a ${kind} has no equal in Python. Keep a Uint8Array, or an array of numbers.`);
    }
  }

  #dict(object: Readonly<Record<string, unknown>>, place: Place, old: unknown): object {
    const dict = this.#keep(object, new Map<unknown, unknown>());
    const before: ReadonlyMap<unknown, unknown> = old instanceof Map ? old : new Map();
    for (const key of inOrder(Object.keys(object), before)) {
      dict.set(key, this.#part(object[key], place, "key", key, before.get(key)));
    }
    return dict;
  }

  #list(list: readonly unknown[], place: Place, old: unknown): object {
    const described = this.#keep<unknown[]>(list, []);
    const before: readonly unknown[] = Array.isArray(old) ? old : [];
    for (let index = 0; index < list.length; index += 1) {
      if (!(index in list))
        throw cannotKeep(placeIn(place, "index", index), "Python has no lists with holes. Keep null.");
      described.push(this.#part(list[index], place, "index", index, before[index]));
    }
    return described;
  }

  #tuple(tuple: PythonTuple, place: Place, old: unknown): object {
    const items: unknown[] = [];
    const described = this.#keep(tuple, new PythonTuple(items));
    const before = old instanceof PythonTuple ? old.items : [];
    for (const [index, item] of tuple.items.entries()) {
      items.push(this.#part(item, place, "index", index, before[index]));
    }
    return described;
  }

  /** A plain dict, unless its keys are those of a plain object: then it would come back as one. */
  #map(map: ReadonlyMap<unknown, unknown>, place: Place, old: unknown): object {
    const entries = new Map<unknown, unknown>();
    const isOrdered = [...map.keys()].every((key) => typeof key === "string");
    const described = this.#keep(map, isOrdered ? orderedDictOf(new Map()) : entries);
    const before: ReadonlyMap<unknown, unknown> =
      old instanceof PythonObject ? old.entries : old instanceof Map ? old : new Map();
    const keys = this.#distinct([...map.keys()], place, "mapKey");
    for (const [index, [key, value]] of [...map].entries()) {
      const into = described instanceof PythonObject ? described.entries : entries;
      into.set(keys[index], this.#part(value, place, "mapValue", index, before.get(key), key));
    }
    return described;
  }

  #set(set: ReadonlySet<unknown>, place: Place): object {
    const described = this.#keep(set, new Set());
    for (const member of this.#distinct([...set], place, "member")) described.add(member);
    return described;
  }

  #frozenset(set: PythonFrozenset, place: Place): object {
    const described = this.#keep(set, new PythonFrozenset([]));
    for (const member of this.#distinct([...set], place, "member")) (described.items as Set<unknown>).add(member);
    return described;
  }

  #instance(object: PythonObject, place: Place): object {
    const { from, called, args, kwargs, state, items, entries } = object;
    const part = (value: unknown, what: string): unknown => this.#part(value, place, "key", what);
    const described = this.#complete(object, () => {
      return new PythonObject({
        from: part(from, "from"),
        called,
        args: args.map((arg) => part(arg, "args")),
        kwargs: kwargs === undefined ? undefined : part(kwargs, "kwargs"),
      });
    });
    this.#keep(object, described);
    this.#inContainer(() => {
      for (const item of items) described.items.push(part(item, "items"));
      this.#fill(described.entries, entries, place);
      if (state !== undefined) described.state = part(state, "state");
    });
    return described;
  }

  #deque(deque: PythonDeque, place: Place): object {
    const described = this.#keep(deque, emptyDeque(deque));
    for (const [index, item] of deque.items.entries()) described.items.push(this.#part(item, place, "index", index));
    return described;
  }

  #pythonDict(dict: PythonDict, place: Place): object {
    const [described, entries] = emptyDict(dict);
    this.#keep(dict, described);
    this.#fill(entries, dict.entries, place);
    return described;
  }

  #fill(described: Map<unknown, unknown>, entries: ReadonlyMap<unknown, unknown>, place: Place): void {
    const keys = this.#distinct([...entries.keys()], place, "mapKey");
    for (const [index, [key, value]] of [...entries].entries()) {
      described.set(keys[index], this.#part(value, place, "mapValue", index, undefined, key));
    }
  }

  /** Keys, or members of a set, none of which Python takes for another. */
  #distinct(values: readonly unknown[], place: Place, kind: PlaceKind): unknown[] {
    const seen = new Set<string>();
    return values.map((value, index) => {
      const described = this.#part(value, place, kind, index);
      const text = equalityText(described);
      if (text === null)
        throw cannotKeep(
          placeIn(place, kind, index),
          "Python takes no list, dict or set as a key or a member of a set. Keep a PythonTuple.",
        );
      if (text !== undefined && seen.has(text))
        throw cannotKeep(placeIn(place, kind, index), "Python takes it for equal to another one, as 1 and true are.");
      if (text !== undefined) seen.add(text);
      return Object.is(described, -0) ? new WholeFloat(-0) : described;
    });
  }

  #keep<T extends object>(value: object, description: T): T {
    this.#described.set(value, description);
    return description;
  }
}

/** A safe integer is an int, unless a float was there before; any other number is a float. */
function numberOf(value: number, old: unknown): number | WholeFloat {
  if (Object.is(value, -0)) return new WholeFloat(value);
  const isFloat = old instanceof WholeFloat || (typeof old === "number" && !Number.isInteger(old));
  return isFloat && Number.isSafeInteger(value) ? new WholeFloat(value) : value;
}

function inOrder(keys: readonly string[], before: ReadonlyMap<unknown, unknown>): Iterable<string> {
  if (before.size === 0) return keys;
  const now = new Set(keys);
  const old = [...before.keys()].filter((key): key is string => typeof key === "string" && now.has(key));
  return new Set([...old, ...keys]);
}

function isYearOfPython(date: Date): boolean {
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999;
}

function botIn(name: string | null, place: Place): object {
  if (name === null) return UNKNOWN_BOT;
  if (name === "bot") return KNOWN_BOT;
  throw cannotKeep(place, `Python has no ${JSON.stringify(name)} of a bot. Keep the bot in its place.`);
}
