import type { Update } from "@grammyjs/types";
import { conflict, type TelegramError } from "../telegram-error.ts";
import type { BotAccount } from "./bot-account.ts";
import type { Clock } from "./clock.ts";

/** What a getUpdates call asks for. `timeout` in seconds. */
export interface PollRequest {
  readonly offset: number;
  readonly limit: number;
  readonly timeout: number;
}

/** A getUpdates call that waits for an update. */
export class LongPoll {
  readonly #bot: BotAccount;
  readonly #request: PollRequest;
  readonly #resolve: (updates: Update[]) => void;
  readonly #reject: (error: TelegramError) => void;
  readonly #stopTimer: () => void;
  #wakeup: NodeJS.Immediate | undefined;

  /**
   * Waits until an update is there, the timeout has passed, the client is gone, or another poll waits. A second poll
   * that has to wait ends the first with 409; one that is answered at once does not (as the official server).
   */
  static wait(clock: Clock, bot: BotAccount, request: PollRequest, signal: AbortSignal): Promise<Update[]> {
    if (signal.aborted) return Promise.resolve([]);
    bot.longPoll?.fail(
      conflict("terminated by other getUpdates request; make sure that only one bot instance is running"),
    );
    return new Promise((resolve, reject) => {
      const poll = new LongPoll(clock, bot, request, resolve, reject);
      bot.longPoll = poll;
      bot.queue.onPush(() => poll.#wake());
      signal.addEventListener("abort", () => poll.#end([]), { once: true });
    });
  }

  constructor(
    clock: Clock,
    bot: BotAccount,
    request: PollRequest,
    resolve: (updates: Update[]) => void,
    reject: (error: TelegramError) => void,
  ) {
    this.#bot = bot;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#stopTimer = clock.after(request.timeout * 1000, () => this.#end([]));
  }

  /** Ends this poll with an error. */
  fail(error: TelegramError): void {
    this.#close();
    this.#reject(error);
  }

  /** Answers in the next turn of the event loop, so that updates that come together are handed out together. */
  #wake(): void {
    this.#wakeup ??= setImmediate(() => {
      this.#wakeup = undefined;
      const updates = this.#bot.queue.take(this.#request.offset, this.#request.limit);
      if (updates.length > 0) this.#end(updates);
    });
  }

  #end(updates: Update[]): void {
    this.#close();
    this.#resolve(updates);
  }

  #close(): void {
    this.#stopTimer();
    clearImmediate(this.#wakeup);
    if (this.#bot.longPoll !== this) return;
    this.#bot.longPoll = undefined;
    this.#bot.queue.onPush(undefined);
  }
}
