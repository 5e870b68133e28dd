import { cannotKeep } from "../../data/codec/failures.ts";
import { kindOf } from "../../data/codec/object-kind.ts";
import { placeIn, rootPlace, type Place } from "../../data/codec/place.ts";
import { floatText, numberText, PythonFloat } from "./python-float.ts";
import { maxRecordDepth } from "./python-json.ts";

/**
 * Writes a value as Python's `json.dumps` does, byte for byte: `", "` and `": "`, ASCII only, floats as `repr` has them. Takes what
 * {@link readPythonJson} gives, and plain objects.
 *
 * A number is an int if it is a safe integer and not -0, otherwise a float. A Map is a dict, if its keys are strings, numbers, bigints,
 * booleans or null; keys that are the same as text are all written. What JSON has no form for is refused with
 * `PERDURE_CANNOT_KEEP` and the path to it, which begins with `name`.
 */
export function writePythonJson(value: unknown, name: string): string {
  return new Writer().value(value, rootPlace(name));
}

/** A string as Python's `json.dumps` writes it. */
export function quoted(text: string): string {
  return `"${text.replace(mustBeEscaped, escaped)}"`;
}

const mustBeEscaped = /["\\]|[^ -~]/g;

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function escaped(character: string): string {
  return shortEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

class Writer {
  /** The objects that are being written, each inside of the one before. */
  readonly #open = new Set<object>();

  value(value: unknown, place: Place): string {
    switch (typeof value) {
      case "string":
        return quoted(value);
      case "number":
        return numberText(value);
      case "boolean":
      case "bigint":
        return String(value);
      case "object":
        return value === null ? "null" : this.#object(value, place);
      case "undefined":
        throw noForm("undefined", place);
      default:
        throw noForm(`a ${typeof value}`, place);
    }
  }

  #object(object: object, place: Place): string {
    if (object instanceof PythonFloat) return floatText(object.value);
    if (place.depth > maxRecordDepth) throw cannotKeep(place, `nested deeper than ${maxRecordDepth} levels.`);
    if (this.#open.has(object)) throw noForm("a reference to an object that contains it", place);
    this.#open.add(object);
    const text = this.#content(object, place);
    this.#open.delete(object);
    return text;
  }

  #content(object: object, place: Place): string {
    const kind = kindOf(object);
    switch (kind) {
      case "Array":
        return this.#list(object as readonly unknown[], place);
      case "Map":
        return this.#dict(Array.from(object as ReadonlyMap<unknown, unknown>), "mapValue", place);
      case "Object":
      case "null":
        return this.#dict(Object.entries(object), "key", place);
      default:
        throw noForm(kind === undefined ? instanceName(object) : `a built-in ${kind}`, place);
    }
  }

  #list(list: readonly unknown[], place: Place): string {
    // Not `map`, which leaves holes out.
    const items = Array.from(list, (item, index) => this.value(item, placeIn(place, "index", index)));
    return `[${items.join(", ")}]`;
  }

  #dict(entries: readonly (readonly [unknown, unknown])[], kind: "key" | "mapValue", place: Place): string {
    const items = entries.map(([key, value], index) => {
      const text = keyText(key, placeIn(place, "mapKey", index));
      const at = kind === "key" ? placeIn(place, "key", String(key)) : placeIn(place, "mapValue", index, key);
      return `${quoted(text)}: ${this.value(value, at)}`;
    });
    return `{${items.join(", ")}}`;
  }
}

function keyText(key: unknown, place: Place): string {
  if (typeof key === "string") return key;
  if (typeof key === "number") return numberText(key);
  if (key === null || typeof key === "boolean" || typeof key === "bigint") return String(key);
  throw cannotKeep(place, "only a string, a number, a boolean or null can be a key in JSON.");
}

function noForm(what: string, place: Place): Error {
  return cannotKeep(
    place,
    `${what} has no form in JSON. Keep plain data, or use a persistence that keeps every value.`,
  );
}

function instanceName(object: object): string {
  const { constructor } = object as { constructor?: unknown };
  const name = typeof constructor === "function" ? constructor.name : "";
  return name === "" || name === "Object"
    ? "an object with a prototype of its own"
    : `an instance of the class ${name}`;
}
