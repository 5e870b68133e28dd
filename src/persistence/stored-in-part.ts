import type { Update } from "@grammyjs/types";
import type { LiveObjects } from "../data/codec.ts";
import { isPromise, type MaybePromise } from "../data/maybe-promise.ts";
import {
  isSameRecord,
  keyText,
  type KeptRecord,
  type KeyOf,
  type RecordKey,
  type RecordKind,
  type TimedKind,
} from "../data/record.ts";
import { isPerdureError, PerdureError } from "../errors.ts";
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
} from "./atomic-persistence.ts";
import type { DoneRange } from "./done-ranges.ts";
import { MemoryRecords } from "./interval/memory-records.ts";
import { isSwitchedOff } from "./interval/stored-kinds.ts";
import { CommitOrder } from "./stored-in-part-order.ts";

/**
 * An atomic persistence whose `storeData` switches something off: records of these kinds are in memory until `close`, all others, the
 * inbox and the done marks where they belong.
 *
 * One commit is one for its readers too: its part in memory takes effect with the other one, and not at all when that is refused. A commit may
 * also fail after it has taken effect, as one that could not be flushed: then so has its part in memory.
 */
export class StoredInPart extends AtomicPersistence {
  readonly abilities: Abilities;
  readonly #inner: AtomicPersistence;
  #opened: Opened | undefined;
  /** How many calls of {@link StoredInPart.exclusively} are under way: one, and those that are refused. */
  #exclusively = 0;

  constructor(inner: AtomicPersistence) {
    super({ codec: inner.codec, storeData: inner.storeData, updateInterval: `${inner.updateInterval}ms` });
    this.#inner = inner;
    this.abilities = inner.abilities;
  }

  override setBot(bot: unknown, live?: LiveObjects): void {
    this.#inner.setBot(bot, live);
  }

  override get bot(): unknown {
    return this.#inner.bot;
  }

  override get live(): LiveObjects | undefined {
    return this.#inner.live;
  }

  async open(options: OpenOptions): Promise<void> {
    await this.#inner.open(options);
    this.#opened = { memory: new MemoryRecords(), order: new CommitOrder() };
  }

  close(): MaybePromise<void> {
    this.#opened = undefined;
    return this.#inner.close();
  }

