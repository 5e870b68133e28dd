import { jsonCodec, type Codec, type LiveObjects } from "../data/codec.ts";
import { milliseconds, type Duration } from "../data/duration.ts";
import type { Data, KeptTypes, UntypedKept } from "../data/kept-types.ts";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type { ConversationId } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import type { MappingReport } from "./mapping-report.ts";

/** Which data is kept; all of it by default. What is not kept lives in memory until the end (PTB statement 1). */
export interface PersistenceInput {
  botData?: boolean | undefined;
  chatData?: boolean | undefined;
  userData?: boolean | undefined;
  callbackData?: boolean | undefined;
}

/** Options that every persistence takes. */
export interface BasePersistenceOptions {
  /** Which data is kept. Default: all. */
  storeData?: PersistenceInput | undefined;
  /**
   * How long after one writing the next begins, for a persistence that is written in intervals: a number of milliseconds,
   * or text. Default `"60s"`, PTB's. 0 writes after each update.
   */
  updateInterval?: Duration | undefined;
  /** How values become text. Default `jsonCodec()`. */
  codec?: Codec | undefined;
}

/** One conversation and its state. */
export type ConversationEntry = readonly [id: ConversationId, state: unknown];

/** One keyboard: its id, the time of its last use in seconds since 1970 (to the millisecond), and its buttons' values by their ids. */
export type KeyboardEntry = readonly [id: string, accessTime: number, buttons: Readonly<Record<string, unknown>>];

/**
 * All callback data, in the shape of PTB's `persistence_data`: the keyboards, the least recently used first, and keyboards' ids by
 * callback query, in no particular order.
 */
export type CallbackData = readonly [
  keyboards: readonly KeyboardEntry[],
  callbackQueries: Readonly<Record<string, string>>,
];

/**
 * Where records are kept: the contract for anyone's own class, python-telegram-bot's `BasePersistence` in TypeScript.
 *
 * A class that has these methods and no others works as there: the application loads it at start, keeps the values in
 * memory, gives it what changed at each {@link BasePersistence.updateInterval}, and calls `flush` at the end. A crash loses what
 * happened since the last writing. `AtomicPersistence` is the contract without that loss.
 *
 * What the application relies on:
 *
 * - **Values are given away.** What a getter returns belongs to the caller, who may change it: return a copy of what you keep. What an
 *   update method is given belongs to the class: the application does not touch it again. (A tool may: keep a copy if you keep objects.)
 * - **Only what was never stored is empty.** A read that fails rejects (or throws). An absent value is `undefined`, or missing in the map.
 * - **Removed is gone.** A dropped record, or a conversation whose new state is `null`, is not there when it is loaded again.
 * - **A write that resolved is kept**, at the latest with the next `flush`. One that rejects is reported and called again, with
 *   the then newest value, at the next writing.
 * - **One write at a time.** The application writes in one call after the other. It reads before that, at start, or record by record at any
 *   time (`load...`); refreshes of different chats may be under way side by side, also beside a write.
 * - **`storeData` is the application's to obey.** It neither asks for nor gives what is switched off.
 */
export abstract class BasePersistence<K extends KeptTypes = UntypedKept> {
  /** Carries the type only. Neither a wider nor a narrower type will do: values go in and come out. */
  declare protected readonly keptTypes?: (value: K) => K;
  /** How values become text, for those that keep text, and for the application while it has them in memory. */
  readonly codec: Codec;
  readonly #storeData: Readonly<Record<keyof PersistenceInput, boolean>>;
  readonly #updateInterval: number;
  #bot: unknown;
  #live: LiveObjects | undefined;

  constructor({ storeData = {}, updateInterval = "60s", codec = jsonCodec() }: BasePersistenceOptions = {}) {
    const { botData = true, chatData = true, userData = true, callbackData = true } = storeData;
    this.#storeData = Object.freeze({ botData, chatData, userData, callbackData });
    this.#updateInterval = intervalOf(updateInterval);
    this.codec = codec;
  }

  /** Which data is kept. */
  get storeData(): Readonly<Record<keyof PersistenceInput, boolean>> {
    return this.#storeData;
  }

  /** How long after one writing the next begins, in milliseconds. */
  get updateInterval(): number {
    return this.#updateInterval;
  }

