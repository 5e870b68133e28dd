import type { Update } from "@grammyjs/types";
import type { KeptRecord, KeyOf, RecordKey, RecordKind, TimedKind } from "../../src/data/record.ts";
import type { DoneRange } from "../../src/persistence/done-ranges.ts";
import {
  AtomicPersistence,
  type Abilities,
  type Acceptance,
  type ChatAlias,
  type FailedUpdate,
  type EarliestOptions,
  type KeysOptions,
  type TimedRecord,
  type InboxEntry,
  type OpenOptions,
  type OpenUpdatesOptions,
  type UnitCommit,
} from "../../src/persistence/atomic-persistence.ts";

type Operation = "accept" | "sync" | "commit" | "read";

/** A persistence whose operations fail, wait, or are counted, as a test says. Each call waits for the event loop once. */
export class FailingPersistence extends AtomicPersistence {
  readonly inner: AtomicPersistence;
  readonly abilities: Abilities;
  /** The units of each commit that succeeded. */
  readonly commits: (readonly UnitCommit[])[] = [];
  /** Called before each operation; what it throws, the operation rejects with. */
  before: (operation: Operation, units?: readonly UnitCommit[]) => unknown = () => {};

  /** Called after each operation, before its caller hears of it: an answer may be lost or late. */
  after: (operation: Exclude<Operation, "sync">) => unknown = () => {};

  constructor(inner: AtomicPersistence) {
    super({ codec: inner.codec });
    this.inner = inner;
    this.abilities = inner.abilities;
  }

  async open(options: OpenOptions): Promise<void> {
    await this.inner.open(options);
  }

  async close(): Promise<void> {
    await this.inner.close();
  }

  async read(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]> {
    await this.before("read");
    return this.inner.read(keys);
  }

  async accept(updates: readonly Update[]): Promise<readonly Acceptance[]> {
    await this.before("accept");
    const acceptances = await this.inner.accept(updates);
    await this.after("accept");
    return acceptances;
  }

  async sync(): Promise<void> {
    await this.before("sync");
    await this.inner.sync();
  }

  async openUpdates(options: OpenUpdatesOptions): Promise<readonly InboxEntry[]> {
    return this.inner.openUpdates(options);
  }

  async noteAttempts(updateId: number, attempts: number): Promise<boolean> {
    return this.inner.noteAttempts(updateId, attempts);
  }

  async failedUpdates(): Promise<readonly FailedUpdate[]> {
    return this.inner.failedUpdates();
  }

  async chatAliases(): Promise<readonly ChatAlias[]> {
    return this.inner.chatAliases();
  }

  async keys<Kind extends RecordKind>(kind: Kind, options: KeysOptions<Kind>): Promise<readonly KeyOf<Kind>[]> {
    return this.inner.keys(kind, options);
  }

  async earliest(kind: TimedKind, options: EarliestOptions): Promise<readonly TimedRecord[]> {
    return this.inner.earliest(kind, options);
  }

  async doneUpdates(): Promise<readonly DoneRange[]> {
    return this.inner.doneUpdates();
  }

  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.inner.exclusively(work);
  }

  async commit(units: readonly UnitCommit[]): Promise<void> {
    await this.before("commit", units);
    await this.inner.commit(units);
    this.commits.push(units);
    await this.after("commit");
  }
}
