import type { MaybePromise } from "../../data/maybe-promise.ts";
import { BOT_KEY, keyName, type ConversationId, type KeptRecord, type RecordKey } from "../../data/record.ts";
import { PerdureError, isPerdureError, type ErrorCode } from "../../errors.ts";
import type { BasePersistence, CallbackData, ConversationEntry, KeyboardEntry } from "../base-persistence.ts";
import type { KeyedRecord } from "./memory-records.ts";

/**
 * What a plain persistence keeps, as records, and records as the calls that it takes.
 *
 * What its methods reject with is told with their names: a `PerdureError` with the code that it has, or `PERDURE_IO`. What they
 * must not return is a `TypeError` that names them.
 */
export class PlainRecords {
  readonly #plain: BasePersistence;

  constructor(plain: BasePersistence) {
    this.#plain = plain;
  }

  async bot(): Promise<readonly KeyedRecord[]> {
    const data = await this.#read("getBotData", () => this.#plain.getBotData());
    if (data === undefined) return [];
    this.#require(isObject(data), "getBotData", "no object");
    return [this.#encoded(BOT_KEY, data)];
  }

  async all(kind: "chat" | "user"): Promise<readonly KeyedRecord[]> {
    return Array.from(await this.#values(kind), ([id, value]) => this.#encoded({ kind, id }, value));
  }

  async ids(kind: "chat" | "user"): Promise<Iterable<number>> {
    return (await this.#values(kind).catch(throwFinal)).keys();
  }

  /** One chat's or user's record; `undefined` when there is none. For a persistence that loads record by record. */
  one(kind: "chat" | "user", id: number): Promise<KeptRecord | undefined> {
    return this.#one(kind, id).catch(throwFinal);
  }

  async #one(kind: "chat" | "user", id: number): Promise<KeptRecord | undefined> {
    const method = kind === "chat" ? "loadChatData" : "loadUserData";
    const value = await this.#read(method, () => this.#plain[method]?.(id));
    // What a database calls nothing.
    if (value === undefined || value === null) return undefined;
    this.#require(isObject(value), method, "no object");
    return this.#encoded({ kind, id }, value).record;
  }

  async callbackData(): Promise<readonly KeyedRecord[]> {
    const method = "getCallbackData";
    const data: unknown = await this.#read(method, () => this.#plain.getCallbackData());
    if (data === undefined) return [];
    this.#require(
      isPair(data) && Array.isArray(data[0]) && isObject(data[1]),
      method,
      "no pair of keyboards and queries",
    );
    const [keyboards, queries] = data as CallbackData;
    return [
      ...keyboards.map((entry) => {
        this.#require(isKeyboard(entry), method, "a keyboard that is no [id, access time, buttons]");
        const [id, accessTime, buttons] = entry;
        const { key, record } = this.#encoded({ kind: "keyboard", id }, buttons);
        return { key, record: { ...record, time: Math.round(accessTime * 1000) } };
      }),
      ...Object.entries(queries).map(([id, keyboard]: [string, unknown]) => {
        this.#require(typeof keyboard === "string", method, `a query ${JSON.stringify(id)} without a keyboard's id`);
        return this.#encoded({ kind: "callbackQuery", id }, keyboard);
      }),
    ];
  }

  conversations(name: string): Promise<readonly KeyedRecord[]> {
    return this.#conversations(name).catch(throwFinal);
  }

  async #conversations(name: string): Promise<readonly KeyedRecord[]> {
    const method = "getConversations";
    const entries = await this.#read(method, () => this.#plain.getConversations(name));
    this.#require(Array.isArray(entries), method, "no array");
    const kept: KeyedRecord[] = [];
    for (const entry of entries) {
      this.#require(isConversation(entry), method, "an entry that is no [id, state]");
      const [id, state] = entry;
      if (state !== null && state !== undefined)
        kept.push(this.#encoded({ kind: "conversation", name, id }, { state }));
    }
    return kept;
  }

  /** The names of the handlers that have conversations; none where the class cannot tell. */
  async conversationNames(): Promise<readonly string[]> {
    const method = "conversationNames";
    const names: unknown = (await this.#read(method, () => this.#plain.conversationNames?.())) ?? [];
    this.#require(Array.isArray(names) && names.every((name) => typeof name === "string"), method, "no array of texts");
    return names as string[];
  }

  /** Writes one record of the bot, a chat, a user or a conversation; `undefined` removes it. */
  async write(key: RecordKey, record: KeptRecord | undefined): Promise<void> {
    const plain = this.#plain;
    const value = record === undefined ? undefined : this.#decoded(key, record);
    const write = (method: string, call: () => MaybePromise<void>): Promise<void> =>
      this.#write(method, keyName(key), call);
    switch (key.kind) {
      case "bot":
        // There is no way to remove the bot's data; nothing in it comes nearest.
        return write("updateBotData", () => plain.updateBotData((value ?? {}) as object));
      case "chat":
        if (record === undefined) return write("dropChatData", () => plain.dropChatData(key.id));
        return write("updateChatData", () => plain.updateChatData(key.id, value as object));
      case "user":
        if (record === undefined) return write("dropUserData", () => plain.dropUserData(key.id));
        return write("updateUserData", () => plain.updateUserData(key.id, value as object));
      case "conversation": {
        const { state } = (value ?? { state: null }) as { state: unknown };
        return write("updateConversation", () => plain.updateConversation(key.name, key.id, state));
      }
      default:
        throw new TypeError(`A ${key.kind} is not written by itself.`);
    }
  }

  /** Writes the callback data, all of it. */
  async writeCallbackData(keyboards: Iterable<KeyedRecord>, queries: Iterable<KeyedRecord>): Promise<void> {
    const entries = Array.from(keyboards, ({ key, record }): KeyboardEntry => {
      const buttons = this.#decoded(key, record) as KeyboardEntry[2];
      return [idOf(key), (record.time ?? 0) / 1000, buttons];
    });
    entries.sort(([, first], [, second]) => first - second);
    const byQuery = Array.from(
      queries,
      ({ key, record }) => [idOf(key), this.#decoded(key, record) as string] as const,
    );
    const data: CallbackData = [entries, Object.fromEntries(byQuery)];
    await this.#write("updateCallbackData", "callbackData", () => this.#plain.updateCallbackData(data));
  }

  /** Whether it writes what it was given in several calls at their end. */
  get writesTogether(): boolean {
    return this.#plain.together !== undefined;
  }

  /** Makes calls of {@link PlainRecords.write} that are written at their end. */
  async together(updates: () => Promise<void>): Promise<void> {
    await this.#write("together", "what it was given", () => this.#plain.together?.(updates));
  }

  async flush(): Promise<void> {
    await this.#write("flush", "what it was given", () => this.#plain.flush());
  }

  /** The class, for messages. */
  get name(): string {
    return this.#plain.constructor.name;
  }

  async #values(kind: "chat" | "user"): Promise<ReadonlyMap<number, object>> {
    const method = kind === "chat" ? "getChatData" : "getUserData";
    const values: ReadonlyMap<number, object> = await this.#read(method, () => this.#plain[method]());
    this.#require(isMap(values), method, "no Map");
    for (const [id, value] of values) {
      this.#require(Number.isSafeInteger(id), method, `a Map with the key ${JSON.stringify(id)}, which is no id`);
      this.#require(isObject(value), method, `a Map in which ${id} has no object`);
    }
    return values;
  }

  async #read<T>(method: string, call: () => MaybePromise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw failed(`${this.name}.${method} failed`, error);
    }
  }

