import type { LiveObjects } from "../../data/codec.ts";
import type { Data, KeptTypes, UntypedKept } from "../../data/kept-types.ts";
import { keyName, type ConversationId, type RecordKey } from "../../data/record.ts";
import {
  BasePersistence,
  type BasePersistenceOptions,
  type CallbackData,
  type ConversationEntry,
  type KeyboardEntry,
} from "../base-persistence.ts";
import { OneAtATime } from "../interval/one-at-a-time.ts";
import { StateNames, type StateNamesOption } from "../state-names.ts";
import type { KeyboardDescription } from "./callback-data-root.ts";
import { isIdPart } from "./conversation-states.ts";
import { OpenPickle, type OpenPickleOptions } from "./open-pickle.ts";
import type { PickleContent } from "./pickle-content.ts";
import type { PickleKind } from "./pickle-kind.ts";
import { FromJavaScript } from "./python/from-javascript.ts";
import { MappingNotes, type MappingReport } from "../mapping-report.ts";
import { ToJavaScript } from "./python/to-javascript.ts";
import { pickleOptions } from "./pickle-options.ts";

/** Options of {@link PicklePersistence}, those of python-telegram-bot's class (PTB statement 23), and more. */
export interface PicklePersistenceOptions extends BasePersistenceOptions {
  /** The path of the file; of the files, what comes before `_user_data` and so on. */
  filepath: string;
  /** Whether everything is in one file. Default: true. */
  singleFile?: boolean | undefined;
  /** Whether it is written by `flush` only, at the end. Default: false. */
  onFlush?: boolean | undefined;
  /** What states of conversations are called that are numbers in Python: `{ survey: { 0: "NAME" } }`. */
  stateNames?: StateNamesOption | undefined;
  /** How long to wait for another process to let go of the file, in milliseconds. Default: 10 000. */
  ownerTimeout?: number | undefined;
  /** What is refused, so that a hostile file can do no harm. */
  limits?: PickleLimits | undefined;
}

/** How large a file may be. */
export interface PickleLimits {
  /** So many bytes at most. Default: 256 MB. Reading takes many times the size of the file in memory. */
  bytes?: number | undefined;
  /** Values nest at most so deep. Default and most: 1000, as deep as the codec keeps them. */
  depth?: number | undefined;
}

/**
 * python-telegram-bot's own files, read and written: those of its versions 13 to 22, of any pickle protocol, in one file or several. What it writes,
 * python-telegram-bot reads. Nothing in a file is ever executed, and what is not known is kept as it is.
 *
 * Values become what docs/moving-from-python-telegram-bot.md says. A record that nobody changes is written as it was read. A value that Python has no
 * equal for is refused with `PERDURE_CANNOT_KEEP` and its path; everything else is written.
 *
 * The files are read once, at the first use, and only a missing one is empty; a broken one gives `PERDURE_CORRUPT` and is left alone. They are written whole,
 * each replaced in one step and durable then: once per writing of the application, or after each update by anyone else. A second process that opens them waits
 * `ownerTimeout` and is refused with `PERDURE_OWNED`; so is a writing when another program has changed a file. `flush` lets go of the files; what is used after it
 * reads them again.
 */
export class PicklePersistence<K extends KeptTypes = UntypedKept> extends BasePersistence<K> {
  readonly #options: OpenPickleOptions;
  readonly #onFlush: boolean;
  readonly #depth: number;
  readonly #states: StateNames;
  readonly #calls = new OneAtATime();
  #opened: OpenPickle | undefined;
  /** How many writings are under way whose end is waited for. */
  #together = 0;

  constructor(options: PicklePersistenceOptions) {
    super(options);
    const { files, depth, onFlush } = pickleOptions(options);
    this.#options = files;
    this.#depth = depth;
    this.#onFlush = onFlush;
    this.#states = new StateNames(options.stateNames);
  }

