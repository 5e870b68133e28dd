import { maxDepth } from "./place.ts";

/**
 * Whether `JSON.stringify` writes this value so that `JSON.parse` gives the very same: no tags needed, no object in two
 * places, nothing to refuse. This is the hot path of every commit: it only says yes or no, the encoder finds reasons.
 */
export function isPlainJson(value: unknown): boolean {
  return !isPolluted() && new PlainCheck().value(value, 1);
}

/** Whether somebody gave all objects an enumerable property. */
function isPolluted(): boolean {
  return Object.keys(Object.prototype).length !== 0;
}

class PlainCheck {
  readonly #seen = new SeenObjects();

  value(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case "string":
      case "boolean":
        return true;
      case "number":
        return value === 0 ? !Object.is(value, -0) : Number.isFinite(value);
      case "object":
        return value === null || this.#object(value, depth);
      default:
        return false;
    }
  }

  #object(object: object, depth: number): boolean {
    if (depth > maxDepth || this.#seen.add(object)) return false;
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== (Array.isArray(object) ? Array.prototype : Object.prototype)) return false;
    if (Object.getOwnPropertySymbols(object).length !== 0) return false;
    // JSON.stringify would call it, even where it is not enumerable.
    if (typeof (object as { toJSON?: unknown }).toJSON === "function") return false;
    return Array.isArray(object)
      ? this.#elements(object, depth)
      : this.#properties(object as Record<string, unknown>, depth);
  }

  #elements(array: readonly unknown[], depth: number): boolean {
    // Fewer values than the length: holes. More: named properties. A hole and a name: reading the hole gives undefined.
    if (Object.values(array).length !== array.length) return false;
    // Neither `every` nor for-of: the first skips holes, the second is slower.
    for (let index = 0; index < array.length; index += 1) {
      if (!this.value(array[index], depth + 1)) return false;
    }
    return true;
  }

  #properties(object: Readonly<Record<string, unknown>>, depth: number): boolean {
    let count = 0;
    let last = "";
    // Half as long as Object.keys and a lookup for each. Nothing is inherited: see isPlainJson.
    for (const key in object) {
      if (!this.value(object[key], depth + 1)) return false;
      count += 1;
      last = key;
    }
    return count !== 1 || !last.startsWith("$");
  }
}

/** Whether an object with these keys would be read as a tag. */
export function looksLikeTag(keys: readonly string[]): boolean {
  return keys.length === 1 && keys[0]?.startsWith("$") === true;
}

/** Up to this many objects a search through a list is faster than a Set. */
const listed = 64;

class SeenObjects {
  readonly #list: object[] = [];
  #set: Set<object> | undefined;

  /** Adds an object; true if it was there before. */
  add(object: object): boolean {
    if (this.#set !== undefined) {
      const before = this.#set.size;
      return this.#set.add(object).size === before;
    }
    if (this.#list.includes(object)) return true;
    this.#list.push(object);
    if (this.#list.length === listed) this.#set = new Set(this.#list);
    return false;
  }
}

/**
 * An object whose first key begins with "$": only such a document can have tags. Quotes inside of strings are escaped,
 * so that this does not match there. White space and escapes are not ours, but those of a person who edits by hand.
 */
const firstKeyBeginsWithDollar = /\{\s*"(?:\$|\\u0024)/;

/** Whether a JSON text may have tags. A text without any is the value itself. */
export function mayHaveTags(json: string): boolean {
  return (json.includes("$") || json.includes("\\u0024")) && firstKeyBeginsWithDollar.test(json);
}

/** Whether objects and arrays in this valid JSON text nest deeper than {@link maxDepth}. */
export function isTooDeep(json: string): boolean {
  if (json.length < 2 * (maxDepth + 1)) return false;
  let depth = 0;
  for (let index = 0; index < json.length; index += 1) {
    switch (json.charCodeAt(index)) {
      case 0x22: // "
        index = endOfString(json, index);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        if (depth > maxDepth) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
    }
  }
  return false;
}

/** Index of the quote that ends the string which begins at `start`. */
function endOfString(json: string, start: number): number {
  let index = start + 1;
  while (json.charCodeAt(index) !== 0x22) index += json.charCodeAt(index) === 0x5c ? 2 : 1;
  return index;
}
