import type { MaybePromise } from "../data/maybe-promise.ts";
import type { RecordKey } from "../data/record.ts";
import { AtomicPersistence } from "./atomic-persistence.ts";
import type { BasePersistence } from "./base-persistence.ts";
import { IntervalPersistence, type IntervalOptions } from "./interval/interval-persistence.ts";
import { isRefreshed } from "./refreshing.ts";
import { StoredInPart } from "./stored-in-part.ts";

const SCOPES = ["bot", "chat", "user"] as const;

/** A persistence as the engine uses it: whatever its class can do itself, and what it cannot, done in memory. */
export class HostedPersistence {
  readonly #of: BasePersistence;
  readonly #interval: IntervalPersistence | undefined;
  /** What the engine reads and commits to. */
  readonly store: AtomicPersistence;

  constructor(of: BasePersistence, options: IntervalOptions) {
    this.#of = of;
    this.#interval = of instanceof AtomicPersistence ? undefined : new IntervalPersistence(of, options);
    this.store = this.#interval ?? inPart(of as AtomicPersistence);
  }

  /** How records are brought up to date before handlers see them, if their class does that (PTB statements 16 to 20). */
  get refresh(): ((key: RecordKey) => ((value: unknown) => MaybePromise<void>) | undefined) | undefined {
    const refreshes = SCOPES.some((scope) => isRefreshed(this.#of, scope));
    return refreshes ? (key) => this.#refreshOf(key) : undefined;
  }

  #refreshOf(key: RecordKey): ((value: unknown) => MaybePromise<void>) | undefined {
    if (!isRefreshed(this.#of, key.kind) || this.#interval?.hasUnwritten(key) === true) return undefined;
    const of = this.#of;
    if (key.kind === "bot") return (data) => of.refreshBotData(data as object);
    if (key.kind === "chat") return (data) => of.refreshChatData(key.id, data as object);
    if (key.kind === "user") return (data) => of.refreshUserData(key.id, data as object);
    return undefined;
  }

  /** Writes what an interval would write. */
  async write(): Promise<void> {
    await this.#interval?.write();
  }

  /** What its class cannot promise, for the log; `undefined` when it promises everything. */
  get limits(): string | undefined {
    const name = this.#of.constructor.name;
    if (this.#interval === undefined) {
      return this.store.abilities.durable === "no" ? `${name} keeps nothing beyond the end of the process.` : undefined;
    }
    const seconds = this.#of.updateInterval / 1000;
    const when = seconds === 0 ? "after each update" : `every ${seconds} s`;
    return (
      `${name} is written ${when}, record by record, and has no inbox. If the process dies, it loses what was not written and ` +
      "the updates that were not done (a stop waits for these, up to stopTimeout), and may find a part of what belongs together. Named collections, storage adapters, jobs and the ids " +
      "of migrated chats live in memory until the end. An atomic persistence, such as SqlitePersistence, has none of these limits."
    );
  }
}

function inPart(of: AtomicPersistence): AtomicPersistence {
  return Object.values(of.storeData).every(Boolean) ? of : new StoredInPart(of);
}
