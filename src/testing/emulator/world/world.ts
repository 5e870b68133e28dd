import type { Chat, Update, User } from "@grammyjs/types";
import { BotAccount, describeBot, type NewBot } from "./bot-account.ts";
import { CallbackQueries } from "./callback-queries.ts";
import { ChatRoom } from "./chat-room.ts";
import { DrivenClock, RealClock, type Clock } from "./clock.ts";
import { Faults } from "./faults.ts";
import { Transcript } from "./transcript.ts";
import { kindOf } from "./update-kind.ts";
import { UpdateQueue, type NewUpdate } from "./update-queue.ts";
import type { Carrier } from "./webhook.ts";

/** What a world is made of. */
export interface WorldOptions {
  /**
   * "driven": stands still until `advance()`, and everything that takes time at Telegram follows it. A function: says
   * the time, in milliseconds since 1970, while what takes time takes real time. Default: the system's clock.
   */
  clock?: (() => number) | "driven" | undefined;
  /** From 0 up to, not including, 1. Default: `Math.random`. */
  random?: (() => number) | undefined;
  /** How many entries the transcript keeps. Default 100 000. */
  transcriptLimit?: number | undefined;
  /** How many milliseconds a webhook has to answer. Default 60 000, as at Telegram. */
  webhookTimeout?: number | undefined;
}

/** A user's account. */
export interface Person {
  readonly user: User;
  /** Ids of the bots that this user has blocked. */
  readonly blocked: Set<number>;
  /** The groups that this user is in. */
  readonly groups: Set<ChatRoom>;
}

const TOKEN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Everything that Telegram knows: no network, no timers of its own. */
export class World {
  readonly clock: Clock;
  readonly random: () => number;
  readonly transcript: Transcript;
  readonly faults: Faults = new Faults();
  readonly callbackQueries: CallbackQueries;
  /** Milliseconds. */
  readonly webhookTimeout: number;
  /** Takes updates to webhooks. Whoever has a network sets it. */
  carrier: Carrier = () => Promise.resolve({ isConfirmed: false, error: "there is no network" });
  readonly people: Map<number, Person> = new Map();
  /** Groups and supergroups by chat id. */
  readonly groups: Map<number, ChatRoom> = new Map();
  readonly #bots = new Map<string, BotAccount>();
  readonly #botsById = new Map<number, BotAccount>();
  /** Of the bots. */
  readonly #usernames = new Set<string>();
  #lastId = 100_000;

  constructor(options: WorldOptions = {}) {
    this.clock = options.clock === "driven" ? new DrivenClock() : new RealClock(options.clock);
    this.random = options.random ?? Math.random;
    this.transcript = new Transcript(this.clock.now, options.transcriptLimit ?? 100_000);
    this.callbackQueries = new CallbackQueries(this.clock.now);
    this.webhookTimeout = options.webhookTimeout ?? 60_000;
  }

