import { setMaxListeners } from "node:events";
import type { Update } from "@grammyjs/types";
import type { BotAccount } from "./bot-account.ts";
import type { FaultKind } from "./faults.ts";
import { Fifo } from "./fifo.ts";
import { placeOf } from "./update-place.ts";
import type { World } from "./world.ts";

/** What setWebhook was told (Bot API). */
export interface WebhookSettings {
  readonly url: string;
  readonly secretToken: string | undefined;
  /** How many deliveries are under way at most. */
  readonly maxConnections: number;
}

/** What came of one attempt to deliver an update. Only `isConfirmed` keeps it from coming again. */
export interface DeliveryResult {
  readonly isConfirmed: boolean;
  /** The answer's HTTP status, if there was an answer. */
  readonly status?: number | undefined;
  /** What went wrong, as in getWebhookInfo's `last_error_message`. */
  readonly error?: string | undefined;
  /** Milliseconds that the answer asked to wait. */
  readonly retryAfter?: number | undefined;
  readonly fault?: FaultKind | undefined;
}

/** Takes one update to a webhook. Never rejects. Gives up when `signal` aborts. */
export type Carrier = (
  bot: BotAccount,
  settings: WebhookSettings,
  update: Update,
  signal: AbortSignal,
) => Promise<DeliveryResult>;

/** Updates that are delivered one after the other: those of one chat. */
interface Lane {
  readonly key: string;
  readonly updates: Fifo<Update>;
  /** How often delivery of the first update was tried. */
  attempts: number;
}

/** Milliseconds: after the first attempt the update waits once to twice as long, and at most twice this. */
const FIRST_DELAY = 1000;
const LAST_DELAY = 60_000;

/**
 * Delivers a bot's updates by webhook (Bot API, setWebhook): those of one chat in sequence, the next one only after the
 * one before it was confirmed; those of different chats at the same time, up to `maxConnections`. What is not confirmed
 * waits, longer each time, and goes out again. An update of no chat counts as its user's, one of no user as its own.
 */
export class Webhook {
  readonly settings: WebhookSettings;
  readonly #world: World;
  readonly #bot: BotAccount;
  readonly #closing = new AbortController();
  readonly #lanes = new Map<string, Lane>();
  readonly #ready = new Fifo<Lane>();
  /** Those whose first update waits for its next attempt, and how to stop the timer. */
  readonly #waiting = new Map<Lane, () => void>();
  #underWay = 0;
  #lastError: { readonly date: number; readonly message: string } | undefined;
  #retryListeners: (() => void)[] = [];

  /** Begins with what is unconfirmed, and goes on until `close`. */
  constructor(world: World, bot: BotAccount, settings: WebhookSettings) {
    this.#world = world;
    this.#bot = bot;
    this.settings = settings;
    setMaxListeners(0, this.#closing.signal);
    for (const update of bot.queue.pending()) this.#enqueue(update);
    bot.queue.onPush((update) => this.#enqueue(update));
  }

  /** The last attempt that went wrong, at Unix seconds. */
  get lastError(): { readonly date: number; readonly message: string } | undefined {
    return this.#lastError;
  }

  /** Cuts what is under way. All that is not confirmed stays with the bot. */
  close(): void {
    this.#bot.queue.onPush(undefined);
    this.#closing.abort();
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  /** Tries all that waits for its next attempt again, now. */
  retryNow(): void {
    for (const [lane, cancel] of this.#waiting) {
      cancel();
      this.#retry(lane);
    }
  }

  /** Calls `listener` when an update waits for its next attempt, at once if one does. Returns how to give up. */
  whenRetrying(listener: () => void): () => void {
    if (this.#waiting.size > 0) {
      listener();
      return () => {};
    }
    this.#retryListeners.push(listener);
    return () => {
      this.#retryListeners = this.#retryListeners.filter((other) => other !== listener);
    };
  }

  #enqueue(update: Update): void {
    const key = laneOf(update);
    const lane = this.#lanes.get(key);
    if (lane !== undefined) return lane.updates.push(update);
    const opened: Lane = { key, updates: new Fifo(), attempts: 0 };
    opened.updates.push(update);
    this.#lanes.set(key, opened);
    this.#makeReady(opened);
  }

  #makeReady(lane: Lane): void {
    this.#ready.push(lane);
    this.#goOn();
  }

  /** Delivers for as many lanes as may be under way. */
  #goOn(): void {
    while (this.#ready.size > 0 && this.#underWay < this.settings.maxConnections) {
      void this.#deliver(this.#ready.shift() as Lane);
    }
  }

  async #deliver(lane: Lane): Promise<void> {
    const update = this.#nextOf(lane);
    if (update === undefined) return void this.#lanes.delete(lane.key);
    this.#underWay += 1;
    lane.attempts += 1;
    const result = await this.#world.carrier(this.#bot, this.settings, update, this.#closing.signal);
    this.#underWay -= 1;
    this.#note(update, lane.attempts, result);
    if (this.#closing.signal.aborted) return;
    if (result.isConfirmed) this.#confirm(lane, update);
    else this.#postpone(lane, result);
  }

  /** The oldest update that is still to be confirmed: some may have expired. */
  #nextOf(lane: Lane): Update | undefined {
    const { updates } = lane;
    for (let update = updates.peek(); update !== undefined; update = updates.peek()) {
      if (this.#bot.queue.has(update.update_id)) return update;
      updates.shift();
      lane.attempts = 0;
    }
    return undefined;
  }

  #confirm(lane: Lane, { update_id }: Update): void {
    lane.updates.shift();
    lane.attempts = 0;
    this.#bot.queue.confirm(update_id);
    this.#makeReady(lane);
  }

  #postpone(lane: Lane, { error = "Connection failed", retryAfter }: DeliveryResult): void {
    this.#lastError = { date: this.#world.date, message: error };
    const delay = Math.min(FIRST_DELAY * 2 ** (lane.attempts - 1), LAST_DELAY) * (1 + this.#world.random());
    const cancel = this.#world.clock.after(retryAfter ?? delay, () => this.#retry(lane));
    this.#waiting.set(lane, cancel);
    for (const listener of this.#retryListeners.splice(0)) listener();
    this.#goOn();
  }

  #retry(lane: Lane): void {
    this.#waiting.delete(lane);
    this.#makeReady(lane);
  }

  #note(update: Update, attempt: number, { isConfirmed, status, error, fault }: DeliveryResult): void {
    const { update_id, ...content } = update;
    const { chat, user } = placeOf(content);
    this.#world.transcript.add({
      type: "delivery",
      bot: this.#bot.user.username,
      updateId: update_id,
      attempt,
      chat: chat?.id,
      user: user?.id,
      ok: isConfirmed,
      ...(status !== undefined && { status }),
      ...(error !== undefined && { error }),
      ...(fault !== undefined && { fault }),
    });
  }
}

function laneOf(update: Update): string {
  const { update_id, ...content } = update;
  const { chat, user } = placeOf(content);
  if (chat !== undefined) return `chat ${chat.id}`;
  return user === undefined ? `update ${update_id}` : `user ${user.id}`;
}
