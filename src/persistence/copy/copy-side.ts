import type { LiveObjects } from "../../data/codec.ts";
import { RECORD_KINDS, keyName, type KeptRecord, type RecordKey, type RecordKind } from "../../data/record.ts";
import type { MaybePromise } from "../../data/maybe-promise.ts";
import { PerdureError } from "../../errors.ts";
import { AtomicPersistence, type InboxEntry } from "../atomic-persistence.ts";
import type { BasePersistence } from "../base-persistence.ts";
import { keyPages } from "../key-pages.ts";
import type { KeyedRecord } from "../interval/memory-records.ts";
import { PlainRecords } from "../interval/plain-records.ts";
import type { MappingReport } from "../mapping-report.ts";
import { IntervalPersistence, type IntervalOptions } from "../interval/interval-persistence.ts";

/** So many records are read and written at once. */
const PAGE = 500;

/** Nothing is written by the clock, and what fails at the end is told by `close`. */
const HOSTING: IntervalOptions = { clock: { now: () => Date.now(), after: () => () => {} }, onError() {} };

/** Kinds of records that only atomic persistences have a place for. */
const ATOMIC_ONLY: ReadonlySet<RecordKind> = new Set<RecordKind>(["entry", "job"]);

const STORE_DATA = {
  bot: "botData",
  chat: "chatData",
  user: "userData",
  keyboard: "callbackData",
  callbackQuery: "callbackData",
} as const;

/** What opening a side needs to know. */
export interface CopySideOptions {
  readonly botId?: number | undefined;
  readonly conversations?: readonly string[] | undefined;
}

/** One of the two persistences of a copying. */
export class CopySide {
  readonly #of: BasePersistence;
  readonly #options: CopySideOptions;
  readonly #live: LiveObjects | undefined;
  /** Its records. Those of a class that is not atomic are in memory, and are written when it is closed. */
  readonly store: AtomicPersistence;
  readonly isAtomic: boolean;

  constructor(of: BasePersistence, options: CopySideOptions) {
    this.#of = of;
    this.#options = options;
    this.isAtomic = of instanceof AtomicPersistence;
    this.#live = of.live;
    if (of.live === undefined) of.setBot(of.bot, placeholders());
    this.store = of instanceof AtomicPersistence ? of : new IntervalPersistence(of, HOSTING);
  }

  /** The class, for messages. */
  get name(): string {
    return this.#of.constructor.name;
  }

  async open(): Promise<void> {
    const { botId } = this.#options;
    if (this.isAtomic && !isBotId(botId)) {
      throw new PerdureError(
        "PERDURE_INVALID_OPTION",
        `copyPersistence: botId is ${botId ?? "missing"}. ${this.name} keeps updates by bot; give the number that the bot's token begins with.`,
      );
    }
    await this.store.open({ botId: botId ?? 0, now: () => Date.now() });
  }

  /** Writes what a class that is not atomic was given, if anything. Rejects if some of it could not be written. */
  async close(): Promise<void> {
    await this.store.close();
    this.#of.setBot(this.#of.bot, this.#live);
  }

  /** What became of its values, if they are in the form of another language. */
  async mapping(): Promise<MappingReport | undefined> {
    return this.#of.mappingReport?.();
  }

