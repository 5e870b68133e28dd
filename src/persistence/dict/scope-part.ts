import { cannotKeep } from "../../data/codec/failures.ts";
import { rootPlace } from "../../data/codec/place.ts";
import { keyName } from "../../data/record.ts";
import { Entry, type Texts } from "./entry.ts";
import { dictIn, readJsonOption } from "./json-option.ts";
import type { PythonDict, PythonJson } from "./python-json.ts";
import { pythonInt } from "./python-int.ts";

/** All chat data or all user data of a DictPersistence. */
export class ScopePart {
  readonly #scope: "chat" | "user";
  readonly #texts: Texts;
  #entries: Map<number, Entry> | undefined;
  /** The text that was given, until something changes. */
  #given: string | undefined;

  constructor(scope: "chat" | "user", text: string | undefined, texts: Texts) {
    this.#scope = scope;
    this.#texts = texts;
    this.#entries = readJsonOption(`${scope}DataJson`, text, (document) => this.#read(document));
    this.#given = this.#entries && text;
  }

  /** The values by id. From now on, nothing is nothing and no longer unknown. */
  fetch(): Map<number, object> {
    this.#entries ??= new Map();
    return valuesOf(this.#entries);
  }

  get value(): Map<number, object> | undefined {
    return this.#entries && valuesOf(this.#entries);
  }

  get json(): string {
    if (this.#given !== undefined) return this.#given;
    if (this.#entries === undefined) return "null";
    return `{${Array.from(this.#entries, ([id, entry]) => `"${id}": ${dataJson(entry, this.#name(id))}`).join(", ")}}`;
  }

  update(id: number, data: object): void {
    if (!Number.isSafeInteger(id)) throw new TypeError(`the id of a ${this.#scope} must be an integer, and not ${id}`);
    const old = this.#entries?.get(id);
    const entry = Entry.of(data, this.#name(id), this.#texts, old);
    if (entry === old) return;
    this.#entries ??= new Map();
    this.#entries.set(id, entry);
    this.#given = undefined;
  }

  drop(id: number): void {
    this.#entries?.delete(id);
    this.#given = undefined;
  }

  #name(id: number): string {
    return keyName({ kind: this.#scope, id });
  }

  #read(document: PythonJson): Map<number, Entry> {
    const entries = new Map<number, Entry>();
    for (const [key, data] of dictIn(document, "it")) {
      const id = Number(pythonInt(key) ?? Number.NaN);
      if (!Number.isSafeInteger(id)) throw new Error(`the key ${JSON.stringify(key)} is no id`);
      entries.set(id, Entry.read(withIntKeys(dictIn(data, `what is kept for ${id}`)), this.#name(id), this.#texts));
    }
    return entries;
  }
}

/** The JSON of bot data, or of one chat's or user's, which must be an object there to be readable. */
export function dataJson(entry: Entry, name: string): string {
  const json = entry.json();
  if (json.startsWith("{")) return json;
  throw cannotKeep(rootPlace(name), "only an object or a Map can stand here in JSON.");
}

function valuesOf(entries: ReadonlyMap<number, Entry>): Map<number, object> {
  return new Map(Array.from(entries, ([id, entry]) => [id, entry.value() as object]));
}

/** The first level of keys, where what Python takes for an integer is one. */
function withIntKeys(dict: PythonDict): PythonDict {
  return new Map(Array.from(dict, ([key, value]) => [String(pythonInt(key) ?? key), value]));
}
