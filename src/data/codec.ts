import { RegisteredClasses, type ClassEncoding } from "./codec/classes.ts";
import { Decoder } from "./codec/decoder.ts";
import { Encoder } from "./codec/encoder.ts";
import { cannotDecode, tooDeepToDecode } from "./codec/failures.ts";
import type { LiveObjects } from "./codec/live-objects.ts";
import { rootPlace } from "./codec/place.ts";
import { parseJson } from "./codec/parse-json.ts";
import { isPlainJson, isTooDeep, mayHaveTags } from "./codec/plain.ts";

export type { ClassEncoding } from "./codec/classes.ts";
export type { LiveObjects } from "./codec/live-objects.ts";

/** Value to text and back. */
export interface Codec {
  /**
   * The value as text. The same value always gives the same text, and is not changed.
   *
   * A value that would not come back the same is refused with `PERDURE_CANNOT_KEEP` and the path to the offending part.
   */
  encode(value: unknown, options?: EncodeOptions): string;
  /**
   * The value of a text that {@link Codec.encode} wrote, made of fresh objects each time.
   *
   * A text that cannot be understood is refused with `PERDURE_CANNOT_DECODE` and the path to the offending part.
   */
  decode(text: string, options?: DecodeOptions): unknown;
}

/** What {@link Codec.encode} takes beside the value. */
export interface EncodeOptions {
  /** What the value is called in errors: "userData.42". Default "value". */
  name?: string | undefined;
  /** Live objects (the bot, its api) that are kept as a placeholder. */
  live?: LiveObjects | undefined;
}

/** What {@link Codec.decode} takes beside the text. */
export interface DecodeOptions {
  /** What the value is called in errors: "userData.42". Default "value". */
  name?: string | undefined;
  /** Live objects that stand where the text has their placeholders. */
  live?: LiveObjects | undefined;
}

/** A codec whose text is one JSON document, which can learn classes. docs/codec.md describes the format. */
export interface JsonCodec extends Codec {
  /**
   * Keeps instances of exactly this class (not of its subclasses) under `name`.
   *
   * `how.encode` gives a value that the codec keeps, `how.decode` gets that value back, complete, and makes the
   * instance. The name stands in the kept text: it must stay, while the class may be renamed and moved.
   * A name or a class that is registered already, an empty name, and classes that are kept anyway give a `TypeError`.
   */
  register<T extends object, E>(name: string, constructor: { readonly prototype: T }, how: ClassEncoding<T, E>): this;
}

/** A new JSON codec, which knows no classes yet. */
export function jsonCodec(): JsonCodec {
  return new TaggedJson();
}

class TaggedJson implements JsonCodec {
  readonly #classes = new RegisteredClasses();

  encode(value: unknown, options: EncodeOptions = {}): string {
    const { name = "value", live } = options;
    return plainText(value) ?? new Encoder(this.#classes, live).encode(value, name);
  }

  decode(text: string, options: DecodeOptions = {}): unknown {
    const { name = "value", live } = options;
    const document = parse(text, name);
    if (mayHaveTags(text)) return new Decoder(this.#classes, live, document as object).decode(name);
    if (isTooDeep(text)) throw tooDeepToDecode(rootPlace(name));
    return document;
  }

  register<T extends object, E>(name: string, constructor: { readonly prototype: T }, how: ClassEncoding<T, E>): this {
    this.#classes.add(name, constructor, how);
    return this;
  }
}

/** The fast way, which nearly all values go: undefined if anything in the value is not plain JSON. */
function plainText(value: unknown): string | undefined {
  try {
    return isPlainJson(value) ? JSON.stringify(value) : undefined;
  } catch {
    // A getter or a proxy threw. The encoder meets it again, and knows the path.
    return undefined;
  }
}

function parse(text: string, name: string): unknown {
  if (typeof text !== "string") throw new TypeError("codec.decode: the text must be a string");
  try {
    return parseJson(text);
  } catch (cause) {
    const beginning = JSON.stringify(text.slice(0, 60));
    throw cannotDecode(rootPlace(name), `the text is no JSON, it begins with ${beginning}`, cause);
  }
}
