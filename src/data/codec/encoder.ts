import { isPerdureError } from "../../errors.ts";
import type { KeptClass, RegisteredClasses } from "./classes.ts";
import {
  arrayContent,
  leafContent,
  mapContent,
  nullContent,
  partOf,
  plainContent,
  setContent,
  type Content,
  type Part,
} from "./content.ts";
import { cannotKeep, messageOf } from "./failures.ts";
import { binaryText, dateText, scalarText } from "./leaf-tags.ts";
import type { LiveObjects } from "./live-objects.ts";
import { kindOf } from "./object-kind.ts";
import { refuseNamedProperties, refuseSymbolKeys } from "./own-properties.ts";
import { documentPath, maxDepth, placeIn, rootPlace, type Place } from "./place.ts";
import { refusalOf } from "./refusal.ts";

/** An object whose text has begun. */
interface Frame {
  readonly place: Place;
  readonly parts: readonly Part[];
  readonly close: string;
  next: number;
}

/**
 * Writes one value, whatever is in it.
 *
 * It writes the text itself, since `JSON.stringify` would listen to `toJSON`. The objects that are open are in a list and
 * not on the call stack, which a thousand levels could exhaust.
 */
export class Encoder {
  readonly #classes: RegisteredClasses;
  readonly #live: LiveObjects | undefined;
  readonly #places = new Map<object, Place>();
  readonly #open: Frame[] = [];
  #text = "";

  constructor(classes: RegisteredClasses, live: LiveObjects | undefined) {
    this.#classes = classes;
    this.#live = live;
  }

  encode(value: unknown, name: string): string {
    try {
      this.#begin(partOf("", value, "root", name), undefined);
      for (let frame = this.#open.at(-1); frame !== undefined; frame = this.#open.at(-1)) this.#advance(frame);
      return this.#text;
    } catch (thrown) {
      // Beyond 512 MB of text the engine throws a RangeError.
      if (isPerdureError(thrown)) throw thrown;
      throw cannotKeep(rootPlace(name), `its text cannot be written: ${messageOf(thrown)}`, thrown);
    }
  }

  #advance(frame: Frame): void {
    const part = frame.parts[frame.next];
    if (part === undefined) {
      this.#text += frame.close;
      this.#open.pop();
    } else {
      frame.next += 1;
      this.#begin(part, frame.place);
    }
  }

  #begin(part: Part, parent: Place | undefined): void {
    const { value } = part;
    this.#text += part.before;
    if (typeof value !== "object" || value === null) {
      this.#text += scalarText(value) ?? refuseScalar(value, placeOf(part, parent));
      return;
    }
    const place = placeOf(part, parent);
    const { open, parts, close } = this.#contentOf(value, place);
    this.#text += open;
    this.#open.push({ place, parts, close, next: 0 });
  }

  #contentOf(object: object, place: Place): Content {
    try {
      const name = this.#live?.nameOf(object);
      if (name !== undefined) return leafContent(name === null ? "null" : `{"$live":${JSON.stringify(name)}}`);
      return this.#reference(object, place) ?? this.#firstContent(object, place);
    } catch (thrown) {
      if (isPerdureError(thrown)) throw thrown;
      throw cannotKeep(place, `it cannot be read: ${messageOf(thrown)}`, thrown);
    }
  }

  /** A reference, if the object stands elsewhere already. */
  #reference(object: object, place: Place): Content | undefined {
    const first = this.#places.get(object);
    if (first === undefined) return undefined;
    if (isThroughClass(place, first)) {
      throw cannotKeep(place, "a registered class cannot refer back to what contains it. Keep an id in its place.");
    }
    return leafContent(`{"$ref":${JSON.stringify(documentPath(first))}}`);
  }

  #firstContent(object: object, place: Place): Content {
    if (place.depth > maxDepth) {
      throw cannotKeep(place, `nested deeper than ${maxDepth} levels. Keep a flat list instead of a chain.`);
    }
    this.#places.set(object, place);
    const registered = this.#classes.of(object);
    return registered === undefined ? builtInContent(object, place) : instanceContent(object, registered, place);
  }
}

function placeOf(part: Part, parent: Place | undefined): Place {
  return parent === undefined ? rootPlace(String(part.at)) : placeIn(parent, part.kind, part.at, part.detail);
}

function refuseScalar(value: unknown, place: Place): never {
  throw typeof value === "symbol"
    ? cannotKeep(place, "a symbol cannot be kept. Keep its description as a string.")
    : cannotKeep(place, "a function cannot be kept. Keep the data that it needs, and find it by a name.");
}

function instanceContent(instance: object, registered: KeptClass, place: Place): Content {
  const name = JSON.stringify(registered.name);
  try {
    const value = registered.encode(instance);
    const part = partOf("", value, "fill" in registered ? "filled" : "class", 1, registered.name);
    return { open: `{"$class":[${name},`, parts: [part], close: "]}" };
  } catch (cause) {
    throw cannotKeep(place, `encode of the class ${name} failed: ${messageOf(cause)}`, cause);
  }
}

function builtInContent(object: object, place: Place): Content {
  const kind = kindOf(object);
  if (kind === undefined) throw cannotKeep(place, refusalOf(object));
  refuseSymbolKeys(object, place);
  if (kind === "Object") return plainContent(object, place);
  if (kind === "null") return nullContent(object, place);
  if (kind === "Array") return arrayContent(object as readonly unknown[], place);
  refuseNamedProperties(object, kind, place);
  if (kind === "Map") return mapContent(object as ReadonlyMap<unknown, unknown>);
  if (kind === "Set") return setContent(object as ReadonlySet<unknown>);
  if (kind === "Date") return leafContent(dateText(object as Date));
  return leafContent(binaryText(kind, object as ArrayBuffer | NodeJS.ArrayBufferView));
}

/**
 * Whether a cycle closes here that leads through a registered class. The class could not be given its content complete
 * when it makes the instance.
 */
function isThroughClass(place: Place, container: Place): boolean {
  let throughClass = false;
  for (let each: Place | undefined = place; each !== undefined; each = each.parent) {
    if (each === container) return throughClass;
    throughClass ||= each.kind === "class";
  }
  return false;
}
