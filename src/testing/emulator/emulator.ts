import type { Message, Update } from "@grammyjs/types";
import type { ControlConnection, EmulatedBot, NewGroup, NewUser, Timeout } from "./control/commands.ts";
import { DirectConnection, HttpConnection } from "./control/connection.ts";
import { Control } from "./control/control.ts";
import { EmulatedGroup, EmulatedUser, type WithBot } from "./handles.ts";
import { EmulatorServer } from "./server/server.ts";
import { startProcess } from "./child-process.ts";
import type { NewBot } from "./world/bot-account.ts";
import type { Fault } from "./world/faults.ts";
import type { TranscriptEntry, TranscriptFilter } from "./world/transcript.ts";
import type { NewUpdate } from "./world/update-queue.ts";
import { World, type WorldOptions } from "./world/world.ts";

/** How an emulator in this process starts. */
export interface EmulatorOptions extends WorldOptions {
  /** Default 0: any free port. Always on 127.0.0.1. */
  port?: number | undefined;
}

/** How an emulator in a process of its own starts. */
export interface SpawnOptions {
  /** Default 0: any free port. Always on 127.0.0.1. */
  port?: number | undefined;
  /** How many entries the transcript keeps. Default 100 000. */
  transcriptLimit?: number | undefined;
  /** A clock that stands still until `advance()`. Default: the system's clock. */
  clock?: "driven" | undefined;
  /** How many milliseconds a webhook has to answer. Default 60 000, as at Telegram. */
  webhookTimeout?: number | undefined;
}

/** A fault that was set up. */
export class EmulatedFault {
  readonly #connection: ControlConnection;
  readonly #id: number;

  constructor(connection: ControlConnection, id: number) {
    this.#connection = connection;
    this.#id = id;
  }

  /** Resolves when a call has been hit. Rejects after `timeout`, 5000 ms by default. */
  async hit({ timeout }: Timeout = {}): Promise<void> {
    await this.#connection.call("faultHit", { id: this.#id, timeout });
  }

  /** Takes the fault away, and cuts the calls that it lets hang. */
  async remove(): Promise<void> {
    await this.#connection.call("removeFault", { id: this.#id });
  }
}

/**
 * Telegram for tests and demos: a Bot API server on loopback, with the people on the other side. Give a bot `url` as its
 * API root and it cannot tell the difference, in what is built: see docs/testing.md.
 *
 * The same object drives an emulator in this process (`start`) and one in another (`spawn`, `connect`).
 */
export class TelegramEmulator {
  /** As "http://127.0.0.1:45678", without a slash at the end: grammY's `client: { apiRoot: emulator.url }`. */
  readonly url: string;
  readonly #connection: ControlConnection;
  readonly #end: () => Promise<void>;

  private constructor(url: string, connection: ControlConnection, end: () => Promise<void>) {
    this.url = url;
    this.#connection = connection;
    this.#end = end;
  }

  /** Starts an emulator in this process. */
  static async start(options: EmulatorOptions = {}): Promise<TelegramEmulator> {
    const world = new World(options);
    const control = new Control(world);
    const server = new EmulatorServer(world, control);
    const url = await server.listen(options.port ?? 0);
    return new TelegramEmulator(url, new DirectConnection(control), () => server.close());
  }

  /** Starts an emulator as a child process, which ends with `stop()` and with this process. */
  static async spawn(options: SpawnOptions = {}): Promise<TelegramEmulator> {
    const child = await startProcess(options);
    return new TelegramEmulator(child.url, new HttpConnection(child.url), () => child.end());
  }

  /** Drives an emulator that somebody else runs. `stop()` then only lets go of it. */
  static connect(url: string): Promise<TelegramEmulator> {
    const root = url.replace(/\/+$/, "");
    return Promise.resolve(new TelegramEmulator(root, new HttpConnection(root), () => Promise.resolve()));
  }

  /** Ends the emulator, open long polls, and everything that waits. May be called more than once. */
  async stop(): Promise<void> {
    await this.#connection.close();
    await this.#end();
  }

  /** Makes a bot, as @BotFather does. Rejects if its id or username is taken. */
  async createBot(bot: NewBot): Promise<EmulatedBot> {
    return this.#connection.call("createBot", bot);
  }