  /** Has `give` give it records, as when they are copied, and keeps none of them. */
  async rehearse(give: (take: TakeRecords) => Promise<void>): Promise<void> {
    const plain = new PlainRecords(this.#of);
    const outcome = this.isAtomic
      ? this.store.exclusively(() => giveAndThrow(give, (changes) => this.store.commit([{ changes }])))
      : plain.writesTogether
        ? plain.together(() => giveAndThrow(give, (changes) => writeAll(plain, changes)))
        : giveAndThrow(give, () => {});
    await outcome.catch((error: unknown) => {
      if (!isRehearsed(error)) throw error;
    });
  }

  /** The kinds of records that it may have. */
  get kinds(): readonly RecordKind[] {
    return RECORD_KINDS.filter((kind) => this.isAtomic || !ATOMIC_ONLY.has(kind));
  }

  /** Whether it keeps records of this kind. */
  keeps(kind: RecordKind): boolean {
    const option = STORE_DATA[kind as keyof typeof STORE_DATA] as keyof BasePersistence["storeData"] | undefined;
    return this.kinds.includes(kind) && (option === undefined || this.#of.storeData[option]);
  }

  /** The names of its conversation handlers. Rejects with `PERDURE_INVALID_OPTION` when nobody knows them. */
  async conversationNames(): Promise<readonly string[]> {
    // Of an atomic one all are copied, whatever is named.
    const given = this.isAtomic ? undefined : this.#options.conversations;
    const names = given ?? (await this.#of.conversationNames?.());
    if (names !== undefined) return [...new Set(names)];
    throw new PerdureError(
      "PERDURE_INVALID_OPTION",
      `copyPersistence: ${this.name} cannot tell the names of the conversation handlers. ` +
        "Give them: { conversations: [...] }, or [] for none.",
    );
  }

  /** All records of a kind. */
  async *pages(kind: RecordKind): AsyncGenerator<{ readonly key: RecordKey; readonly record: KeptRecord }[]> {
    const names = kind === "conversation" && !this.isAtomic ? await this.conversationNames() : [undefined];
    for (const within of names) yield* this.#pagesWithin(kind, within);
  }

  async count(kind: RecordKind, conversations: readonly string[]): Promise<number> {
    const names = kind === "conversation" && !this.isAtomic ? conversations : [undefined];
    let count = 0;
    for (const within of names) {
      for await (const keys of this.#keyPages(kind, within)) count += keys.length;
    }
    return count;
  }

  /** How many updates are open. */
  async countOpenUpdates(): Promise<number> {
    let count = 0;
    for await (const page of inboxPages(this.store)) count += page.length;
    return count;
  }

  /** How many records have been through migrations. */
  async countVersions(): Promise<number> {
    let count = 0;
    for (const kind of ["bot", "chat", "user"] as const) {
      for await (const page of this.pages(kind)) count += page.filter(({ record }) => record.version > 0).length;
    }
    return count;
  }

  /** Rejects with `PERDURE_NOT_EMPTY`. */
  async requireEmpty(conversations: readonly string[]): Promise<void> {
    const found: string[] = [];
    for (const kind of this.kinds) {
      if ((await this.count(kind, conversations)) > 0) found.push(kind);
    }
    if ((await this.store.openUpdates({ limit: 1 })).length > 0) found.push("open updates");
    if ((await this.store.failedUpdates()).length > 0) found.push("failed updates");
    if ((await this.store.chatAliases()).length > 0) found.push("chat aliases");
    if ((await this.store.doneUpdates()).length > 0) found.push("done updates");
    if (found.length === 0) return;
    throw new PerdureError(
      "PERDURE_NOT_EMPTY",
      `${this.name} keeps something already (${found.join(", ")}). Nothing was copied. Copy to an empty one.`,
    );
  }

  /** A text of this side's codec in the other's. */
  transcode(key: RecordKey, text: string, to: CopySide): string {
    const { codec } = this.store;
    // What is not atomic gives and takes values: its text is the codec's own, and that of a file may have been edited by hand.
    if (codec === to.store.codec && this.isAtomic === to.isAtomic) return text;
    const value = codec.decode(text, { name: keyName(key), live: this.#of.live });
    return to.store.codec.encode(value, { name: keyName(key), live: this.#of.live });
  }

  async *#pagesWithin(
    kind: RecordKind,
    within: string | undefined,
  ): AsyncGenerator<{ readonly key: RecordKey; readonly record: KeptRecord }[]> {
    for await (const keys of this.#keyPages(kind, within)) {
      const records = await this.store.read(keys);
      yield keys.map((key, index) => {
        const record = records[index];
        if (record === undefined) throw new Error(`${keyName(key)} was removed while it was copied.`);
        return { key, record };
      });
    }
  }

  #keyPages(kind: RecordKind, within: string | undefined): AsyncGenerator<readonly RecordKey[]> {
    return keyPages<RecordKind>((options) => this.store.keys(kind, options), { within, limit: PAGE });
  }
}

/** The inbox of an atomic persistence. */
export async function* inboxPages(store: AtomicPersistence): AsyncGenerator<readonly InboxEntry[]> {
  for (let after: number | undefined; ;) {
    const page: readonly InboxEntry[] = await store.openUpdates({ after, limit: PAGE });
    after = page.at(-1)?.arrival;
    if (after === undefined) return;
    yield page;
  }
}

/** Takes records. */
export type TakeRecords = (changes: readonly KeyedRecord[]) => MaybePromise<void>;

/** Thrown at the end of a rehearsal, so that nothing of it is kept. */
const REHEARSED = new Error("This was a rehearsal.");

function isRehearsed(error: unknown): boolean {
  return error === REHEARSED || (error instanceof Error && error.cause === REHEARSED);
}

async function giveAndThrow(give: (take: TakeRecords) => Promise<void>, take: TakeRecords): Promise<never> {
  await give(take);
  throw REHEARSED;
}

async function writeAll(plain: PlainRecords, changes: readonly KeyedRecord[]): Promise<void> {
  for (const { key, record } of changes) {
    if (key.kind === "callbackQuery") continue;
    if (key.kind === "keyboard") await plain.writeCallbackData([{ key, record }], []);
    else await plain.write(key, record);
  }
}

function isBotId(id: number | undefined): id is number {
  return Number.isSafeInteger(id) && (id as number) > 0;
}

/** The bot and its api stand in values by name; nobody uses them here. */
function placeholders(): LiveObjects {
  const standIns = new Map<string, object>();
  return {
    nameOf: (object) => [...standIns].find(([, standIn]) => standIn === object)?.[0],
    get(name) {
      const standIn = standIns.get(name) ?? new StandIn();
      standIns.set(name, standIn);
      return standIn;
    },
  };
}

/** An instance of a class, as live objects are. */
class StandIn {}
