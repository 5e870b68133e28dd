import {
  BOT_KEY,
  keyName,
  keyText,
  type ConversationKey,
  type KeptRecord,
  type KeyOf,
  type RecordChange,
  type RecordKey,
  type RecordKind,
} from "../data/record.ts";
import type { AtomicPersistence } from "./atomic-persistence.ts";
import type { CallbackData, ConversationEntry, KeyboardEntry } from "./base-persistence.ts";
import { keyPages } from "./key-pages.ts";

/** How many records are read at once. */
const PAGE = 500;

/** The records of an atomic persistence as values, in python-telegram-bot's shapes. Nothing is kept in memory. */
export class RecordValues {
  readonly #of: AtomicPersistence;

  constructor(of: AtomicPersistence) {
    this.#of = of;
  }

  async bot(): Promise<object | undefined> {
    const [record] = await this.#of.read([BOT_KEY]);
    return record === undefined ? undefined : (this.#decode(BOT_KEY, record) as object);
  }

  async all(kind: "chat" | "user"): Promise<ReadonlyMap<number, object>> {
    const values = new Map<number, object>();
    for await (const { key, record } of this.records(kind)) values.set(key.id, this.#decode(key, record) as object);
    return values;
  }

  async callbackData(): Promise<CallbackData | undefined> {
    const keyboards: KeyboardEntry[] = [];
    for await (const { key, record } of this.records("keyboard")) {
      keyboards.push([key.id, (record.time ?? 0) / 1000, this.#decode(key, record) as KeyboardEntry[2]]);
    }
    const queries: [string, string][] = [];
    for await (const { key, record } of this.records("callbackQuery")) {
      queries.push([key.id, this.#decode(key, record) as string]);
    }
    if (keyboards.length === 0 && queries.length === 0) return undefined;
    keyboards.sort(([, first], [, second]) => first - second);
    return [keyboards, Object.fromEntries(queries)];
  }

  async conversations(name: string): Promise<readonly ConversationEntry[]> {
    const entries: ConversationEntry[] = [];
    for await (const { key, record } of this.records("conversation", name)) {
      entries.push([key.id, (this.#decode(key, record) as { state: unknown }).state]);
    }
    return entries;
  }

  async conversationNames(): Promise<readonly string[]> {
    const names = new Set<string>();
    for await (const key of this.keys("conversation")) names.add(key.name);
    return [...names];
  }

  /** Keeps a value; the record's version stays, and is 0 for a new one. */
  async put(key: RecordKey, value: unknown): Promise<void> {
    const [old] = await this.#of.read([key]);
    await this.#commit([{ key, record: { text: this.#encode(key, value), version: old?.version ?? 0 } }]);
  }

  async putConversation(key: ConversationKey, state: unknown): Promise<void> {
    if (state === null || state === undefined) return this.remove(key);
    await this.put(key, { state });
  }

  /** Keeps exactly these keyboards and queries, in one commit. */
  async putCallbackData([keyboards, queries]: CallbackData): Promise<void> {
    const changes = new Map<string, RecordChange>();
    const add = (change: RecordChange): unknown => changes.set(keyText(change.key), change);
    for await (const key of this.keys("keyboard")) add({ key, record: undefined });
    for await (const key of this.keys("callbackQuery")) add({ key, record: undefined });
    for (const [id, accessTime, buttons] of keyboards) {
      const key: RecordKey = { kind: "keyboard", id };
      add({ key, record: { text: this.#encode(key, buttons), version: 0, time: Math.round(accessTime * 1000) } });
    }
    for (const [id, keyboard] of Object.entries(queries)) {
      const key: RecordKey = { kind: "callbackQuery", id };
      add({ key, record: { text: this.#encode(key, keyboard), version: 0 } });
    }
    await this.#commit([...changes.values()]);
  }

  async remove(key: RecordKey): Promise<void> {
    await this.#commit([{ key, record: undefined }]);
  }

  /** All keys of a kind, page by page. */
  async *keys<Kind extends RecordKind>(kind: Kind, within?: string): AsyncGenerator<KeyOf<Kind>> {
    for await (const page of this.#pages(kind, within)) yield* page;
  }

  /** All records of a kind, page by page; what is removed meanwhile is left out. */
  async *records<Kind extends RecordKind>(
    kind: Kind,
    within?: string,
  ): AsyncGenerator<{ readonly key: KeyOf<Kind>; readonly record: KeptRecord }> {
    for await (const page of this.#pages(kind, within)) {
      const records = await this.#of.read(page);
      for (const [index, key] of page.entries()) {
        const record = records[index];
        if (record !== undefined) yield { key, record };
      }
    }
  }

  #pages<Kind extends RecordKind>(kind: Kind, within: string | undefined): AsyncGenerator<readonly KeyOf<Kind>[]> {
    return keyPages<Kind>((options) => this.#of.keys(kind, options), { within, limit: PAGE });
  }

  async #commit(changes: readonly RecordChange[]): Promise<void> {
    await this.#of.commit([{ changes }]);
  }

  #decode(key: RecordKey, record: KeptRecord): unknown {
    return this.#of.codec.decode(record.text, { name: keyName(key), live: this.#of.live });
  }

  #encode(key: RecordKey, value: unknown): string {
    return this.#of.codec.encode(value, { name: keyName(key), live: this.#of.live });
  }
}
