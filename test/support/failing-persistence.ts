import type { Update } from "@grammyjs/types";
import type { Codec } from "../../src/data/codec.ts";
import type { KeptRecord, RecordKey } from "../../src/data/record.ts";
import {
  AtomicPersistence,
  type Abilities,
  type Acceptance,
  type ChatAlias,
  type FailedUpdate,
  type IdsOptions,
  type InboxEntry,
  type OpenOptions,
  type OpenUpdatesOptions,
  type UnitCommit,
} from "../../src/persistence/atomic-persistence.ts";

type Operation = "accept" | "commit" | "read";

/** A persistence whose operations fail, wait, or are counted, as a test says. Each call waits for the event loop once. */
export class FailingPersistence extends AtomicPersistence {
  readonly inner: AtomicPersistence;
  readonly codec: Codec;
  readonly abilities: Abilities;
  /** The units of each commit that succeeded. */
  readonly commits: (readonly UnitCommit[])[] = [];
  /** Called before each operation; what it throws, the operation rejects with. */
  before: (operation: Operation, units?: readonly UnitCommit[]) => unknown = () => {};

  /** Called after each operation, before its caller hears of it: an answer may be lost or late. */
  after: (operation: Operation) => unknown = () => {};

  constructor(inner: AtomicPersistence) {
    super();
    this.inner = inner;
    this.codec = inner.codec;
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

  async ids(scope: "chat" | "user", options: IdsOptions): Promise<readonly number[]> {
    return this.inner.ids(scope, options);
  }

  async commit(units: readonly UnitCommit[]): Promise<void> {
    await this.before("commit", units);
    await this.inner.commit(units);
    this.commits.push(units);
    await this.after("commit");
  }
}
