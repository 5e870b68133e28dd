import type { Update } from "@grammyjs/types";
import type { LiveObjects } from "../../data/codec.ts";
import type { MaybePromise } from "../../data/maybe-promise.ts";
import {
  keyText,
  type ConversationKey,
  type KeptRecord,
  type KeyOf,
  type RecordKey,
  type RecordKind,
  type TimedKind,
} from "../../data/record.ts";
import { PerdureError } from "../../errors.ts";
import {
  AtomicPersistence,
  type Abilities,
  type Acceptance,
  type ChatAlias,
  type EarliestOptions,
  type FailedUpdate,
  type InboxEntry,
  type KeysOptions,
  type OpenOptions,
  type OpenUpdatesOptions,
  type TimedRecord,
  type UnitCommit,
} from "../atomic-persistence.ts";
import type { BasePersistence } from "../base-persistence.ts";
import type { DoneRange } from "../done-ranges.ts";
import { isRefreshed } from "../refreshing.ts";
import { Contents } from "./contents.ts";
import { MemoryInbox } from "./memory-inbox.ts";
import type { KeyedRecord } from "./memory-records.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { PlainRecords } from "./plain-records.ts";
import { Schedule, type IntervalClock } from "./schedule.ts";
import { isSwitchedOff } from "./stored-kinds.ts";
import { Writer, namesOf } from "./writer.ts";

/** Those that are open. What one object has in memory another one does not know, and would overwrite. */
const IN_USE = new WeakSet<BasePersistence>();

/** What an {@link IntervalPersistence} needs beside the persistence that it makes usable. */
export interface IntervalOptions {
  readonly clock: IntervalClock;
  /**
   * Hears each call of the plain persistence that failed while it was written: a `PerdureError` that names the record, with the
   * error as its `cause`. What failed is tried again. Must not throw.
   */
  readonly onError: (error: unknown) => void;
}

/** How often the end tries to write what it cannot. */
const TRIES_AT_CLOSE = 3;

/** What there is between `open` and `close`. */
interface Opened {
  readonly contents: Contents;
  readonly inbox: MemoryInbox;
  readonly writer: Writer;
  readonly schedule: Schedule;
  /** Loads that are under way, by the texts of their keys. */
  readonly loading: Map<string, Promise<KeptRecord | undefined>>;
  /** Likewise, of all conversations of one handler, by its name. */
  readonly loadingNames: Map<string, Promise<readonly KeyedRecord[]>>;
  /** While somebody works exclusively: brings back what there was before. */
  rollback: (() => void) | undefined;
  isExclusive: boolean;
}

/**
 * A plain persistence as the engine uses it: its values are in memory, as text, and what changed is given to it at each of its
 * `updateInterval`s, as python-telegram-bot does.
 *
 * A commit is all or nothing for the readers of this object, and survives nothing: it is in memory. The end of the process loses
 * what was not written, the inbox and the done marks, and may leave a part of what was committed together. What a plain
 * persistence has no place for (jobs, entries of collections, chats' new ids, the versions of records) lives until
 * `close`, and so does what its `storeData` switches off.
 *
 * The plain one's methods are called one at a time. A chat's or user's data, a conversation's state or the bot's data is
 * given to it when its text is another than the one that it has; the callback data when any of it is. The bot's data cannot be removed there and
 * becomes `{}`.
 */
export class IntervalPersistence extends AtomicPersistence {
  readonly abilities: Abilities;
  readonly #plain: BasePersistence;
  readonly #options: IntervalOptions;
  readonly #records: PlainRecords;
  readonly #calls = new OneAtATime();
  #opened: Opened | undefined;
  #isOpening = false;
  #closing: Promise<void> | undefined;

  constructor(plain: BasePersistence, options: IntervalOptions) {
    super({ codec: plain.codec, storeData: plain.storeData, updateInterval: `${plain.updateInterval}ms` });
    this.#plain = plain;
    this.#options = options;
    this.#records = new PlainRecords(plain);
    const lazy = plain.loadChatData !== undefined && plain.loadUserData !== undefined;
    this.abilities = { atomic: false, durable: "no", shared: false, lazy };
  }

