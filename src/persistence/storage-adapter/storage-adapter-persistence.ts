import type { Data, KeptTypes, UntypedKept } from "../../data/kept-types.ts";
import type { MaybePromise } from "../../data/maybe-promise.ts";
import type { ConversationId } from "../../data/record.ts";
import { PerdureError } from "../../errors.ts";
import {
  BasePersistence,
  type BasePersistenceOptions,
  type CallbackData,
  type ConversationEntry,
} from "../base-persistence.ts";
import { OneAtATime } from "../interval/one-at-a-time.ts";
import { StorageKeys } from "./storage-keys.ts";
import { storedText, textOf, type StoredText } from "./stored-text.ts";

/** What is needed of a grammY `StorageAdapter`: every one has it. */
export interface KeyedStorage {
  read(key: string): MaybePromise<unknown>;
  write(key: string, value: StoredText): MaybePromise<void>;
  delete(key: string): MaybePromise<void>;
  /** Lists all keys. Without it neither chats nor users nor conversation handlers can be listed. */
  readAllKeys?: (() => Iterable<string> | AsyncIterable<string>) | undefined;
}

/** Options of {@link StorageAdapterPersistence}. */
export interface StorageAdapterPersistenceOptions extends BasePersistenceOptions {
  /** The storage adapter. */
  storage: KeyedStorage;
  /** What all keys begin with: for a storage that other things are in as well. Default `""`. */
  prefix?: string | undefined;
}

/**
 * Keeps everything in a grammY storage adapter: of the official ones, or anyone's own. Not atomic: written in intervals, value by
 * value, with a loss window and no inbox (see `BasePersistence`).
 *
 * Each chat's and each user's data is one value of the storage and is read when it is needed; so are the bot's data, the
 * callback data, and all conversations of one handler. A value is `{ perdure: 1, text: "..." }`, the text being the codec's. What the storage has
 * that is not of this form rejects with `PERDURE_CORRUPT`, what a newer version has written with `PERDURE_NEWER_FORMAT`, and what the
 * adapter fails with is the `cause` of a `PERDURE_IO`.
 *
 * What cannot be told here is what an adapter does not tell. `@grammyjs/storage-file` 2.6 reads as "nothing there": a file
 * that is empty, which is what a crash while it was written can leave; and every file that could not be read, for
 * whatever reason (no permission, too many open files, a folder in its place). The next writing then replaces it. It also resolves a `delete` that
 * failed. Where data matters, `SqlitePersistence` has none of this.
 *
 * Without `readAllKeys` in the adapter (the file adapter has none) everything works but the listing of chats, users and
 * conversation handlers, which rejects with `PERDURE_UNSUPPORTED`.
 */
export class StorageAdapterPersistence<K extends KeptTypes = UntypedKept> extends BasePersistence<K> {
  readonly #storage: KeyedStorage;
  readonly #keys: StorageKeys;
  /** Conversations are changed by reading, changing and writing all of one handler's. */
  readonly #conversations = new OneAtATime();

  constructor({ storage, prefix = "", ...options }: StorageAdapterPersistenceOptions) {
    super(options);
    if (
      typeof storage?.read !== "function" ||
      typeof storage.write !== "function" ||
      typeof storage.delete !== "function"
    ) {
      throw new TypeError("StorageAdapterPersistence needs a storage with read, write and delete.");
    }
    this.#storage = storage;
    this.#keys = new StorageKeys(prefix);
  }