  read(keys: readonly RecordKey[]): MaybePromise<readonly (KeptRecord | undefined)[]> {
    const opened = this.#using();
    return opened.order.read(() => this.#read(opened, keys));
  }

  keys<Kind extends RecordKind>(kind: Kind, options: KeysOptions<Kind>): MaybePromise<readonly KeyOf<Kind>[]> {
    const { memory } = this.#using();
    return this.#isOff(kind) ? this.#asked(() => memory.keys(kind, options)) : this.#inner.keys(kind, options);
  }

  earliest(kind: TimedKind, options: EarliestOptions): MaybePromise<readonly TimedRecord[]> {
    const { memory } = this.#using();
    return this.#isOff(kind) ? this.#asked(() => memory.earliest(kind, options)) : this.#inner.earliest(kind, options);
  }

  accept(updates: readonly Update[]): MaybePromise<readonly Acceptance[]> {
    return this.#inner.accept(updates);
  }

  sync(): MaybePromise<void> {
    return this.#inner.sync();
  }

  openUpdates(options: OpenUpdatesOptions): MaybePromise<readonly InboxEntry[]> {
    return this.#inner.openUpdates(options);
  }

  noteAttempts(updateId: number, attempts: number): MaybePromise<boolean> {
    return this.#inner.noteAttempts(updateId, attempts);
  }

  failedUpdates(): MaybePromise<readonly FailedUpdate[]> {
    return this.#inner.failedUpdates();
  }

  chatAliases(): MaybePromise<readonly ChatAlias[]> {
    return this.#inner.chatAliases();
  }

  doneUpdates(): MaybePromise<readonly DoneRange[]> {
    return this.#inner.doneUpdates();
  }

  commit(units: readonly UnitCommit[]): MaybePromise<void> {
    const opened = this.#using();
    const inMemory = units.flatMap(({ changes }) => changes.filter(({ key }) => this.#isOff(key.kind)));
    const stored = inMemory.length === 0 ? units : this.#stored(units);
    return opened.order.commit(inMemory.length > 0, () => {
      this.#using(opened);
      const isInMemory = stored.length === 0 && units.length > 0;
      const committed = begun(isInMemory ? this.#ask() : this.#inner.commit(stored));
      const keep = (): void => inMemory.forEach(({ key, record }) => opened.memory.change(key, record));
      if (!isPromise(committed)) return keep();
      return committed.then(keep, async (error: unknown) => {
        if (inMemory.length > 0 && (await this.#hasTakenEffect(stored, error))) keep();
        throw error;
      });
    });
  }

  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const { memory, order } = this.#using();
    await order.quiet();
    const restore = memory.snapshot();
    try {
      this.#exclusively += 1;
      return await this.#inner.exclusively(work);
    } catch (error) {
      restore();
      throw error;
    } finally {
      this.#exclusively -= 1;
    }
  }

  #read(opened: Opened, keys: readonly RecordKey[]): MaybePromise<readonly (KeptRecord | undefined)[]> {
    this.#using(opened);
    const stored = keys.filter((key) => !this.#isOff(key.kind));
    if (stored.length === keys.length) return begun(this.#inner.read(keys));
    const together = (records: readonly (KeptRecord | undefined)[]): readonly (KeptRecord | undefined)[] => {
      const rest = records.values();
      return keys.map((key) => (this.#isOff(key.kind) ? opened.memory.get(key) : rest.next().value));
    };
    if (stored.length === 0) return this.#asked(() => together([]));
    const records = begun(this.#inner.read(stored));
    return isPromise(records) ? records.then(together) : together(records);
  }

  /** Reads what is in memory only. */
  #asked<T>(read: () => T): MaybePromise<T> {
    const asked = this.#ask();
    return isPromise(asked) ? asked.then(read) : read();
  }

  /** While it is used exclusively, the inner one tells who may use it, also where nothing is needed of it. */
  #ask(): MaybePromise<void> {
    const asked = this.#exclusively > 0 ? begun(this.#inner.read([])) : undefined;
    return isPromise(asked) ? asked.then(() => {}) : undefined;
  }

  /** What is left of the units without what is in memory: those of which nothing is left are left out. */
  #stored(units: readonly UnitCommit[]): readonly UnitCommit[] {
    const parts = units.map((unit) => ({ ...unit, changes: unit.changes.filter(({ key }) => !this.#isOff(key.kind)) }));
    return parts.filter(({ changes, ...rest }) => {
      return changes.length > 0 || Object.values(rest).some((value) => value !== undefined);
    });
  }

  /** Whether what these units leave is there, although committing them failed with this. `false` where that cannot be told. */
  async #hasTakenEffect(units: readonly UnitCommit[], error: unknown): Promise<boolean> {
    const changes = units.flatMap((unit) => unit.changes);
    const done = units.flatMap((unit) => unit.done ?? []);
    if (isPerdureError(error, "PERDURE_REFUSED") || changes.length + done.length === 0) return false;
    const last = [...new Map(changes.map((change) => [keyText(change.key), change])).values()];
    try {
      const records = await this.#inner.read(last.map(({ key }) => key));
      const ranges = await this.#inner.doneUpdates();
      return (
        last.every(({ record }, index) => isSameRecord(record, records[index])) &&
        done.every((id) => ranges.some(({ first, last: end }) => first <= id && id <= end))
      );
    } catch {
      return false;
    }
  }

  #isOff(kind: RecordKind): boolean {
    return isSwitchedOff(this.storeData, kind);
  }

  /** What is open: `PERDURE_CLOSED` without it, or if it is not `opened` any more. */
  #using(opened: Opened | undefined = this.#opened): Opened {
    if (opened !== undefined && opened === this.#opened) return opened;
    throw new PerdureError("PERDURE_CLOSED", `${this.#inner.constructor.name} is not open.`);
  }
}

/** What there is between `open` and `close`. */
interface Opened {
  readonly memory: MemoryRecords;
  readonly order: CommitOrder;
}

/** A real promise, which runs whether or not somebody waits: a builder of a query would begin with each `then` anew. */
function begun<T>(value: MaybePromise<T>): MaybePromise<T> {
  return isPromise(value) ? Promise.resolve(value) : value;
}
