import type { Update } from "@grammyjs/types";
import type { KeptRecord, KeyOf, RecordKey, RecordKind, TimedKind } from "../../src/data/record.ts";
import { PerdureError } from "../../src/errors.ts";
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
} from "../../src/persistence/atomic-persistence.ts";
import type { DoneRange } from "../../src/persistence/done-ranges.ts";
import type { Client, RemoteServer } from "./remote-server.ts";
import * as remote from "./remote-state.ts";

/** What is read with one request. */
interface Batch {
  readonly keys: RecordKey[];
  readonly records: Promise<readonly (KeptRecord | undefined)[]>;
}

/**
 * Keeps everything on a {@link RemoteServer}: nothing of it is synchronous. What is read in one turn of the event loop is one
 * request; what is written waits for what was written before it.
 */
export class RemotePersistence extends AtomicPersistence {
  readonly abilities: Abilities;
  readonly #server: RemoteServer;
  readonly #alone: boolean;
  readonly #client: Client = { sender: () => this.#opened() };
  #open: OpenOptions | undefined;
  #batch: Batch | undefined;
  #lastWrite: Promise<unknown> = Promise.resolve();

  /** One that is not shared has the server for itself while it is open. */
  constructor(server: RemoteServer, { shared = true }: { shared?: boolean } = {}) {
    super();
    this.#server = server;
    this.#alone = !shared;
    this.abilities = { atomic: true, durable: "disk", shared, lazy: true };
  }

  async open(options: OpenOptions): Promise<void> {
    if (this.#open !== undefined) throw new PerdureError("PERDURE_LIFE_CYCLE", "It is open already.");
    if (this.#alone) {
      if (this.#server.owner !== undefined) throw new PerdureError("PERDURE_OWNED", "Another client is open.");
      this.#server.owner = this.#client;
    }
    this.#open = options;
  }

  async close(): Promise<void> {
    this.#open = undefined;
    if (this.#server.owner === this.#client) this.#server.owner = undefined;
    await this.#lastWrite.catch(() => {});
  }

  async read(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]> {
    this.#opened();
    this.#batch ??= this.#beginBatch();
    const { keys: all, records } = this.#batch;
    const first = all.length;
    all.push(...keys);
    return (await records).slice(first, first + keys.length);
  }

  async keys<Kind extends RecordKind>(kind: Kind, options: KeysOptions<Kind>): Promise<readonly KeyOf<Kind>[]> {
    return this.#ask((state) => remote.listKeys(state, kind, options));
  }

  async earliest(kind: TimedKind, options: EarliestOptions): Promise<readonly TimedRecord[]> {
    return this.#ask((state) => remote.listEarliest(state, kind, options));
  }

  async accept(updates: readonly Update[]): Promise<readonly Acceptance[]> {
    const sent = structuredClone(updates);
    return this.#change(sent.length, (state, sender) => remote.acceptUpdates(state, sender, sent));
  }

  async sync(): Promise<void> {}

  async openUpdates(options: OpenUpdatesOptions): Promise<readonly InboxEntry[]> {
    return this.#ask((state, sender) => remote.listInbox(state, sender, options));
  }

  async noteAttempts(updateId: number, attempts: number): Promise<boolean> {
    return this.#change(1, (state, sender) => remote.setAttempts(state, sender, updateId, attempts));
  }

  async failedUpdates(): Promise<readonly FailedUpdate[]> {
    return this.#ask((state, sender) => remote.listFailed(state, sender));
  }

  async chatAliases(): Promise<readonly ChatAlias[]> {
    return this.#ask((state) => remote.listAliases(state));
  }

  async doneUpdates(): Promise<readonly DoneRange[]> {
    return this.#ask((state, sender) => remote.listDone(state, sender));
  }

  async commit(units: readonly UnitCommit[]): Promise<void> {
    const sent = structuredClone(units);
    await this.#change(sent.length, (state, sender) => remote.applyUnits(state, sender, sent));
  }

  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#opened();
    await this.#server.begin(this.#client);
    try {
      const result = await work();
      await this.#server.end(this.#client, "commit");
      return result;
    } catch (error) {
      await this.#server.end(this.#client, "rollback");
      throw error;
    }
  }

  #beginBatch(): Batch {
    const keys: RecordKey[] = [];
    const records = Promise.resolve().then(() => {
      this.#batch = undefined;
      return this.#ask((state) => remote.readRecords(state, keys));
    });
    return { keys, records };
  }

  async #ask<T>(handle: (state: remote.RemoteState, sender: remote.Sender) => T): Promise<T> {
    this.#opened();
    return this.#server.read(this.#client, handle);
  }

  /** Begins a write when those before it are over. */
  protected inOrder<T>(write: () => Promise<T>): Promise<T> {
    const own = this.#lastWrite.catch(() => {}).then(write);
    this.#lastWrite = own;
    return own;
  }

  async #change<T>(weight: number, handle: (state: remote.RemoteState, sender: remote.Sender) => T): Promise<T> {
    this.#opened();
    return this.inOrder(() => this.#server.write(this.#client, weight, handle));
  }

  #opened(): remote.Sender {
    if (this.#open === undefined) throw new PerdureError("PERDURE_CLOSED", "It is not open.");
    const { botId, now } = this.#open;
    return { botId, now: now() };
  }
}