  async getBotData(): Promise<Data<K, "bot"> | undefined> {
    return (await this.#read(this.#keys.bot)) as Data<K, "bot"> | undefined;
  }

  getChatData(): Promise<ReadonlyMap<number, Data<K, "chat">>> {
    return this.#all("chat");
  }

  getUserData(): Promise<ReadonlyMap<number, Data<K, "user">>> {
    return this.#all("user");
  }

  async getCallbackData(): Promise<CallbackData | undefined> {
    return (await this.#read(this.#keys.callbackData)) as CallbackData | undefined;
  }

  async getConversations(name: string): Promise<readonly ConversationEntry[]> {
    return ((await this.#read(this.#keys.conversations(name))) ?? []) as readonly ConversationEntry[];
  }

  override async loadChatData(chatId: number): Promise<Data<K, "chat"> | undefined> {
    return (await this.#read(this.#keys.data("chat", chatId))) as Data<K, "chat"> | undefined;
  }

  override async loadUserData(userId: number): Promise<Data<K, "user"> | undefined> {
    return (await this.#read(this.#keys.data("user", userId))) as Data<K, "user"> | undefined;
  }

  override async conversationNames(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const key of this.#allKeys("conversation handlers")) {
      const name = this.#keys.nameIn(key);
      if (name !== undefined) names.push(name);
    }
    return names;
  }

  updateBotData(data: Data<K, "bot">): Promise<void> {
    return this.#write(this.#keys.bot, data);
  }

  updateChatData(chatId: number, data: Data<K, "chat">): Promise<void> {
    return this.#write(this.#keys.data("chat", chatId), data);
  }

  updateUserData(userId: number, data: Data<K, "user">): Promise<void> {
    return this.#write(this.#keys.data("user", userId), data);
  }

  updateCallbackData(data: CallbackData): Promise<void> {
    return this.#write(this.#keys.callbackData, data);
  }

  updateConversation(name: string, id: ConversationId, state: unknown): Promise<void> {
    const key = this.#keys.conversations(name);
    return this.#conversations.run(async () => {
      const text = JSON.stringify(id);
      const before = await this.getConversations(name);
      const others = before.filter(([other]) => JSON.stringify(other) !== text);
      const after = state === null || state === undefined ? others : [...others, [id, state]];
      if (after.length > 0) await this.#write(key, after);
      else if (before.length > 0) await this.#delete(key);
    });
  }

  dropChatData(chatId: number): Promise<void> {
    return this.#delete(this.#keys.data("chat", chatId));
  }

  dropUserData(userId: number): Promise<void> {
    return this.#delete(this.#keys.data("user", userId));
  }

  async #all<Scope extends "chat" | "user">(kind: Scope): Promise<ReadonlyMap<number, Data<K, Scope>>> {
    const ids: number[] = [];
    for await (const key of this.#allKeys(`${kind}s`)) {
      const id = this.#keys.idIn(kind, key);
      if (id !== undefined) ids.push(id);
    }
    const values = new Map<number, Data<K, Scope>>();
    for (const id of ids) {
      const value = await this.#read(this.#keys.data(kind, id));
      if (value !== undefined) values.set(id, value as Data<K, Scope>);
    }
    return values;
  }

  async *#allKeys(what: string): AsyncGenerator<string> {
    if (this.#storage.readAllKeys === undefined) {
      throw new PerdureError(
        "PERDURE_UNSUPPORTED",
        `The storage of this StorageAdapterPersistence cannot list its keys (it has no readAllKeys): ${what} cannot be listed.`,
      );
    }
    try {
      yield* this.#storage.readAllKeys();
    } catch (cause) {
      throw failed("list its keys", cause);
    }
  }

  async #read(key: string): Promise<unknown> {
    let stored: unknown;
    try {
      stored = await this.#storage.read(key);
    } catch (cause) {
      throw failed(`read "${key}"`, cause);
    }
    const text = textOf(stored, key);
    return text === undefined ? undefined : this.codec.decode(text, { name: key, live: this.live });
  }

  async #write(key: string, value: unknown): Promise<void> {
    const text = this.codec.encode(value, { name: key, live: this.live });
    try {
      await this.#storage.write(key, storedText(text));
    } catch (cause) {
      throw failed(`write "${key}"`, cause);
    }
  }

  async #delete(key: string): Promise<void> {
    try {
      await this.#storage.delete(key);
    } catch (cause) {
      throw failed(`delete "${key}"`, cause);
    }
  }
}

function failed(doing: string, cause: unknown): PerdureError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PerdureError("PERDURE_IO", `The storage adapter cannot ${doing}: ${reason}`, { cause });
}