  async #write(method: string, what: string, call: () => MaybePromise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      throw failed(`${this.name}.${method} failed, and ${what} may not be kept`, error);
    }
  }

  #encoded(key: RecordKey, value: unknown): KeyedRecord {
    const { codec, live } = this.#plain;
    return { key, record: { text: codec.encode(value, { name: keyName(key), live }), version: 0 } };
  }

  #decoded(key: RecordKey, record: KeptRecord): unknown {
    const { codec, live } = this.#plain;
    return codec.decode(record.text, { name: keyName(key), live });
  }

  #require(isRight: boolean, method: string, what: string): void {
    if (!isRight) throw new TypeError(`${this.name}.${method} has returned ${what}.`);
  }
}

function failed(what: string, cause: unknown): PerdureError {
  const code = isPerdureError(cause) ? cause.code : "PERDURE_IO";
  return new PerdureError(code, `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "PERDURE_CANNOT_DECODE",
  "PERDURE_CANNOT_KEEP",
  "PERDURE_CORRUPT",
  "PERDURE_NEWER_FORMAT",
]);

/**
 * What is wrong with a value is so at the next try too, and is an error of whoever needs it; what is wrong with a connection is not.
 * (What a class throws itself is a `PERDURE_IO` by now.)
 */
function throwFinal(error: unknown): never {
  const isFinal = isPerdureError(error) ? FINAL.has(error.code) : error instanceof TypeError;
  throw isFinal ? new PerdureError("PERDURE_REFUSED", (error as Error).message, { cause: error }) : error;
}

function idOf(key: RecordKey): string {
  return (key as { readonly id: string }).id;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A `Map`, or something of one's own that is read like one. */
function isMap(value: unknown): boolean {
  return isObject(value) && "get" in value && "size" in value && Symbol.iterator in value;
}

function isPair(value: unknown): value is readonly [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}

function isKeyboard(entry: unknown): boolean {
  if (!Array.isArray(entry) || entry.length !== 3) return false;
  const [id, accessTime, buttons] = entry as unknown[];
  return typeof id === "string" && Number.isFinite(accessTime) && isObject(buttons);
}

function isConversation(entry: unknown): entry is ConversationEntry {
  return isPair(entry) && Array.isArray(entry[0]) && (entry[0] as ConversationId).every(isIdPart);
}

function isIdPart(part: unknown): boolean {
  return typeof part === "number" || typeof part === "string";
}