  override getBotData(): Promise<Data<K, "bot"> | undefined> {
    return this.#read(({ bot }) => (bot === undefined ? undefined : this.#value(bot, { kind: "bot" }))) as Promise<
      Data<K, "bot"> | undefined
    >;
  }

  override getChatData(): Promise<ReadonlyMap<number, Data<K, "chat">>> {
    return this.#read(({ chats }) => this.#values(chats, "chat")) as Promise<ReadonlyMap<number, Data<K, "chat">>>;
  }

  override getUserData(): Promise<ReadonlyMap<number, Data<K, "user">>> {
    return this.#read(({ users }) => this.#values(users, "user")) as Promise<ReadonlyMap<number, Data<K, "user">>>;
  }

  override getCallbackData(): Promise<CallbackData | undefined> {
    return this.#read(({ callbackData }) => {
      if (callbackData === undefined) return undefined;
      const keyboards = callbackData.keyboards.map(({ id, accessTime, buttons }): KeyboardEntry => [
        id,
        accessTime,
        this.#buttons(id, buttons),
      ]);
      return [keyboards, Object.fromEntries(callbackData.queries)];
    });
  }

  override getConversations(name: string): Promise<readonly ConversationEntry[]> {
    return this.#read(({ conversations }) =>
      Array.from(conversations.of(name), ({ id, state }): ConversationEntry => {
        const value = this.#value(state, { kind: "conversation", name, id });
        return [[...id], this.#states.named(name, value)];
      }),
    );
  }

  override conversationNames(): Promise<readonly string[]> {
    return this.#read(({ conversations }) => conversations.names);
  }

  override updateBotData(data: Data<K, "bot">): Promise<void> {
    return this.#change("bot_data", (content) => {
      const description = this.#changed(content.bot, data, { kind: "bot" });
      if (description === content.bot) return false;
      content.bot = description as object;
      return true;
    });
  }

  override updateChatData(chatId: number, data: Data<K, "chat">): Promise<void> {
    return this.#change("chat_data", ({ chats }) => this.#put(chats, { kind: "chat", id: chatId }, data));
  }

  override updateUserData(userId: number, data: Data<K, "user">): Promise<void> {
    return this.#change("user_data", ({ users }) => this.#put(users, { kind: "user", id: userId }, data));
  }

  override updateCallbackData([keyboards, queries]: CallbackData): Promise<void> {
    return this.#change("callback_data", (content) => {
      const before = new Map(content.callbackData?.keyboards.map((keyboard) => [keyboard.id, keyboard.buttons]));
      content.callbackData = {
        keyboards: keyboards.map(([id, accessTime, buttons]): KeyboardDescription => {
          const described = this.#changed(before.get(id), buttons, { kind: "keyboard", id });
          return { id, accessTime, buttons: described as Map<unknown, unknown> };
        }),
        queries: new Map(Object.entries(queries)),
      };
      return true;
    });
  }

  /** Keeps the state of one conversation; `null` removes it. (python-telegram-bot leaves a None: PTB statement 48.) */
  override updateConversation(name: string, id: ConversationId, state: unknown): Promise<void> {
    if (!id.every(isIdPart)) throw new TypeError("the id of a conversation must be an array of integers and texts");
    return this.#change("conversations", ({ conversations }) => {
      if (state === null || state === undefined) return conversations.remove(name, id);
      const before = conversations.get(name, id)?.state;
      const description = this.#changed(before, this.#states.numbered(name, state), { kind: "conversation", name, id });
      if (description === before) return false;
      conversations.set(name, id, description);
      return true;
    });
  }

  override dropChatData(chatId: number): Promise<void> {
    return this.#change("chat_data", ({ chats }) => chats.delete(chatId));
  }

  override dropUserData(userId: number): Promise<void> {
    return this.#change("user_data", ({ users }) => users.delete(userId));
  }

  /** Writes what is not written, and lets go of the files. */
  override async flush(): Promise<void> {
    await this.#calls.run(async () => {
      await this.#opened?.write();
      this.#close();
    });
  }

  /** Writes once for all that `updates` does, at its end; with `onFlush` not before `flush`. If `updates` rejects, nothing of it is written. */
  override async together(updates: () => Promise<void>): Promise<void> {
    await this.#calls.run(() => this.#written());
    const hadUnwritten = this.#hasUnwritten;
    this.#together += 1;
    try {
      await updates();
    } catch (error) {
      // What is in the files is what there was.
      if (!hadUnwritten) await this.#calls.run(() => this.#close());
      throw error;
    } finally {
      this.#together -= 1;
    }
    await this.#calls.run(() => this.#written());
  }

  /** What became of the values in the files, and what does not map exactly. Reads everything. */
  override async mappingReport(): Promise<MappingReport> {
    const notes = new MappingNotes();
    await this.#read((content) => {
      this.#values(content.users, "user", notes);
      this.#values(content.chats, "chat", notes);
      if (content.bot !== undefined) this.#value(content.bot, { kind: "bot" }, notes);
      for (const name of content.conversations.names) {
        for (const { id, state } of content.conversations.of(name)) {
          this.#value(state, { kind: "conversation", name, id }, notes);
        }
      }
      for (const { id, buttons } of content.callbackData?.keyboards ?? []) {
        this.#value(buttons, { kind: "keyboard", id }, notes);
      }
    });
    return notes.report;
  }

  #read<T>(read: (content: PickleContent) => T): Promise<T> {
    return this.#calls.run(async () => read((await this.#open()).content));
  }

  /** Makes a change, and writes it unless somebody else will. What a value is refused for is said before anything is changed. */
  #change(kind: PickleKind, change: (content: PickleContent) => boolean): Promise<void> {
    return this.#calls.run(async () => {
      const opened = await this.#open();
      if (change(opened.content)) opened.changed.add(kind);
      await this.#written();
    });
  }

  async #written(): Promise<void> {
    if (!this.#onFlush && this.#together === 0) await this.#opened?.write();
  }

  get #hasUnwritten(): boolean {
    return (this.#opened?.changed.size ?? 0) > 0;
  }

  async #open(): Promise<OpenPickle> {
    this.#opened ??= await OpenPickle.open(this.#options);
    return this.#opened;
  }

  #close(): void {
    this.#opened?.close();
    this.#opened = undefined;
  }

  #values(
    descriptions: ReadonlyMap<number, unknown>,
    kind: "chat" | "user",
    notes?: MappingNotes,
  ): ReadonlyMap<number, object> {
    return new Map(Array.from(descriptions, ([id, data]) => [id, this.#value(data, { kind, id }, notes) as object]));
  }

  #buttons(id: string, buttons: Map<unknown, unknown>): KeyboardEntry[2] {
    return this.#value(buttons, { kind: "keyboard", id }) as KeyboardEntry[2];
  }

  #value(description: unknown, key: RecordKey, notes?: MappingNotes): unknown {
    return new ToJavaScript({ live: this.live, notes, depth: this.#depth }).value(description, keyName(key));
  }

  #put(descriptions: Map<number, unknown>, key: RecordKey & { readonly id: number }, data: object): boolean {
    if (!Number.isSafeInteger(key.id))
      throw new TypeError(`the id of a ${key.kind} must be an integer, and not ${key.id}`);
    const before = descriptions.get(key.id);
    const description = this.#changed(before, data, key);
    if (description === before) return false;
    descriptions.set(key.id, description);
    return true;
  }

  /** The description of a new value: the old one if nothing has changed. Compared is what the codec writes (PTB statement 40). */
  #changed(before: unknown, value: unknown, key: RecordKey): unknown {
    const name = keyName(key);
    const live: LiveObjects | undefined = this.live;
    const text = this.codec.encode(value, { name, live });
    if (before !== undefined && this.codec.encode(this.#value(before, key), { name, live }) === text) return before;
    return new FromJavaScript(live).describe(value, name, before);
  }
}
