import type { Update } from "@grammyjs/types";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type {
  ChatKey,
  ConversationId,
  KeptRecord,
  KeyOf,
  RecordChange,
  RecordKey,
  RecordKind,
  TimedKind,
  UserKey,
} from "../data/record.ts";
import { BasePersistence, type CallbackData, type ConversationEntry } from "./base-persistence.ts";
import type { DoneRange } from "./done-ranges.ts";
import { RecordValues } from "./record-values.ts";

/**
 * Where records are kept, for backends that commit atomically.
 *
 * The contract, in prose. The engine relies on every sentence.
 *
 * - **One bot.** Between `open` and `close` a persistence serves the bot whose id it was opened with. Records belong to
 *   whoever opens it; the inbox and the done marks belong to the bot: another bot's are neither seen nor touched.
 * - **One moment.** A reader, in this process or another, at any time, also after a crash, sees all of a commit or none
 *   of it: changes and done marks alike.
 * - **Acknowledged is durable.** When `commit` or `noteAttempts` resolves, what it was given survives what `abilities.durable` promises. When
 *   `accept` resolves, what it was given survives the end of the process, and the rest when a `sync` resolves that was called after it.
 * - **Failing is safe.** When `accept`, `commit` or `noteAttempts` rejects, either nothing happened or everything did. The engine calls
 *   again with the same arguments, and the second call has the effect of one.
 * - **Order.** Commits take effect in the order in which they were called.
 * - **A failed read is an error**, never an absent record.
 * - **Reads are current.** A read sees every commit that was acknowledged before it, also another program's.
 * - **Errors.** `PERDURE_REFUSED` says that this call can never succeed, `PERDURE_UNSUPPORTED` that this persistence cannot do such a
 *   thing at all. Every other error means "not now", and the engine tries again, with growing pauses.
 * - **After `close`** every method but `close` rejects with `PERDURE_CLOSED`.
 *
 * The methods of `BasePersistence` are there too, made of these: for tools and for programs that come from PTB. They work
 * between `open` and `close`, each is a commit of its own, and a running application sees what they change as it
 * sees another program's changes.
 */
export abstract class AtomicPersistence extends BasePersistence {
  /** What this backend can do. The application says at start which of its promises cannot be kept without an ability. */
  abstract readonly abilities: Abilities;

  /** Opens it for one bot. Called once, before anything else. Rejects without having changed what was kept. */
  abstract open(options: OpenOptions): MaybePromise<void>;

  /** Ends it. Called again, it does nothing. What was acknowledged is durable already. */
  abstract close(): MaybePromise<void>;

  /** The records with these keys, in this order, all of one moment; `undefined` for a record that is not there. */
  abstract read(keys: readonly RecordKey[]): MaybePromise<readonly (KeptRecord | undefined)[]>;

  /**
   * The keys of one kind, in a fixed order: ids that are numbers ascend, of conversations and entries those of one name stand
   * together. At most `limit`, after the given one.
   */
  abstract keys<Kind extends RecordKind>(kind: Kind, options: KeysOptions<Kind>): MaybePromise<readonly KeyOf<Kind>[]>;

  /** The records of one kind whose `time` is not after `until`, the earliest first, at most `limit`: the jobs that are due. */
  abstract earliest(kind: TimedKind, options: EarliestOptions): MaybePromise<readonly TimedRecord[]>;

  /**
   * Puts the updates that are new into the inbox, in this order, and answers for each what it was. An update that
   * stands in `updates` twice is `"open"` the second time. They may be run then, and acknowledged after {@link AtomicPersistence.sync}.
   */
  abstract accept(updates: readonly Update[]): MaybePromise<readonly Acceptance[]>;

  /**
   * Makes durable what `accept` was given: to be waited for before Telegram may forget it. Where `accept` has done that already, it does nothing. A
   * backend that has to flush may wait a little for a commit that takes it along. Called again after it has rejected, it tries again.
   */
  abstract sync(): MaybePromise<void>;

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

