import {
  isSameRecord,
  keyName,
  type KeptRecord,
  type RecordKey,
  type RecordKind,
  type Scope,
} from "../../data/record.ts";
import { isPerdureError, PerdureError } from "../../errors.ts";
import type { AtomicPersistence } from "../atomic-persistence.ts";
import type { BasePersistence } from "../base-persistence.ts";
import type { KeyedRecord } from "../interval/memory-records.ts";
import type { MappingReport } from "../mapping-report.ts";
import { CopySide, inboxPages, type TakeRecords } from "./copy-side.ts";

/** Options of {@link copyPersistence}. */
export interface CopyOptions {
  /**
   * The bot's id, the number that its token begins with. To be given when `from` is atomic: the updates that it keeps belong to a
   * bot.
   */
  botId?: number | undefined;
  /** The names of the conversation handlers, for a `from` that cannot tell them. `[]` for none. */
  conversations?: readonly string[] | undefined;
  /** How many of the application's `migrations` the values of a `from` that does not keep that have been through. Default 0. */
  versions?: { readonly [S in Scope]?: number | undefined } | undefined;
  /** Whether to copy although `to` has no place for something. Default: then nothing is copied, and the error tells what it is. */
  partial?: boolean | undefined;
  /**
   * Whether to try only: everything is read, encoded and given to `to`, and nothing kept. What it would refuse is in {@link CopyResult.refused}.
   * A class that writes record by record is not given anything, so that what it would refuse is not found out.
   */
  dryRun?: boolean | undefined;
  /** Hears how far it is, every few hundred records. What it throws ends the copying. */
  onProgress?: ((progress: CopyProgress) => void) | undefined;
}

/** How far a copying is. */
export interface CopyProgress {
  readonly phase: "copying" | "verifying";
  readonly kind: RecordKind;
  /** So many records of this kind in this phase. */
  readonly count: number;
}

/** What was copied, and found again. */
export interface CopyResult {
  /** How many records of each kind. */
  readonly records: Readonly<Record<RecordKind, number>>;
  /** Updates that were accepted and not done. */
  readonly openUpdates: number;
  /** Updates that were set aside. */
  readonly failedUpdates: number;
  /** What `to` has no place for, with its number: `entries: 12`. Only with the option `partial`. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** What became of values that `from` has in the form of another language, such as a pickle of Python, and what does not map exactly. */
  readonly mapping?: MappingReport | undefined;
  /** What `to` would refuse, as the messages of the errors. Only with the option `dryRun`; without it, the first of them is thrown. */
  readonly refused?: readonly string[] | undefined;
}

/**
 * Copies everything from one persistence to another, which must be empty, and compares both. All or nothing: if it rejects, `to`
 * is as it was, as far as its class writes at once (one that writes record by record may be left with a part when it fails to write).
 * Neither may be in use. Records are read and written page by page; only a class that is not atomic has them all in memory.
 *
 * Rejects with `PERDURE_NOT_EMPTY`; with `PERDURE_UNSUPPORTED` when `to` has no place for something; with `PERDURE_CANNOT_KEEP` when its
 * codec cannot keep a value; with `PERDURE_NOT_COPIED` when it did not keep what it was given; and with what either rejects with.
 */
export async function copyPersistence(
  from: BasePersistence,
  to: BasePersistence,
  options: CopyOptions = {},
): Promise<CopyResult> {
  if ((from as unknown) === to) throw new TypeError("copyPersistence: from and to are the same object.");
  const source = new CopySide(from, options);
  const target = new CopySide(to, options);
  await source.open();
  try {
    await target.open();
    const copying = new Copying(source, target, options);
    if (options.dryRun === true) return await rehearsed(copying, target);
    const result = await copying.run().catch(async (error: unknown) => {
      await target.close();
      throw error;
    });
    await target.close();
    if (!target.isAtomic) await copying.verifyIn(new CopySide(to, options));
    return result;
  } finally {
    await source.close();
  }
}

async function rehearsed(copying: Copying, target: CopySide): Promise<CopyResult> {
  try {
    return await copying.rehearse();
  } finally {
    await target.close();
  }
}

