import { cannotDecode } from "../../../data/codec/failures.ts";
import type { LiveObjects } from "../../../data/codec/live-objects.ts";
import { maxDepth, placeIn, rootPlace, type Place, type PlaceKind, type Step } from "../../../data/codec/place.ts";
import { setOwn } from "../../../data/codec/set-own.ts";
import { PythonFrozenset } from "../../../data/python/python-frozenset.ts";
import { PythonGlobal } from "../../../data/python/python-global.ts";
import { PythonObject } from "../../../data/python/python-object.ts";
import { PythonTuple } from "../../../data/python/python-tuple.ts";
import { BotReference } from "./bot-reference.ts";
import { knownValue } from "./known-objects.ts";
import type { MappingNotes } from "../../mapping-report.ts";
import { WholeFloat } from "./whole-float.ts";

/** What making values needs. */
export interface ToJavaScriptOptions {
  /** Gives the bot, for its place. */
  readonly live?: LiveObjects | undefined;
  /** Takes down what becomes of what. */
  readonly notes?: MappingNotes | undefined;
  /** Deeper nesting is refused. Default: as deep as the codec keeps values. */
  readonly depth?: number | undefined;
}

/**
 * Makes the JavaScript value of one description: fresh objects each time, and one object where the description has one, also in a circle.
 * The table in docs/moving-from-python-telegram-bot.md says what becomes what.
 */
export class ToJavaScript {
  readonly #live: LiveObjects | undefined;
  readonly #notes: MappingNotes | undefined;
  readonly #depth: number;
  readonly #made = new Map<object, unknown>();

  constructor({ live, notes, depth = maxDepth }: ToJavaScriptOptions) {
    this.#live = live;
    this.#notes = notes;
    this.#depth = depth;
  }

  /** The value. `name` is what it is called in errors: `userData.42`. */
  value(description: unknown, name: string): unknown {
    return this.#value(description, undefined, "root", name);
  }

  #value(description: unknown, parent: Place | undefined, kind: PlaceKind, at: Step, detail?: unknown): unknown {
    if (typeof description !== "object" || description === null) return description;
    const place = parent === undefined ? rootPlace(String(at)) : placeIn(parent, kind, at, detail);
    if (description instanceof WholeFloat) return this.#float(description, place);
    if (description instanceof BotReference) return this.#bot(description, place);
    if (this.#made.has(description)) return this.#made.get(description);
    if (place.depth > this.#depth) throw cannotDecode(place, `nested deeper than ${this.#depth} levels.`);
    return this.#object(description, place);
  }

  #object(description: object, place: Place): unknown {
    if (description instanceof Map) return this.#dict(description, place);
    if (Array.isArray(description)) return this.#list(description, place);
    if (description instanceof PythonTuple) return this.#tuple(description, place);
    if (description instanceof Uint8Array) return this.#keep(description, description.slice(), "bytes", "Uint8Array");
    if (description instanceof Set) return this.#set(description, place);
    if (description instanceof PythonFrozenset) return this.#frozenset(description, place);
    if (description instanceof PythonGlobal) return this.#global(description);
    return this.#instance(description as PythonObject, place);
  }

  #list(list: readonly unknown[], place: Place): unknown {
    const made: unknown[] = [];
    this.#made.set(list, made);
    for (const [index, item] of list.entries()) made.push(this.#value(item, place, "index", index));
    return made;
  }

  #tuple(tuple: PythonTuple, place: Place): unknown {
    const items: unknown[] = [];
    const made = this.#keep(tuple, new PythonTuple(items), "tuple", "PythonTuple");
    for (const [index, item] of tuple.items.entries()) items.push(this.#value(item, place, "index", index));
    return made;
  }

  #set(set: ReadonlySet<unknown>, place: Place): unknown {
    const made = this.#keep(set, new Set(), "set", "Set");
    for (const [index, item] of [...set].entries()) made.add(this.#value(item, place, "member", index));
    return made;
  }

