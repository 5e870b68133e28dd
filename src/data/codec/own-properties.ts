import { isDeepStrictEqual } from "node:util";
import { cannotKeep } from "./failures.ts";
import { placeIn, type Place } from "./place.ts";

/** Refuses enumerable properties whose key is a symbol. JSON would drop them in silence. */
export function refuseSymbolKeys(object: object, place: Place): void {
  for (const symbol of Object.getOwnPropertySymbols(object)) {
    if (Object.prototype.propertyIsEnumerable.call(object, symbol)) {
      const at = placeIn(place, "symbol", 0, symbol);
      throw cannotKeep(at, "a property whose key is a symbol cannot be kept. Use a string as its key.");
    }
  }
}

/** Refuses named properties on an object that is kept by its content only, such as a Map or a typed array. */
export function refuseNamedProperties(object: object, kind: string, place: Place): void {
  if (ArrayBuffer.isView(object) && "subarray" in object) {
    // Listing the keys of a large typed array takes long. A second view of the same memory differs in nothing else.
    if (isDeepStrictEqual(object, (object as Uint8Array).subarray())) return;
  }
  refuseNamedProperty(
    Object.keys(object).find((key) => !isIndex(key)),
    kind,
    place,
  );
}

/** The indexes that an array has, which are all but its holes. Refuses named properties. */
export function indexesOf(array: readonly unknown[], place: Place): string[] {
  const keys = Object.keys(array);
  const last = keys.at(-1);
  // Indexes come first, so that a look at the last key is enough.
  if (last !== undefined && !isIndex(last)) refuseNamedProperty(last, "Array", place);
  return keys;
}

function refuseNamedProperty(key: string | undefined, kind: string, place: Place): void {
  if (key === undefined) return;
  const at = placeIn(place, "key", key);
  throw cannotKeep(
    at,
    `a named property of a built-in ${kind} cannot be kept. Keep a plain copy, and the property beside it.`,
  );
}

/** Whether a key of an array is that of an element; 2 ** 32 - 1 and above are names. */
function isIndex(key: string): boolean {
  const index = Number(key) >>> 0;
  return String(index) === key && index !== 0xffff_ffff;
}
