import type { Data, KeptTypes, UntypedKept } from "../../data/kept-types.ts";
import type { ConversationId } from "../../data/record.ts";
import {
  BasePersistence,
  type BasePersistenceOptions,
  type CallbackData,
  type ConversationEntry,
} from "../base-persistence.ts";
import { StateNames, type StateNamesOption } from "../state-names.ts";
import { BotPart } from "./bot-part.ts";
import { CallbackDataPart } from "./callback-data-part.ts";
import { ConversationsPart } from "./conversations-part.ts";
import type { Texts } from "./entry.ts";
import { ScopePart } from "./scope-part.ts";

/**
 * What a {@link DictPersistence} begins with: the texts that its getters of the same names gave, or those of
 * python-telegram-bot's `DictPersistence`. An empty text is as good as none.
 */
export interface DictPersistenceOptions extends BasePersistenceOptions {
  userDataJson?: string | undefined;
  chatDataJson?: string | undefined;
  botDataJson?: string | undefined;
  conversationsJson?: string | undefined;
  callbackDataJson?: string | undefined;
  /** What states of conversations are called that are numbers in Python: `{ survey: { 0: "NAME" } }`. The texts keep the numbers. */
  stateNames?: StateNamesOption | undefined;
}

/**
 * Keeps everything in memory, and gives it as JSON: for tests, and as the base of a class that stores the five texts somewhere.
 * `flush` does nothing; what is not saved by somebody is gone at the end.
 *
 * The texts are python-telegram-bot's, byte for byte, so that both sides read them. They hold what JSON has a form for: a value with a
 * Set or a Date, for instance, is kept, and its text is refused with `PERDURE_CANNOT_KEEP` and the path to what it has no form for. A
 * Map is written, and comes back as an object. What the codec does not keep, such as a function, is refused when it is stored.
 *
 * A text that is given stays as it is until something in it changes. From then on it is written anew, and all records that did not
 * change are written as Python would: with the order of their keys, and `1.0` apart from `1`. In a record that changed a number that is
 * a safe integer is written as an int, and keys are in JavaScript's order, integers first.
 *
 * The getters without a promise (`userData` and so on) are PTB's properties: `undefined`, and "null" as JSON, as long as the data was
 * neither given nor stored, nor asked for (`getUserData()` makes it empty). What they return is a copy.
 *
 * The constructor throws `PERDURE_CANNOT_DECODE` for a text that is not valid, in PTB's words and with the `cause`.
 */
export class DictPersistence<K extends KeptTypes = UntypedKept> extends BasePersistence<K> {
  readonly #users: ScopePart;
  readonly #chats: ScopePart;
  readonly #bot: BotPart;
  readonly #conversations: ConversationsPart;
  readonly #callbackData: CallbackDataPart;
  readonly #states: StateNames;

  constructor(options: DictPersistenceOptions = {}) {
    super(options);
    const texts: Texts = {
      encode: (value, name) => this.codec.encode(value, { name, live: this.live }),
      decode: (text, name) => this.codec.decode(text, { name, live: this.live }),
    };
    this.#states = new StateNames(options.stateNames);
    this.#users = new ScopePart("user", options.userDataJson, texts);
    this.#chats = new ScopePart("chat", options.chatDataJson, texts);
    this.#bot = new BotPart(options.botDataJson, texts);
    this.#conversations = new ConversationsPart(options.conversationsJson, texts);
    this.#callbackData = new CallbackDataPart(options.callbackDataJson, texts);
  }

  /** The data of all users by id. */
  get userData(): ReadonlyMap<number, Data<K, "user">> | undefined {
    return this.#users.value as ReadonlyMap<number, Data<K, "user">> | undefined;
  }

  /** The data of all chats by id. */
  get chatData(): ReadonlyMap<number, Data<K, "chat">> | undefined {
    return this.#chats.value as ReadonlyMap<number, Data<K, "chat">> | undefined;
  }

  /** The bot's data. Once it was asked for, `{}` if there is none. */
  get botData(): Data<K, "bot"> | undefined {
    return this.#bot.value as Data<K, "bot"> | undefined;
  }

  /** The conversations by the name of their handler. */
  get conversations(): ReadonlyMap<string, readonly ConversationEntry[]> | undefined {
    return this.#conversations.value;
  }

  /** The callback data. Unlike the others, it stays `undefined` when it is asked for. */
  get callbackData(): CallbackData | undefined {
    return this.#callbackData.value;
  }

  /** The data of all users as JSON: `{"42": {"name": "Ann"}}`. */
  get userDataJson(): string {
    return this.#users.json;
  }

  /** The data of all chats as JSON. */
  get chatDataJson(): string {
    return this.#chats.json;
  }

  /**
   * The bot's data as JSON. python-telegram-bot writes `{}` for data that is empty and for data that was never stored. When
   * `{}` is read, it is the latter: the application goes on with its initial value.
   */
  get botDataJson(): string {
    return this.#bot.json;
  }

  /** The conversations as JSON: `{"registration": {"[1, 42]": "NAME"}}`. */
  get conversationsJson(): string {
    return this.#conversations.json;
  }

  /** The callback data as JSON: `[[["keyboard", 1700000000.0, {"button": 5}]], {"query": "keyboard"}]`. */
  get callbackDataJson(): string {
    return this.#callbackData.json;
  }

  override async getBotData(): Promise<Data<K, "bot"> | undefined> {
    return this.#bot.fetch() as Data<K, "bot"> | undefined;
  }

  override async getChatData(): Promise<ReadonlyMap<number, Data<K, "chat">>> {
    return this.#chats.fetch() as ReadonlyMap<number, object> as ReadonlyMap<number, Data<K, "chat">>;
  }

  override async getUserData(): Promise<ReadonlyMap<number, Data<K, "user">>> {
    return this.#users.fetch() as ReadonlyMap<number, object> as ReadonlyMap<number, Data<K, "user">>;
  }

  override async getCallbackData(): Promise<CallbackData | undefined> {
    return this.#callbackData.value;
  }

  override async getConversations(name: string): Promise<readonly ConversationEntry[]> {
    return this.#conversations.fetch(name).map(([id, state]) => [id, this.#states.named(name, state)]);
  }

  override async updateBotData(data: Data<K, "bot">): Promise<void> {
    this.#bot.update(data);
  }

  override async updateChatData(chatId: number, data: Data<K, "chat">): Promise<void> {
    this.#chats.update(chatId, data);
  }

  override async updateUserData(userId: number, data: Data<K, "user">): Promise<void> {
    this.#users.update(userId, data);
  }

  override async updateCallbackData(data: CallbackData): Promise<void> {
    this.#callbackData.update(data);
  }

  /** Keeps the state of one conversation; `null` removes it. The name of the handler stays in the JSON, as in PTB. */
  override async updateConversation(name: string, id: ConversationId, state: unknown): Promise<void> {
    this.#conversations.update(name, id, this.#states.numbered(name, state));
  }

  /** Removes one chat's data. A text that was given is written anew also if the chat is unknown, as in PTB. */
  override async dropChatData(chatId: number): Promise<void> {
    this.#chats.drop(chatId);
  }

  /** Likewise, one user's. */
  override async dropUserData(userId: number): Promise<void> {
    this.#users.drop(userId);
  }

  override async conversationNames(): Promise<readonly string[]> {
    return this.#conversations.names;
  }
}