/** One copying, between two sides that are open. */
class Copying {
  readonly #source: CopySide;
  readonly #target: CopySide;
  readonly #options: CopyOptions;
  readonly #records: Record<RecordKind, number>;

  constructor(source: CopySide, target: CopySide, options: CopyOptions) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
    this.#records = Object.fromEntries(source.kinds.map((kind) => [kind, 0])) as Record<RecordKind, number>;
  }

  /** Does everything but keep it. */
  async rehearse(): Promise<CopyResult> {
    const leftOut = await this.#checked();
    const refused: string[] = [];
    await this.#target.rehearse(async (take) => {
      for (const kind of this.#kinds) await this.#rehearseKind(kind, take, refused);
    });
    const openUpdates = this.#target.isAtomic ? await this.#source.countOpenUpdates() : 0;
    const failedUpdates = this.#target.isAtomic ? (await this.#source.store.failedUpdates()).length : 0;
    return {
      records: this.#records,
      openUpdates,
      failedUpdates,
      leftOut,
      mapping: await this.#source.mapping(),
      refused,
    };
  }

  async run(): Promise<CopyResult> {
    const leftOut = await this.#checked();
    const mapping = await this.#source.mapping();
    return this.#target.store.exclusively(async () => {
      for (const kind of this.#kinds) await this.#copy(kind);
      const updates = this.#target.isAtomic ? await this.#copyUpdates() : { openUpdates: 0, failedUpdates: 0 };
      if (this.#target.isAtomic) await this.#verify(this.#target);
      return { records: this.#records, ...updates, leftOut, ...(mapping && { mapping }) };
    });
  }

  /** What is left out. Rejects when nothing may be copied. */
  async #checked(): Promise<Record<string, number>> {
    await this.#target.requireEmpty(await this.#source.conversationNames());
    const leftOut = await this.#leftOut();
    if (Object.keys(leftOut).length > 0 && this.#options.partial !== true) throw this.#noPlaceFor(leftOut);
    return leftOut;
  }

  async #rehearseKind(kind: RecordKind, take: TakeRecords, refused: string[]): Promise<void> {
    for await (const page of this.#source.pages(kind)) {
      for (const { key, record } of page) {
        try {
          await take([this.#changeOf(kind, key, record)]);
          this.#records[kind] += 1;
        } catch (error) {
          if (!isRefusal(error)) throw error;
          refused.push((error as Error).message);
        }
      }
      this.#options.onProgress?.({ phase: "copying", kind, count: this.#records[kind] });
    }
  }

  /** Opens what was written and closed, and compares it. */
  async verifyIn(written: CopySide): Promise<void> {
    await written.open();
    try {
      await this.#verify(written);
    } finally {
      await written.close();
    }
  }

  get #kinds(): readonly RecordKind[] {
    return this.#source.kinds.filter((kind) => this.#target.keeps(kind));
  }

  async #copy(kind: RecordKind): Promise<void> {
    for await (const page of this.#pages(kind)) {
      await this.#target.store.commit([{ changes: page }]);
      this.#records[kind] += page.length;
      this.#options.onProgress?.({ phase: "copying", kind, count: this.#records[kind] });
    }
  }

  /** Reads both again: each record as it is to be, and no others. */
  async #verify(target: CopySide): Promise<void> {
    for (const kind of this.#kinds) await this.#verifyKind(target, kind);
  }

  async #verifyKind(target: CopySide, kind: RecordKind): Promise<void> {
    let count = 0;
    for await (const page of this.#pages(kind)) {
      const found = await target.store.read(page.map(({ key }) => key));
      for (const [index, { key, record }] of page.entries()) requireSame(key, record, found[index]);
      count += page.length;
      this.#options.onProgress?.({ phase: "verifying", kind, count });
    }
    const kept = await target.count(kind, await this.#source.conversationNames());
    if (count === this.#records[kind] && kept === count) return;
    throw notCopied(`${this.#records[kind]} records of kind ${kind} were copied, ${count} read again, ${kept} kept.`);
  }

  async *#pages(kind: RecordKind): AsyncGenerator<KeyedRecord[]> {
    for await (const page of this.#source.pages(kind)) {
      yield page.map(({ key, record }) => this.#changeOf(kind, key, record));
    }
  }

  /** A record as the target is to have it. */
  #changeOf(kind: RecordKind, key: RecordKey, record: KeptRecord): KeyedRecord {
    const { versions = {} } = this.#options;
    const own = this.#source.isAtomic ? record.version : (versions[kind as Scope] ?? 0);
    const version = this.#target.isAtomic ? own : 0;
    const { time, chatId, userId } = record;
    const foundBy = this.#target.isAtomic ? { time, chatId, userId } : { time: timeInPtbShape(kind, time) };
    return { key, record: { text: this.#source.transcode(key, record.text, this.#target), version, ...foundBy } };
  }

  /** The inbox, what was set aside, what is done, and which chats have moved: the same moment as the records. */
  async #copyUpdates(): Promise<Pick<CopyResult, "openUpdates" | "failedUpdates">> {
    const { store: from } = this.#source;
    const { store: to } = this.#target;
    for (const alias of await from.chatAliases()) await to.commit([{ changes: [], alias }]);
    const failedUpdates = await from.failedUpdates();
    await to.commit([{ changes: [], doneUpdates: await from.doneUpdates(), failedUpdates }]);
    return { openUpdates: await copyInbox(from, to), failedUpdates: failedUpdates.length };
  }

  async #leftOut(): Promise<Record<string, number>> {
    const leftOut: Record<string, number> = {};
    const add = (what: string, count: number): void => void (count > 0 && (leftOut[what] = count));
    const names = await this.#source.conversationNames();
    for (const kind of this.#source.kinds) {
      if (!this.#target.keeps(kind)) add(kind, await this.#source.count(kind, names));
    }
    if (this.#target.isAtomic || !this.#source.isAtomic) return leftOut;
    const { store } = this.#source;
    add("open updates", await this.#source.countOpenUpdates());
    add("failed updates", (await store.failedUpdates()).length);
    add("chat aliases", (await store.chatAliases()).length);
    add("versions", await this.#source.countVersions());
    return leftOut;
  }

  #noPlaceFor(leftOut: Record<string, number>): PerdureError {
    const list = Object.entries(leftOut).map(([what, count]) => `${what}: ${count}`);
    return new PerdureError(
      "PERDURE_UNSUPPORTED",
      `${this.#target.name} has no place for what ${this.#source.name} keeps (${list.join(", ")}). Nothing was copied. ` +
        "{ partial: true } copies the rest.",
    );
  }
}

/** What a value is refused with, and no fault of anything else. */
function isRefusal(error: unknown): boolean {
  return isPerdureError(error, "PERDURE_CANNOT_KEEP") || isPerdureError(error, "PERDURE_REFUSED");
}

async function copyInbox(from: AtomicPersistence, to: AtomicPersistence): Promise<number> {
  let count = 0;
  for await (const page of inboxPages(from)) {
    for (const { update, updateId, attempts, unreadable } of page) {
      if (update === undefined) throw unreadable;
      const [acceptance] = await to.accept([update]);
      if (acceptance !== "accepted") throw notCopied(`The open update ${updateId} was taken for ${acceptance}.`);
      if (attempts > 1) await to.noteAttempts(updateId, attempts);
      count += 1;
    }
  }
  return count;
}

/** PTB's shape has a time for each keyboard, and none for a query. */
function timeInPtbShape(kind: RecordKind, time: number | undefined): number | undefined {
  return kind === "keyboard" ? (time ?? 0) : undefined;
}

function requireSame(key: RecordKey, wanted: KeptRecord, found: KeptRecord | undefined): void {
  if (isSameRecord(found, wanted)) return;
  throw notCopied(`${keyName(key)} was given as ${wanted.text} and came back as ${found?.text ?? "nothing"}.`);
}

function notCopied(what: string): PerdureError {
  return new PerdureError("PERDURE_NOT_COPIED", `The copy is not what was copied: ${what}`);
}