  /**
   * Makes units of work durable, all or nothing: their changes, and their updates done (out of the inbox, and
   * remembered for at least 25 hours). Where two units change one record, the later one stands.
   */
  abstract commit(units: readonly UnitCommit[]): MaybePromise<void>;

  /** The done updates of the bot, for tools that move everything. */
  abstract doneUpdates(): MaybePromise<readonly DoneRange[]>;

  /**
   * Runs `work`, all of whose commits and other writes become durable as one when it resolves; when it rejects, none of them
   * does. Its reads see its own writes. For tools that write much: nothing else may use this object meanwhile, and `work` no application that does.
   *
   * What a method of this object resolves with in `work` says that something is a part of the whole. Only when `exclusively` has resolved
   * is it durable: `sync` cannot make it so before. Where a class can tell what `work` calls from what others call, it rejects what others call with
   * `PERDURE_BUSY`: the engine of a bot that runs waits, and what it has acknowledged does not go with a work that rejects.
   */
  abstract exclusively<T>(work: () => Promise<T>): Promise<T>;

  readonly #values: RecordValues = new RecordValues(this);

  override getBotData(): Promise<object | undefined> {
    return this.#values.bot();
  }

  override getChatData(): Promise<ReadonlyMap<number, object>> {
    return this.#values.all("chat");
  }

  override getUserData(): Promise<ReadonlyMap<number, object>> {
    return this.#values.all("user");
  }

  override getCallbackData(): Promise<CallbackData | undefined> {
    return this.#values.callbackData();
  }

  override getConversations(name: string): Promise<readonly ConversationEntry[]> {
    return this.#values.conversations(name);
  }

  override updateBotData(data: object): Promise<void> {
    return this.#values.put({ kind: "bot" }, data);
  }

  override updateChatData(chatId: number, data: object): Promise<void> {
    return this.#values.put({ kind: "chat", id: chatId }, data);
  }

  override updateUserData(userId: number, data: object): Promise<void> {
    return this.#values.put({ kind: "user", id: userId }, data);
  }

  override updateCallbackData(data: CallbackData): Promise<void> {
    return this.#values.putCallbackData(data);
  }

  override updateConversation(name: string, id: ConversationId, state: unknown): Promise<void> {
    return this.#values.putConversation({ kind: "conversation", name, id }, state);
  }

  override dropChatData(chatId: number): Promise<void> {
    return this.#values.remove({ kind: "chat", id: chatId });
  }

  override dropUserData(userId: number): Promise<void> {
    return this.#values.remove({ kind: "user", id: userId });
  }

  override conversationNames(): Promise<readonly string[]> {
    return this.#values.conversationNames();
  }
}

/** What a backend can do. */
export interface Abilities {
  /** Whether a commit is all or nothing for every reader and after every crash, the inbox and the done marks included. */
  readonly atomic: boolean;
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

/** Which keys. */
export interface KeysOptions<Kind extends RecordKind = RecordKind> {
  /** Only those of the conversation handler or of the collection with this name. */
  readonly within?: string | undefined;
  /** Only those of records that belong to this chat or to this user: see {@link FoundBy}. */
  readonly of?: ChatKey | UserKey | undefined;
  /** Only those after this one. Without it, from the beginning. */
  readonly after?: KeyOf<Kind> | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** Which records of a kind that has times. */
export interface EarliestOptions {
  /** Only those whose `time` is not after this, in milliseconds since 1970. */
  readonly until: number;
  /** At most so many. */
  readonly limit: number;
}

/** A record that has a time. */
export interface TimedRecord {
  readonly key: KeyOf<TimedKind>;
  readonly record: KeptRecord & { readonly time: number };
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
  /** Updates that are done, as {@link AtomicPersistence.doneUpdates} gave them. */
  readonly doneUpdates?: readonly DoneRange[] | undefined;
  /** Updates that were set aside elsewhere, as {@link AtomicPersistence.failedUpdates} gave them. */
  readonly failedUpdates?: readonly FailedUpdate[] | undefined;
}

/** How long done updates are remembered, in milliseconds. Telegram delivers an update for 24 hours at most. */
export const DONE_MEMORY: number = 25 * 60 * 60 * 1000;