  #frozenset(set: PythonFrozenset, place: Place): unknown {
    const made = this.#keep(set, new PythonFrozenset([]), "frozenset", "PythonFrozenset");
    const items = made.items as Set<unknown>;
    for (const [index, item] of [...set].entries()) items.add(this.#value(item, place, "member", index));
    return made;
  }

  #dict(dict: ReadonlyMap<unknown, unknown>, place: Place): unknown {
    for (const key of dict.keys()) if (typeof key !== "string") return this.#map(dict, place);
    const made = {};
    this.#made.set(dict, made);
    for (const [key, value] of dict as ReadonlyMap<string, unknown>) {
      setOwn(made, key, this.#value(value, place, "key", key));
    }
    if (this.#notes !== undefined) this.#noteOrder(dict, made, place);
    return made;
  }

  #map(dict: ReadonlyMap<unknown, unknown>, place: Place): unknown {
    const made = this.#keep(dict, new Map<unknown, unknown>(), "dict with other keys than texts", "Map");
    let index = 0;
    for (const [key, value] of dict) {
      const madeKey = this.#value(key, place, "mapKey", index);
      made.set(madeKey, this.#value(value, place, "mapValue", index, madeKey));
      index += 1;
    }
    return made;
  }

  #instance(object: PythonObject, place: Place): unknown {
    const known = knownValue(object, (part) => this.#value(part, place, "filled", 1, object.name));
    if (known !== undefined) {
      this.#keep(object, known.made, shortName(object), known.made.constructor.name);
      known.fill?.();
      return known.made;
    }
    const { from, called, args, kwargs, items, entries } = object;
    const part = (value: unknown, what: string): unknown => this.#value(value, place, "key", what);
    // Made before its parts, which may refer to it. Its arguments cannot.
    const made = new PythonObject({
      from: part(from, "from"),
      called,
      args: args.map((arg) => part(arg, "args")),
      kwargs: kwargs === undefined ? undefined : part(kwargs, "kwargs"),
    });
    this.#keep(object, made, object.name || "object", "PythonObject");
    for (const item of items) made.items.push(part(item, "items"));
    for (const [key, value] of entries) made.entries.set(part(key, "entries"), part(value, "entries"));
    if (object.state !== undefined) made.state = part(object.state, "state");
    return made;
  }

  /** By its name alone, so that it is nobody's business how many objects stand for it. */
  #global({ module, name }: PythonGlobal): PythonGlobal {
    this.#notes?.became("class or function", "PythonGlobal");
    return new PythonGlobal(module, name);
  }

  #float({ value }: WholeFloat, place: Place): number {
    if (!Object.is(value, -0)) this.#notes?.inexact(place, `the float ${value.toFixed(1)} becomes the number ${value}`);
    return value;
  }

  #bot({ bot }: BotReference, place: Place): unknown {
    this.#notes?.became(bot === "known" ? "the bot" : "another bot", bot === "known" ? "the bot" : "null");
    if (bot === "unknown") {
      this.#notes?.inexact(place, "another bot becomes null");
      return null;
    }
    if (this.#live !== undefined) return this.#live.get("bot");
    throw cannotDecode(place, "the bot stands here, and setBot was not called.");
  }

  #keep<T>(description: object, made: T, from: string, to: string): T {
    this.#made.set(description, made);
    this.#notes?.became(from, to);
    return made;
  }

  #noteOrder(dict: ReadonlyMap<unknown, unknown>, made: object, place: Place): void {
    const keys = Object.keys(made);
    let index = 0;
    for (const key of dict.keys()) {
      if (keys[index++] === key) continue;
      return this.#notes?.inexact(place, "keys that are integers as text come first in an object");
    }
  }
}

function shortName(object: PythonObject): string {
  return object.from instanceof PythonGlobal ? object.from.name : "object";
}
