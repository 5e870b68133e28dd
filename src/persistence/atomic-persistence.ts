import type { Update } from "@grammyjs/types";
import type { Codec } from "../data/codec.ts";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type { KeptRecord, RecordChange, RecordKey } from "../data/record.ts";

/**
 * Where records are kept, for backends that commit atomically.
 *
 * The contract, in prose. The engine relies on every sentence.
 *
 * - **One bot.** Between `open` and `close` a persistence serves the bot whose id it was opened with. Records belong to
 *   whoever opens it; the inbox and the done marks belong to the bot: another bot's are neither seen nor touched.
 * - **One moment.** A reader, in this process or another, at any time, also after a crash, sees all of a commit or none
 *   of it: changes and done marks alike.
 * - **Acknowledged is durable.** When `accept` or `commit` resolves, what it was given survives what `abilities.durable`
 *   promises.
 * - **Failing is safe.** When `accept`, `commit` or `noteAttempts` rejects, either nothing happened or everything did. The engine calls
 *   again with the same arguments, and the second call has the effect of one.
 * - **Order.** Commits take effect in the order in which they were called.
 * - **A failed read is an error**, never an absent record.
 * - **Errors.** `PERDURE_REFUSED` says that this call can never succeed. Every other error means "not now", and the engine
 *   tries again, with growing pauses.
 * - **After `close`** every method but `close` rejects with `PERDURE_CLOSED`.
 */
export abstract class AtomicPersistence {
  /** How values become the texts that are kept. */
  abstract readonly codec: Codec;

  /** What this backend can do. The application says at start which of its promises cannot be kept without an ability. */
  abstract readonly abilities: Abilities;

  /** Opens it for one bot. Called once, before anything else. Rejects without having changed what was kept. */
  abstract open(options: OpenOptions): MaybePromise<void>;

  /** Ends it. Called again, it does nothing. What was acknowledged is durable already. */
  abstract close(): MaybePromise<void>;

  /** The records with these keys, in this order, all of one moment; `undefined` for a record that is not there. */
  abstract read(keys: readonly RecordKey[]): MaybePromise<readonly (KeptRecord | undefined)[]>;

  /**
   * Puts the updates that are new into the inbox, in this order, and answers for each what it was. An update that
   * stands in `updates` twice is `"open"` the second time.
   */
  abstract accept(updates: readonly Update[]): MaybePromise<readonly Acceptance[]>;

  /** The open updates of the inbox in order of arrival, at most `limit`, after the given arrival. */
  abstract openUpdates(options: OpenUpdatesOptions): MaybePromise<readonly InboxEntry[]>;

  /**
   * Notes, durably, how often an open update was run, the run that is about to begin included. Answers whether the update
   * is open; for one that is not, it does nothing.
   */
  abstract noteAttempts(updateId: number, attempts: number): MaybePromise<boolean>;

  /** The updates that were set aside, in the order in which they were. */
  abstract failedUpdates(): MaybePromise<readonly FailedUpdate[]>;

  /** The chats that have another id by now. */
  abstract chatAliases(): MaybePromise<readonly ChatAlias[]>;

  /** The ids of the chats or users that have data, in ascending order, at most `limit`, above the given one. */
  abstract ids(scope: "chat" | "user", options: IdsOptions): MaybePromise<readonly number[]>;

  /**
   * Makes units of work durable, all or nothing: their changes, and their updates done (out of the inbox, and
   * remembered for at least 25 hours). Where two units change one record, the later one stands.
   */
  abstract commit(units: readonly UnitCommit[]): MaybePromise<void>;
}

/** What a backend can do. */
export interface Abilities {
  /** What an acknowledged commit survives: a power cut, the end of the process (`kill -9`), or neither. */
  readonly durable: "disk" | "os" | "no";
  /** Whether several processes may use it for one bot at the same time. */
  readonly shared: boolean;
  /** Whether records stay where they are until they are read. */
  readonly lazy: boolean;
}

/** What a persistence is opened with. */
export interface OpenOptions {
  /** The bot's id: what stands in its token before the colon. */
  readonly botId: number;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the waiting for a predecessor: the opening rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What an update was when it came: `"accepted"`, new and now in the inbox; `"open"`, in the inbox already and not done;
 * `"done"`, done within the last 25 hours.
 */
export type Acceptance = "accepted" | "open" | "done";

/** Which part of the inbox. */
export interface OpenUpdatesOptions {
  /** Only updates that came after this arrival. Without it, from the beginning. */
  readonly after?: number | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** An open update. */
export interface InboxEntry {
  /** Grows with every accepted update, as long as there are open ones. */
  readonly arrival: number;
  readonly updateId: number;
  /** How often it was run: 1 when it was accepted, since it may have been, and what was noted then. */
  readonly attempts: number;
  /** Missing where it cannot be read. */
  readonly update?: Update | undefined;
  /** Why it cannot be read. */
  readonly unreadable?: unknown;
}

/** An update that was given up after several attempts. */
export interface FailedUpdate {
  readonly update: Update;
  /** How often it was run. */
  readonly attempts: number;
  /** When it was set aside, in milliseconds since 1970. */
  readonly failedAt: number;
}

/** A group that became a supergroup: what is kept for it is kept under the new id. */
export interface ChatAlias {
  readonly from: number;
  readonly to: number;
}

/** Which ids. */
export interface IdsOptions {
  /** Only ids above this one. Without it, from the lowest. */
  readonly after?: number | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** What one unit of work leaves. */
export interface UnitCommit {
  readonly changes: readonly RecordChange[];
  /** The id of the update that is done with this. */
  readonly done?: number | undefined;
  /** That the update is not only done but set aside, to be listed among the failed ones. */
  readonly setAside?: boolean | undefined;
  /** A chat that has another id from now on. */
  readonly alias?: ChatAlias | undefined;
}

/** How long done updates are remembered, in milliseconds. Telegram delivers an update for 24 hours at most. */
export const DONE_MEMORY: number = 25 * 60 * 60 * 1000;
