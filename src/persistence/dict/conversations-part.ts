import { keyName, type ConversationId } from "../../data/record.ts";
import type { ConversationEntry } from "../base-persistence.ts";
import { Entry, type Texts } from "./entry.ts";
import { dictIn, listIn, readJsonOption } from "./json-option.ts";
import type { PythonDict, PythonJson } from "./python-json.ts";
import { readPythonJson } from "./python-json-reader.ts";
import { quoted, writePythonJson } from "./python-json-writer.ts";
import { valueOf } from "./value-of.ts";

/** The conversations of one handler, by their ids as JSON. */
type OfHandler = Map<string, { readonly id: ConversationId; readonly state: Entry }>;

/** The conversations of a DictPersistence. */
export class ConversationsPart {
  readonly #texts: Texts;
  #handlers: Map<string, OfHandler> | undefined;
  /** The text that was given, until something changes. */
  #given: string | undefined;

  constructor(text: string | undefined, texts: Texts) {
    this.#texts = texts;
    this.#handlers = readJsonOption("conversationsJson", text, (document) => this.#read(document));
    this.#given = this.#handlers && text;
  }

  /** The conversations of one handler. From now on, nothing is nothing and no longer unknown. */
  fetch(name: string): ConversationEntry[] {
    this.#handlers ??= new Map();
    return entriesOf(this.#handlers.get(name));
  }

  get value(): Map<string, readonly ConversationEntry[]> | undefined {
    return this.#handlers && new Map(Array.from(this.#handlers, ([name, handler]) => [name, entriesOf(handler)]));
  }

  get json(): string {
    if (this.#given !== undefined) return this.#given;
    if (this.#handlers === undefined) return "null";
    const handlers = Array.from(this.#handlers, ([name, handler]) => `${quoted(name)}: ${jsonOf(handler)}`);
    return `{${handlers.join(", ")}}`;
  }

  get names(): string[] {
    return Array.from(this.#handlers ?? [])
      .filter(([, handler]) => handler.size > 0)
      .map(([name]) => name);
  }

  update(name: string, id: ConversationId, state: unknown): void {
    const key = keyOf(id);
    if (state === null || state === undefined) {
      this.#remove(name, key);
    } else {
      this.#put(name, key, [...id], state);
    }
  }

  #remove(name: string, key: string): void {
    if (this.#handlers?.get(name)?.delete(key) === true) this.#given = undefined;
  }

  #put(name: string, key: string, id: ConversationId, state: unknown): void {
    const old = this.#handlers?.get(name)?.get(key)?.state;
    const entry = Entry.of(state, stateName(name, id), this.#texts, old);
    if (entry === old) return;
    this.#handlers ??= new Map();
    const handler: OfHandler = this.#handlers.get(name) ?? new Map();
    this.#handlers.set(name, handler.set(key, { id, state: entry }));
    this.#given = undefined;
  }

  #read(document: PythonJson): Map<string, OfHandler> {
    const handlers = new Map<string, OfHandler>();
    for (const [name, conversations] of dictIn(document, "it")) {
      handlers.set(name, this.#readHandler(name, dictIn(conversations, `what is kept for ${JSON.stringify(name)}`)));
    }
    return handlers;
  }

  #readHandler(name: string, conversations: PythonDict): OfHandler {
    const handler: OfHandler = new Map();
    for (const [text, document] of conversations) {
      const id = readId(text);
      const key = keyOf(id);
      // python-telegram-bot writes null for a conversation that has ended.
      if (document === null) handler.delete(key);
      else handler.set(key, { id, state: Entry.read(document, stateName(name, id), this.#texts) });
    }
    return handler;
  }
}

function stateName(name: string, id: ConversationId): string {
  return keyName({ kind: "conversation", name, id });
}

function readId(text: string): ConversationId {
  const id = listIn(readPythonJson(text), `the key ${JSON.stringify(text)}`).map(valueOf);
  if (id.every((part) => isIdPart(part))) return id;
  throw new Error(`the key ${JSON.stringify(text)} has something else than integers and strings`);
}

function isIdPart(part: unknown): part is number | string {
  return typeof part === "string" || Number.isSafeInteger(part);
}

function keyOf(id: ConversationId): string {
  if (id.every(isIdPart)) return writePythonJson(id, "id");
  throw new TypeError("the id of a conversation must be an array of integers and strings");
}

function entriesOf(handler: OfHandler | undefined): ConversationEntry[] {
  return Array.from(handler?.values() ?? [], ({ id, state }) => [[...id], state.value()]);
}

function jsonOf(handler: OfHandler): string {
  return `{${Array.from(handler, ([key, { state }]) => `${quoted(key)}: ${state.json()}`).join(", ")}}`;
}