  /** The bot's data; `undefined` when none was kept. */
  abstract getBotData(): MaybePromise<Data<K, "bot"> | undefined>;

  /** The data of all chats by id. */
  abstract getChatData(): MaybePromise<ReadonlyMap<number, Data<K, "chat">>>;

  /** The data of all users by id. */
  abstract getUserData(): MaybePromise<ReadonlyMap<number, Data<K, "user">>>;

  /** All callback data; `undefined` when none was kept. */
  abstract getCallbackData(): MaybePromise<CallbackData | undefined>;

  /** All conversations of the handler with this name; none for an unknown name. */
  abstract getConversations(name: string): MaybePromise<readonly ConversationEntry[]>;

  /** Keeps the bot's data. */
  abstract updateBotData(data: Data<K, "bot">): MaybePromise<void>;

  /** Keeps one chat's data. */
  abstract updateChatData(chatId: number, data: Data<K, "chat">): MaybePromise<void>;

  /** Keeps one user's data. */
  abstract updateUserData(userId: number, data: Data<K, "user">): MaybePromise<void>;

  /** Keeps the callback data, all of it. */
  abstract updateCallbackData(data: CallbackData): MaybePromise<void>;

  /** Keeps the state of one conversation; `null` (or `undefined`) when it has ended, which removes it. */
  abstract updateConversation(name: string, id: ConversationId, state: unknown): MaybePromise<void>;

  /** Removes one chat's data. For an unknown id it does nothing. */
  abstract dropChatData(chatId: number): MaybePromise<void>;

  /** Removes one user's data. For an unknown id it does nothing. */
  abstract dropUserData(userId: number): MaybePromise<void>;

  /**
   * Called before the handlers of each update, to change the bot's data in place: for data that others write too. Not called
   * as long as the application has changes that are not written. Here and below: a refresh that rejects is called again
   * with growing pauses, and the handlers wait.
   */
  refreshBotData(_data: Data<K, "bot">): MaybePromise<void> {}

  /** Likewise, for the data of the update's chat. */
  refreshChatData(_chatId: number, _data: Data<K, "chat">): MaybePromise<void> {}

  /** Likewise, for the data of the update's user. */
  refreshUserData(_userId: number, _data: Data<K, "user">): MaybePromise<void> {}

  /** Makes everything durable that was given before. Called once at the end; tools may call it at any time. */
  flush(): MaybePromise<void> {}

  /**
   * Calls `updates`, which calls update methods, for a class that writes everything at once: it does so when `updates` has resolved, and
   * not after each. Without this method each update is for itself. When it rejects, all that `updates` gave is given again at the next writing.
   */
  together?(updates: () => Promise<void>): Promise<void>;

  /** What becomes of values that are kept in the form of another language, for `copyPersistence`. */
  mappingReport?(): Promise<MappingReport>;

  /**
   * Loads one chat's data. A class that has this and {@link BasePersistence.loadUserData} (one alone is not enough) is not loaded at start
   * but record by record, when each is needed.
   */
  loadChatData?(chatId: number): MaybePromise<Data<K, "chat"> | undefined>;

  /** Loads one user's data, likewise. */
  loadUserData?(userId: number): MaybePromise<Data<K, "user"> | undefined>;

  /** The names of all handlers that have conversations, and perhaps of some that had. Without it, `copyPersistence` has to be told. */
  conversationNames?(): MaybePromise<readonly string[]>;

  /**
   * Called by the application when it is created, before anything is read: the bot, and how it may stand in values. What a constructor decodes
   * itself cannot refer to the bot.
   */
  setBot(bot: unknown, live?: LiveObjects): void {
    this.#bot = bot;
    this.#live = live;
  }

  /** The bot that this persistence serves, once it has one. */
  get bot(): unknown {
    return this.#bot;
  }

  /** What {@link Codec.encode} and `decode` need so that the bot may stand in values. */
  get live(): LiveObjects | undefined {
    return this.#live;
  }
}

function intervalOf(updateInterval: Duration): number {
  const interval = milliseconds(updateInterval, "updateInterval");
  if (typeof updateInterval !== "number" || interval === 0 || interval >= 1000) return interval;
  throw new PerdureError(
    "PERDURE_INVALID_OPTION",
    `updateInterval is ${updateInterval}: a number counts milliseconds; write "${updateInterval}s" for seconds.`,
  );
}
