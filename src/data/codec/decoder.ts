import type { PerdureError } from "../../errors.ts";
import type { RegisteredClasses } from "./classes.ts";
import {
  arrayContainer,
  filledContainer,
  instanceContainer,
  listIn,
  mapContainer,
  objectContainer,
  objectIn,
  setContainer,
  sparseContainer,
  type Container,
  type JsonObject,
  type Part,
} from "./container.ts";
import { cannotDecode, malformed, messageOf, tooDeepToDecode } from "./failures.ts";
import { leafTags } from "./leaf-tags.ts";
import type { LiveObjects } from "./live-objects.ts";
import { maxDepth, placeIn, rootPlace, type Place } from "./place.ts";
import { looksLikeTag } from "./plain.ts";

/** A container that is being filled. */
interface Frame {
  readonly node: object;
  readonly place: Place;
  readonly container: Container;
  next: number;
}

/** Reads one JSON document that has tags. What is open is in a list, not on the call stack; so in the encoder. */
export class Decoder {
  readonly #classes: RegisteredClasses;
  readonly #live: LiveObjects | undefined;
  readonly #document: object;
  /** What became of the objects and arrays of the document, for references to them. */
  readonly #made = new Map<object, unknown>();
  readonly #open: Frame[] = [];
  #value: unknown;

  constructor(classes: RegisteredClasses, live: LiveObjects | undefined, document: object) {
    this.#classes = classes;
    this.#live = live;
    this.#document = document;
  }

  decode(name: string): unknown {
    this.#begin(this.#document, rootPlace(name));
    for (let frame = this.#open.at(-1); frame !== undefined; frame = this.#open.at(-1)) this.#advance(frame);
    return this.#value;
  }

  #advance(frame: Frame): void {
    const { node, container } = frame;
    const part = container.parts[frame.next];
    frame.next += 1;
    if (part !== undefined) {
      this.#readPart(part, frame);
    } else {
      this.#open.pop();
      this.#give(node, container.made ?? container.finish?.());
    }
  }

  #readPart(part: Part, { container, place }: Frame): void {
    const { node, kind, at, detail } = part;
    if (typeof node === "object" && node !== null) {
      this.#begin(node, placeIn(place, kind, at, detail));
    } else {
      container.put(node, part);
    }
  }

  #begin(node: object, place: Place): void {
    if (Array.isArray(node)) {
      this.#enter(node, place, arrayContainer(node));
      return;
    }
    const keys = Object.keys(node);
    if (looksLikeTag(keys)) {
      this.#tag(String(keys[0]), node as JsonObject, place);
    } else {
      this.#enter(node, place, objectContainer(node as JsonObject, "key", {}));
    }
  }

  /** Notes what is made of a node before its content is read, as that may refer to it. */
  #enter(node: object, place: Place, container: Container): void {
    if (place.depth > maxDepth) throw tooDeepToDecode(place);
    if (container.made !== undefined) this.#made.set(node, container.made);
    this.#open.push({ node, place, container, next: 0 });
  }

  /** Gives what was made of a node to the container that waits for it. */
  #give(node: object, value: unknown): void {
    this.#made.set(node, value);
    const frame = this.#open.at(-1);
    const part = frame?.container.parts[frame.next - 1];
    if (frame === undefined || part === undefined) {
      this.#value = value;
    } else {
      frame.container.put(value, part);
    }
  }

  #tag(tag: string, node: JsonObject, place: Place): void {
    const container = this.#taggedContainer(tag, node[tag], place);
    if (container === undefined) {
      this.#give(node, this.#taggedLeaf(tag, node[tag], place));
    } else {
      this.#enter(node, place, container);
    }
  }

  #taggedContainer(tag: string, content: unknown, place: Place): Container | undefined {
    switch (tag) {
      case "$plain":
        return objectContainer(objectIn(content, tag, place), "plain", {});
      case "$null":
        return objectContainer(objectIn(content, tag, place), "null", Object.create(null) as object);
      case "$map":
        return mapContainer(content, place);
      case "$set":
        return setContainer(content, place);
      case "$sparse":
        return sparseContainer(content, place);
      case "$class":
        return this.#instance(content, place);
      default:
        return undefined;
    }
  }

  #instance(content: unknown, place: Place): Container {
    const [name, node, ...rest] = listIn(content, "$class", place);
    if (typeof name !== "string" || node === undefined || rest.length > 0) {
      throw malformed("$class", "it is no pair of a name and a value", place);
    }
    const registered = this.#classes.named(name);
    if (registered === undefined) throw unknownClass(name, place);
    return "fill" in registered ? filledContainer(node, registered, place) : instanceContainer(node, registered, place);
  }

  #taggedLeaf(tag: string, content: unknown, place: Place): unknown {
    if (tag === "$ref") return this.#referred(listIn(content, tag, place), place);
    if (tag === "$live") return this.#liveObject(content, place);
    const read = leafTags.get(tag);
    if (read === undefined) throw unknownTag(tag, place);
    try {
      return read(content);
    } catch (cause) {
      throw malformed(tag, messageOf(cause), place, cause);
    }
  }

  #referred(path: readonly unknown[], place: Place): unknown {
    let node: unknown = this.#document;
    for (const step of path) node = childOf(node, step);
    if (typeof node === "object" && node !== null && this.#made.has(node)) return this.#made.get(node);
    throw malformed("$ref", "it is no path to an object that comes before it", place);
  }

  #liveObject(name: unknown, place: Place): unknown {
    if (typeof name !== "string") throw malformed("$live", "it is no name", place);
    if (this.#live !== undefined) return this.#live.get(name);
    throw cannotDecode(place, `the live object ${JSON.stringify(name)} is not there. Decode with the option "live".`);
  }
}

/** One step of a reference. What is not in the document is not in `#made` either, so that nothing else is reached. */
function childOf(node: unknown, step: unknown): unknown {
  const isStep = typeof step === "string" || typeof step === "number";
  if (!isStep || typeof node !== "object" || node === null) return undefined;
  return (node as Readonly<Record<string | number, unknown>>)[step];
}

function unknownTag(tag: string, place: Place): PerdureError {
  const shown = JSON.stringify(tag.slice(0, 60));
  return cannotDecode(
    place,
    `unknown tag ${shown}. A newer version of Perdure wrote it, or it was edited; ` +
      `an object with this one key is kept as {"$plain":{${shown}:...}}.`,
  );
}

function unknownClass(name: string, place: Place): PerdureError {
  const shown = JSON.stringify(name.slice(0, 60));
  return cannotDecode(
    place,
    `the class ${shown} is not registered. Call codec.register(${shown}, ...) before the first value is read.`,
  );
}
