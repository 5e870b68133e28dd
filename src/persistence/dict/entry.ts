import type { PythonJson } from "./python-json.ts";
import { writePythonJson } from "./python-json-writer.ts";
import { valueOf } from "./value-of.ts";

/** Value to text and back, by the codec of the persistence. `name` is what the value is called in errors. */
export interface Texts {
  encode(value: unknown, name: string): string;
  decode(text: string, name: string): unknown;
}

/**
 * One value in memory. What is kept is its text, so that nobody else has a part of it. Its JSON is made when it is asked for, or
 * stays as it was read: with floats that are integers and keys in their order, of which the value itself knows nothing.
 */
export class Entry {
  readonly #texts: Texts;
  readonly #name: string;
  readonly #text: string;
  #json: string | undefined;

  private constructor(texts: Texts, name: string, text: string, json?: string) {
    this.#texts = texts;
    this.#name = name;
    this.#text = text;
    this.#json = json;
  }

  /** The entry of a value: `old` if that has the same content. */
  static of(value: unknown, name: string, texts: Texts, old?: Entry): Entry {
    const text = texts.encode(value, name);
    return old !== undefined && old.#text === text ? old : new Entry(texts, name, text);
  }

  /** The entry of a part of a JSON text. */
  static read(document: PythonJson, name: string, texts: Texts): Entry {
    return new Entry(texts, name, texts.encode(valueOf(document), name), writePythonJson(document, name));
  }

  /** The value, made of fresh objects. */
  value(): unknown {
    return this.#texts.decode(this.#text, this.#name);
  }

  /** The value as python-telegram-bot writes it. `PERDURE_CANNOT_KEEP` if JSON has no form for a part of it. */
  json(): string {
    this.#json ??= writePythonJson(this.value(), this.#name);
    return this.#json;
  }
}
