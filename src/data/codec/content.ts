import { cannotKeep, messageOf } from "./failures.ts";
import { quoted } from "./leaf-tags.ts";
import { indexesOf } from "./own-properties.ts";
import { placeIn, type Place, type PlaceKind, type Step } from "./place.ts";
import { looksLikeTag } from "./plain.ts";

/** What the text of an object is made of: values, and the text before, between and after them. */
export interface Content {
  readonly open: string;
  readonly parts: readonly Part[];
  readonly close: string;
}

/** One value in an object, with the text that precedes it, and with its place. */
export interface Part {
  readonly before: string;
  readonly value: unknown;
  readonly kind: PlaceKind;
  readonly at: Step;
  readonly detail: unknown;
}

export function partOf(before: string, value: unknown, kind: PlaceKind, at: Step, detail?: unknown): Part {
  return { before, value, kind, at, detail };
}

/** The content of an object in which are no further values. */
export function leafContent(text: string): Content {
  return { open: text, parts: [], close: "" };
}

export function plainContent(object: object, place: Place): Content {
  const keys = Object.keys(object);
  return looksLikeTag(keys)
    ? { open: `{"$plain":{`, parts: properties(object, keys, "plain", place), close: "}}" }
    : { open: "{", parts: properties(object, keys, "key", place), close: "}" };
}

export function nullContent(object: object, place: Place): Content {
  return { open: `{"$null":{`, parts: properties(object, Object.keys(object), "null", place), close: "}}" };
}

function properties(object: object, keys: readonly string[], kind: PlaceKind, place: Place): Part[] {
  return keys.map((key, index) => {
    const before = `${index === 0 ? "" : ","}${quoted(key)}:`;
    return partOf(before, readProperty(object, key, kind, place), kind, key);
  });
}

function readProperty(object: object, key: string, kind: PlaceKind, place: Place): unknown {
  try {
    return (object as Readonly<Record<string, unknown>>)[key];
  } catch (cause) {
    throw cannotKeep(placeIn(place, kind, key), `it cannot be read: ${messageOf(cause)}`, cause);
  }
}

export function arrayContent(array: readonly unknown[], place: Place): Content {
  const indexes = indexesOf(array, place);
  if (indexes.length < array.length) return sparseContent(array, indexes);
  const parts = array.map((value, at) => partOf(at === 0 ? "" : ",", value, "index", at));
  return { open: "[", parts, close: "]" };
}

function sparseContent(array: readonly unknown[], indexes: readonly string[]): Content {
  const parts = indexes.map((index, at) => {
    return partOf(`${at === 0 ? "[" : "],["}${index},`, array[Number(index)], "sparse", at, index);
  });
  return { open: `{"$sparse":[${array.length},[`, parts, close: `${parts.length === 0 ? "" : "]"}]]}` };
}

export function mapContent(map: ReadonlyMap<unknown, unknown>): Content {
  const parts = Array.from(map).flatMap(([key, value], at) => [
    partOf(at === 0 ? "[" : "],[", key, "mapKey", at),
    partOf(",", value, "mapValue", at, key),
  ]);
  return { open: `{"$map":[`, parts, close: `${parts.length === 0 ? "" : "]"}]}` };
}

export function setContent(set: ReadonlySet<unknown>): Content {
  const parts = Array.from(set, (value, at) => partOf(at === 0 ? "" : ",", value, "member", at));
  return { open: `{"$set":[`, parts, close: "]}" };
}