  override setBot(bot: unknown, live?: LiveObjects): void {
    this.#plain.setBot(bot, live);
  }

  override get bot(): unknown {
    return this.#plain.bot;
  }

  override get live(): LiveObjects | undefined {
    return this.#plain.live;
  }

  /**
   * Loads users, chats, the bot's and the callback data, in this order (PTB statement 84); conversations are loaded when the first of
   * their handler is asked for. Rejects when a getter rejects, with its error as `cause`, and with a `TypeError` when it returns what
   * it must not.
   */
  async open({ now }: OpenOptions): Promise<void> {
    if (this.#opened !== undefined || this.#isOpening) throw this.#openAlready();
    this.#isOpening = true;
    try {
      await this.#closing?.catch(() => {});
      await this.#loadAlone(now);
    } finally {
      this.#isOpening = false;
    }
  }

  /**
   * Writes what is unwritten, with two more tries for what fails, and calls `flush`, whatever happened. Rejects with `PERDURE_IO`, naming
   * what could not be written, which is lost then; or with what `flush` failed with.
   */
  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened !== undefined)
      this.#closing = this.#end(opened).finally(() => {
        this.#closing = undefined;
        IN_USE.delete(this.#plain);
      });
    await this.#closing;
  }

  read(keys: readonly RecordKey[]): MaybePromise<readonly (KeptRecord | undefined)[]> {
    const { contents } = this.#using();
    const unknown = keys.filter((key) => !contents.isKnown(key));
    return unknown.length === 0 ? keys.map((key) => contents.get(key)) : this.#readUnknown(keys, unknown);
  }

  /**
   * Of a persistence that loads record by record, chats and users are listed by loading them all, and only their ids stay in memory. Of
   * conversations without `within`, those of the handlers that `conversationNames` tells, or that were asked for before.
   */
  keys<Kind extends RecordKind>(kind: Kind, options: KeysOptions<Kind>): MaybePromise<readonly KeyOf<Kind>[]> {
    const { contents } = this.#using();
    if (contents.isLazy(kind)) return this.#keysOfLazy(kind, options);
    if (kind === "conversation") return this.#conversationKeys(kind, options);
    return contents.memory.keys(kind, options);
  }

  earliest(kind: TimedKind, options: EarliestOptions): readonly TimedRecord[] {
    return this.#using().contents.memory.earliest(kind, options);
  }

  accept(updates: readonly Update[]): readonly Acceptance[] {
    return this.#using().inbox.accept(updates);
  }

  /** The inbox lives in memory. */
  sync(): void {}

  openUpdates(options: OpenUpdatesOptions): readonly InboxEntry[] {
    return this.#using().inbox.openUpdates(options);
  }

  noteAttempts(updateId: number, attempts: number): boolean {
    return this.#using().inbox.noteAttempts(updateId, attempts);
  }

  failedUpdates(): readonly FailedUpdate[] {
    return this.#using().inbox.failedUpdates();
  }

  chatAliases(): readonly ChatAlias[] {
    return this.#using().inbox.chatAliases();
  }

  doneUpdates(): readonly DoneRange[] {
    return this.#using().inbox.doneUpdates();
  }

  /** With an `updateInterval` of 0 it resolves when the changes were tried to be written: what failed is tried again later. */
  commit(units: readonly UnitCommit[]): MaybePromise<void> {
    const { contents, inbox, schedule, loading } = this.#using();
    inbox.commit(units);
    for (const { changes } of units) {
      contents.apply(changes);
      for (const { key } of changes) loading.delete(keyText(key));
    }
    return schedule.committed();
  }

  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const opened = this.#using();
    this.#refuseExclusive(opened);
    const { contents, inbox, writer, schedule } = opened;
    opened.isExclusive = true;
    schedule.hold();
    try {
      await writer.idle();
      const restores = [contents.snapshot(), inbox.snapshot()];
      opened.rollback = () => {
        for (const restore of restores) restore();
      };
      const result = await work();
      this.#using(opened);
      opened.rollback = undefined;
      return result;
    } finally {
      opened.rollback?.();
      opened.rollback = undefined;
      opened.isExclusive = false;
      schedule.release();
      await schedule.committed();
    }
  }

  /**
   * Writes what is unwritten, PTB's `update_persistence`. Resolves when everything was tried. While a writing runs, it waits for that
   * and writes again.
   */
  async write(): Promise<void> {
    const opened = this.#using();
    this.#refuseExclusive(opened);
    await opened.writer.write("all");
  }

  /** Writes what is unwritten, and has the plain persistence flush. */
  override async flush(): Promise<void> {
    await this.write();
    await this.#calls.run(() => this.#records.flush());
  }

  /** Whether this record is another than the plain persistence has, or may be: a refresh would lose a change (PTB statement 20). */
  hasUnwritten(key: RecordKey): boolean {
    return this.#using().contents.unwritten.has(key);
  }

  async #loadAlone(now: () => number): Promise<void> {
    if (IN_USE.has(this.#plain)) throw this.#openAlready();
    IN_USE.add(this.#plain);
    try {
      const contents = new Contents({
        isKept: (kind) => this.#isKept(kind),
        isRefreshed: (kind) => isRefreshed(this.#plain, kind),
        lazy: this.abilities.lazy,
      });
      await this.#load(contents);
      this.#opened = this.#opening(contents, now);
    } catch (error) {
      IN_USE.delete(this.#plain);
      throw error;
    }
  }

  #openAlready(): PerdureError {
    return new PerdureError(
      "PERDURE_OWNED",
      `This ${this.#records.name} is open already. Two would overwrite each other's data.`,
    );
  }

  async #load(contents: Contents): Promise<void> {
    const loads = [
      ["user", () => this.#records.all("user")],
      ["chat", () => this.#records.all("chat")],
      ["bot", () => this.#records.bot()],
      ["keyboard", () => this.#records.callbackData()],
    ] as const;
    for (const [kind, load] of loads) {
      if (this.#isKept(kind) && !contents.isLazy(kind)) contents.loaded(await this.#calls.run(load));
    }
  }

  #opening(contents: Contents, now: () => number): Opened {
    const { clock, onError } = this.#options;
    const writer = new Writer({ contents, plain: this.#records, calls: this.#calls, onError });
    const schedule = new Schedule({ clock, interval: this.updateInterval, writer, contents });
    return {
      contents,
      inbox: new MemoryInbox(now),
      writer,
      schedule,
      loading: new Map(),
      loadingNames: new Map(),
      rollback: undefined,
      isExclusive: false,
    };
  }

  async #end(opened: Opened): Promise<void> {
    const { contents, writer, schedule } = opened;
    schedule.stop();
    opened.rollback?.();
    opened.rollback = undefined;
    for (let tries = 0; tries < TRIES_AT_CLOSE && contents.unwritten.size > 0; tries += 1) await writer.write("all");
    const lost = contents.unwritten.keys("all");
    const errors = lost.length > 0 ? [...writer.errors] : [];
    await this.#calls.run(() => this.#records.flush()).catch((error: unknown) => errors.push(error));
    if (lost.length > 0) throw notWritten(this.#records.name, lost, errors);
    if (errors.length > 0) throw errors[0];
  }

  async #readUnknown(
    keys: readonly RecordKey[],
    unknown: readonly RecordKey[],
  ): Promise<readonly (KeptRecord | undefined)[]> {
    const opened = this.#using();
    const { contents } = opened;
    // What is in memory may have to make room for what is loaded.
    const found = new Map(keys.map((key) => [keyText(key), contents.get(key)]));
    await Promise.all(
      unknown.map(async (key) => {
        if (key.kind === "conversation") await this.#loadConversations(opened, key.name);
        else found.set(keyText(key), await this.#loadOne(opened, key as KeyOf<"chat" | "user">));
      }),
    );
    return keys.map((key) => (contents.isKnown(key) ? contents.get(key) : found.get(keyText(key))));
  }

  /** Side by side, also beside a write: what is being written is known, and is not loaded. */
  async #loadOne(opened: Opened, key: KeyOf<"chat" | "user">): Promise<KeptRecord | undefined> {
    const { contents, loading } = opened;
    const text = keyText(key);
    const load = loading.get(text) ?? this.#records.one(key.kind, key.id);
    loading.set(text, load);
    try {
      const record = await load;
      this.#using(opened);
      // What was committed meanwhile stands, also when it is written already.
      if (contents.isKnown(key)) return contents.get(key);
      // Committed, written and out of memory again: what was loaded may be older.
      if (loading.get(text) !== load) return await this.#loadOne(opened, key);
      contents.loadedOne(key, record);
      return record;
    } finally {
      if (loading.get(text) === load) loading.delete(text);
    }
  }

  /** Likewise: a conversation that is being written is known. */
  async #loadConversations(opened: Opened, name: string): Promise<void> {
    const { contents, loadingNames } = opened;
    if (contents.hasConversations(name)) return;
    const load = loadingNames.get(name) ?? this.#records.conversations(name);
    loadingNames.set(name, load);
    try {
      const records = await load;
      this.#using(opened);
      if (!contents.hasConversations(name)) contents.loadedConversations(name, records);
    } finally {
      loadingNames.delete(name);
    }
  }

  async #keysOfLazy<Kind extends RecordKind>(
    kind: Kind & ("chat" | "user"),
    options: KeysOptions<Kind>,
  ): Promise<readonly KeyOf<Kind>[]> {
    const opened = this.#using();
    const { contents } = opened;
    if (options.after === undefined || !contents.hasListing(kind)) {
      await this.#calls.run(async () => contents.list(kind, await this.#records.ids(kind)));
      this.#using(opened);
    }
    return contents.page(kind, options);
  }

  async #conversationKeys<Kind extends RecordKind>(
    kind: Kind,
    options: KeysOptions<Kind>,
  ): Promise<readonly KeyOf<Kind>[]> {
    const opened = this.#using();
    const { contents } = opened;
    const { within } = options;
    for (const name of within === undefined ? await this.#conversationNames(opened) : [within]) {
      if (!contents.hasConversations(name)) await this.#loadConversations(opened, name);
    }
    return contents.memory.keys(kind, options);
  }

  async #conversationNames({ contents }: Opened): Promise<Iterable<ConversationKey["name"]>> {
    const names = contents.conversationNames();
    for (const name of await this.#calls.run(() => this.#records.conversationNames())) names.add(name);
    return names;
  }

  #isKept(kind: RecordKind): boolean {
    return kind !== "entry" && kind !== "job" && !isSwitchedOff(this.#plain.storeData, kind);
  }

  /** What is open: `PERDURE_CLOSED` without it, or if it is not `opened` any more. */
  #using(opened: Opened | undefined = this.#opened): Opened {
    if (opened !== undefined && opened === this.#opened) return opened;
    throw new PerdureError("PERDURE_CLOSED", `${this.#records.name} is not open.`);
  }

  #refuseExclusive({ isExclusive }: Opened): void {
    if (isExclusive)
      throw new TypeError(`${this.#records.name} is used exclusively: nothing else may use it meanwhile.`);
  }
}

function notWritten(name: string, keys: readonly RecordKey[], errors: readonly unknown[]): PerdureError {
  const [first] = errors;
  const reason = first instanceof Error ? first.message : String(first);
  const cause = errors.length === 1 ? first : new AggregateError(errors, `${errors.length} calls of ${name} failed.`);
  return new PerdureError("PERDURE_IO", `${name} was closed without ${namesOf(keys)}: ${reason}`, { cause });
}
