import { LRUCache } from "lru-cache";
import {
  keyText,
  type ConversationKey,
  type KeptRecord,
  type KeyOf,
  type RecordChange,
  type RecordKey,
  type RecordKind,
} from "../../data/record.ts";
import type { KeysOptions } from "../atomic-persistence.ts";
import { MemoryRecords, type KeyedRecord } from "./memory-records.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { UNKNOWN, Unwritten } from "./unwritten.ts";

/** So many records that are as they were written, of a persistence that loads record by record, stay in memory. */
const MOST_CLEAN = 10_000;

/** What a plain persistence does with a kind of records. */
export interface ContentsOptions {
  /** Whether it keeps them. The others are in memory only. */
  readonly isKept: (kind: RecordKind) => boolean;
  /** Whether others write such records too, so that nobody knows what the persistence has. */
  readonly isRefreshed: (kind: RecordKind) => boolean;
  /** Whether it loads chats and users record by record. */
  readonly lazy: boolean;
}

type LazyKind = "chat" | "user";

/**
 * The records of a plain persistence in memory, and which of them it does not have as they are.
 *
 * Of one that loads record by record only these are always here, and beside them those used last. Which ids it has is
 * remembered as long as somebody lists them.
 */
export class Contents {
  readonly memory: MemoryRecords = new MemoryRecords();
  readonly unwritten: Unwritten = new Unwritten();
  readonly #options: ContentsOptions;
  /** By the texts of their keys. Of a record that is unwritten, what stands here does not count. */
  readonly #clean: LRUCache<string, { readonly record: KeptRecord | undefined }>;
  /** The conversation handlers that were loaded. */
  #names = new Set<string>();
  readonly #listings = new Map<RecordKind, Listing>();

  constructor(options: ContentsOptions) {
    this.#options = options;
    this.#clean = new LRUCache({ max: options.lazy ? MOST_CLEAN : 1 });
  }

  /** Whether a kind is not loaded at the start but record by record. */
  isLazy(kind: RecordKind): kind is LazyKind {
    return this.#options.lazy && (kind === "chat" || kind === "user") && this.#options.isKept(kind);
  }

  /** Whether it is known what this record is, or that there is none: nothing has to be loaded. */
  isKnown(key: RecordKey): boolean {
    if (!this.#options.isKept(key.kind) || this.unwritten.has(key)) return true;
    if (key.kind === "conversation") return this.#names.has(key.name);
    return !this.isLazy(key.kind) || this.#clean.has(keyText(key));
  }

  /** A record that {@link Contents.isKnown}. */
  get(key: RecordKey): KeptRecord | undefined {
    if (!this.isLazy(key.kind) || this.unwritten.has(key)) return this.memory.get(key);
    return this.#clean.get(keyText(key))?.record;
  }

  /** Takes in what was loaded. What has changed since stands. */
  loaded(records: readonly KeyedRecord[]): void {
    for (const { key, record } of records) {
      // What was written before all of its handler were loaded is known better here: its version has no place there.
      if (!this.unwritten.has(key) && this.memory.get(key)?.text !== record.text) this.memory.change(key, record);
    }
  }

  /** Likewise, for all conversations of one handler. */
  loadedConversations(name: string, records: readonly KeyedRecord[]): void {
    this.loaded(records);
    this.#names.add(name);
  }

  /** Likewise, for one record, or that there is none. */
  loadedOne(key: KeyOf<LazyKind>, record: KeptRecord | undefined): void {
    this.#clean.set(keyText(key), { record });
  }

  hasConversations(name: string): boolean {
    return this.#names.has(name);
  }

  /** The names of the handlers whose conversations are here, be it some or all. */
  conversationNames(): Set<string> {
    const names = new Set(this.#names);
    for (const { key } of this.memory.all("conversation")) names.add((key as ConversationKey).name);
    return names;
  }

  apply(changes: readonly RecordChange[]): void {
    for (const { key, record } of changes) this.#apply(key, record);
  }

  /** A record was written. */
  written(key: RecordKey, record: KeptRecord | undefined): void {
    const now = this.get(key);
    this.unwritten.written(key, record, now);
    if (this.isLazy(key.kind)) this.#placeLazy(key, now);
  }

  /** A record could not be written. */
  failed(key: RecordKey, record: KeptRecord | undefined): void {
    this.unwritten.failed(key, record, this.get(key));
  }

  hasListing(kind: LazyKind): boolean {
    return this.#listings.has(kind);
  }

  /** Remembers all ids that a lazy kind has, given those that are written. */
  list(kind: LazyKind, written: Iterable<number>): void {
    const listing = new Listing(kind, written);
    for (const key of this.unwritten.keys("all")) {
      if (key.kind === kind) listing.change(key.id, this.memory.get(key) !== undefined);
    }
    this.#listings.set(kind, listing);
  }

  /** One page of it. With the last one it is forgotten. */
  page<Kind extends RecordKind>(kind: Kind, options: KeysOptions<Kind>): readonly KeyOf<Kind>[] {
    const page: readonly RecordKey[] = this.#listings.get(kind)?.sorted.page(options) ?? [];
    if (page.length < options.limit) this.#listings.delete(kind);
    return page as readonly KeyOf<Kind>[];
  }

  /** Remembers what there is. What is returned brings that back. */
  snapshot(): () => void {
    const restores = [this.memory.snapshot(), this.unwritten.snapshot()];
    const names = new Set(this.#names);
    return () => {
      this.#names = names;
      for (const restore of restores) restore();
      this.#listings.clear();
    };
  }

  #apply(key: RecordKey, record: KeptRecord | undefined): void {
    if (!this.#options.isKept(key.kind)) return this.memory.change(key, record);
    const isSure = this.isKnown(key) && !this.#options.isRefreshed(key.kind);
    this.unwritten.changed(key, isSure ? this.get(key) : UNKNOWN, record);
    if (!this.isLazy(key.kind)) return this.memory.change(key, record);
    this.#placeLazy(key as KeyOf<LazyKind>, record);
    this.#listings.get(key.kind)?.change((key as KeyOf<LazyKind>).id, record !== undefined);
  }

  /** Among those that must stay, or among those that may go. */
  #placeLazy(key: RecordKey, record: KeptRecord | undefined): void {
    const mustStay = this.unwritten.has(key);
    this.memory.change(key, mustStay ? record : undefined);
    if (!mustStay) this.#clean.set(keyText(key), { record });
  }
}

/** The ids of one kind while somebody lists them. */
class Listing {
  readonly #kind: LazyKind;
  readonly #ids: Set<number>;
  readonly sorted: SortedKeys;

  constructor(kind: LazyKind, ids: Iterable<number>) {
    this.#kind = kind;
    this.#ids = new Set(ids);
    this.sorted = new SortedKeys(() => Array.from(this.#ids, (id) => ({ kind, id })));
  }

  change(id: number, isThere: boolean): void {
    if (this.#ids.has(id) === isThere) return;
    const key = { kind: this.#kind, id };
    if (isThere) {
      this.#ids.add(id);
      this.sorted.added(key);
    } else {
      this.#ids.delete(id);
      this.sorted.removed(key);
    }
  }
}