  /** Unix seconds, as in messages. */
  get date(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  /** A number that no user, bot or chat has yet. */
  newId(): number {
    do this.#lastId += 1;
    while (this.people.has(this.#lastId) || this.#botsById.has(this.#lastId));
    return this.#lastId;
  }

  /** "Update identifiers start from a certain positive number"; which one is chosen at random. */
  randomUpdateId(): number {
    return 100_000_000 + Math.floor(this.random() * 900_000_000);
  }

  randomDigits(count: number): string {
    return Array.from({ length: count }, () => String(Math.floor(this.random() * 10))).join("");
  }

  addBot(options: NewBot): BotAccount {
    const id = options.id ?? idOfToken(options.token) ?? this.newId();
    const token = options.token ?? `${id}:${this.#randomSecret()}`;
    if (idOfToken(token) !== id) throw new TypeError(`a bot's token begins with its id: "${id}:..."`);
    if (this.#botsById.has(id)) throw new Error(`there is a bot with the id ${id} already`);
    if (this.#usernames.has(options.username)) {
      throw new Error(`there is a bot with the username ${options.username} already`);
    }
    const bot = new BotAccount(describeBot(options, id), token, new UpdateQueue(this.clock.now, this.randomUpdateId()));
    this.#bots.set(token, bot);
    this.#botsById.set(id, bot);
    this.#usernames.add(options.username);
    return bot;
  }

  bot(token: string): BotAccount | undefined {
    return this.#bots.get(token);
  }

  botById(id: number): BotAccount | undefined {
    return this.#botsById.get(id);
  }

  bots(): BotAccount[] {
    return [...this.#bots.values()];
  }

  addPerson(user: User): Person {
    if (this.people.has(user.id)) throw new Error(`there is a user with the id ${user.id} already`);
    const person: Person = { user, blocked: new Set(), groups: new Set() };
    this.people.set(user.id, person);
    return person;
  }

  addGroup(chat: Chat): ChatRoom {
    if (this.groups.has(chat.id)) throw new Error(`there is a chat with the id ${chat.id} already`);
    const room = new ChatRoom(chat);
    this.groups.set(chat.id, room);
    return room;
  }

  requirePerson(id: number): Person {
    const person = this.people.get(id);
    if (person === undefined) throw new Error(`there is no user with the id ${id}`);
    return person;
  }

  /** A chat id that no chat has yet. */
  newGroupId(supergroup: boolean): number {
    return (supergroup ? -1_000_000_000_000 : 0) - this.newId();
  }

  /** From now on this person or bot is in the group. Nobody is told. */
  join(room: ChatRoom, member: Person | BotAccount): void {
    room.former.delete(member.user.id);
    if (member instanceof BotAccount) return void room.bots.add(member);
    room.members.add(member.user.id);
    member.groups.add(room);
  }

  /** Takes `join` back, and the role with it. */
  leave(room: ChatRoom, member: Person | BotAccount, how: "left" | "kicked"): void {
    room.former.set(member.user.id, how);
    room.roles.delete(member.user.id);
    if (member instanceof BotAccount) return void room.bots.delete(member);
    room.members.delete(member.user.id);
    member.groups.delete(room);
  }

  /** The private chat of this person with this bot; made if they have none yet. */
  privateRoom(bot: BotAccount, person: Person): ChatRoom {
    const existing = bot.privateRooms.get(person.user.id);
    if (existing !== undefined) return existing;
    const room = new ChatRoom(privateChat(person.user), bot.nextPrivateMessageId);
    room.bots.add(bot);
    room.members.add(person.user.id);
    bot.privateRooms.set(person.user.id, room);
    return room;
  }

  /** The chat as this bot knows it. */
  room(bot: BotAccount, chatId: number): ChatRoom | undefined {
    return bot.privateRooms.get(chatId) ?? this.groups.get(chatId);
  }

  /** Hands an update to a bot, and notes it. `undefined` when the bot did not ask for this kind. */
  deliver(
    bot: BotAccount,
    content: NewUpdate,
    place: { chat?: number | undefined; user?: number | undefined },
  ): Update | undefined {
    const update = bot.receive(content);
    const { username } = bot.user;
    const updateId = update?.update_id;
    this.transcript.add({ type: "update", bot: username, kind: kindOf(content), ...place, updateId, update: content });
    return update;
  }

  #randomSecret(): string {
    const letter = (): string => TOKEN_LETTERS.charAt(Math.floor(this.random() * TOKEN_LETTERS.length));
    return `AA${Array.from({ length: 33 }, letter).join("")}`;
  }
}

function idOfToken(token: string | undefined): number | undefined {
  const digits = /^(\d+):[\w-]+$/.exec(token ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function privateChat({ id, first_name, last_name, username }: User): Chat {
  return {
    id,
    type: "private",
    first_name,
    ...(last_name !== undefined && { last_name }),
    ...(username !== undefined && { username }),
  };
}