  /** Makes a user. With `bot` the user has a private chat with that bot, so that the bot may write first. */
  async createUser(user: NewUser): Promise<EmulatedUser> {
    return new EmulatedUser(this.#connection, await this.#connection.call("createUser", user), user.bot);
  }

  /** Makes a group or supergroup. Members and bots are in it from the start; no update tells of that. */
  async createGroup({ members, owner, ...group }: NewGroup): Promise<EmulatedGroup> {
    const people = { members: members?.map(({ id }) => ({ id })), owner: owner && { id: owner.id } };
    return new EmulatedGroup(this.#connection, await this.#connection.call("createGroup", { ...group, ...people }));
  }

  /** A user who exists already, for instance because another process made it. Rejects if there is none. */
  async user(id: number, { bot }: WithBot = {}): Promise<EmulatedUser> {
    return new EmulatedUser(this.#connection, await this.#connection.call("user", { id }), bot);
  }

  /** A group that exists already. Rejects if there is none. */
  async group(id: number): Promise<EmulatedGroup> {
    return new EmulatedGroup(this.#connection, await this.#connection.call("group", { id }));
  }

  /**
   * Hands any update, without its id, to the bot with this token. The people, chats and messages in it exist from then
   * on. Resolves with the update's id, or `undefined` if the bot did not ask for this kind of update.
   */
  async send(token: string, update: NewUpdate): Promise<number | undefined> {
    return (await this.#connection.call("sendUpdate", { bot: token, update })) ?? undefined;
  }

  /** What happened, oldest first: every update and every finished call. */
  async transcript(filter: TranscriptFilter = {}): Promise<TranscriptEntry[]> {
    return this.#connection.call("transcript", filter);
  }

  /** What is in a chat now, after edits and deletions, oldest first. */
  async messages(chat: EmulatedUser | EmulatedGroup): Promise<Message[]> {
    return chat.messages();
  }

  /** The updates that the bot has not confirmed, oldest first. */
  async pending(token: string): Promise<Update[]> {
    return this.#connection.call("pending", { bot: token });
  }

  /** Resolves when the bot has confirmed all its updates. Rejects after `timeout`, 5000 ms by default. */
  async untilConfirmed(token: string, { timeout }: Timeout = {}): Promise<void> {
    await this.#connection.call("untilConfirmed", { bot: token, timeout });
  }

  /**
   * Resolves when the bot waits for updates in a getUpdates call: it is up, and has fetched all there was. Rejects after
   * `timeout`, 5000 ms by default.
   */
  async untilPolling(token: string, { timeout }: Timeout = {}): Promise<void> {
    await this.#connection.call("untilPolling", { bot: token, timeout });
  }

  /**
   * Moves the clock on, which must have been started as "driven". What is due until then happens, each at its time; what
   * the bot does about it takes real time. Rejects for a clock that is not driven.
   */
  async advance(milliseconds: number): Promise<void> {
    await this.#connection.call("advance", { milliseconds });
  }

  /**
   * Resolves when a webhook delivery of this bot has failed and waits for its next attempt. Rejects after `timeout`, 5000
   * ms by default, and when the bot has no webhook.
   */
  async untilRetrying(token: string, { timeout }: Timeout = {}): Promise<void> {
    await this.#connection.call("untilRetrying", { bot: token, timeout });
  }

  /**
   * Makes the next attempt at once for every update that waits for one. Waits for that if need be, as `untilRetrying`, but
   * resolves also when every update is confirmed: the clock may have been faster.
   */
  async retryNow(token: string, { timeout }: Timeout = {}): Promise<void> {
    await this.#connection.call("retryNow", { bot: token, timeout });
  }

  /** update_id to how often the bot got it, by getUpdates or at its webhook. More than once is a redelivery. */
  async deliveries(token: string): Promise<Map<number, number>> {
    return new Map(await this.#connection.call("deliveries", { bot: token }));
  }

  /**
   * Numbers the next update with `to`, by default a random number: "If there are no new updates for at least a week, then
   * identifier of the next update will be chosen randomly" (Bot API, Update). Rejects while updates are unconfirmed.
   */
  async restartUpdateIds(token: string, to?: number): Promise<void> {
    await this.#connection.call("restartUpdateIds", { bot: token, to });
  }

  /** Makes the next call that matches, or several, go wrong. */
  async fault(fault: Fault): Promise<EmulatedFault> {
    const { id } = await this.#connection.call("fault", fault);
    return new EmulatedFault(this.#connection, id);
  }

  /** Takes every fault away, and cuts the calls that hang. `unreachable` stays as it is. */
  async clearFaults(): Promise<void> {
    await this.#connection.call("clearFaults", {});
  }

  /** Cuts every connection of every bot, those to come too, until called with `false`. */
  async unreachable(isUnreachable: boolean): Promise<void> {
    await this.#connection.call("unreachable", { isUnreachable });
  }
}
