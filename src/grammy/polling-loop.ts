import type { Update } from "@grammyjs/types";
import { GrammyError, type Bot, type Context, type PollingOptions } from "grammy";
import type { Clock } from "../engine/clock.ts";
import type { Logger } from "../engine/logger.ts";
import { wait } from "../engine/retry.ts";
import { InFlight } from "./in-flight.ts";

/** Options of polling, those of `bot.start()`. */
export type AppPollingOptions = Pick<PollingOptions, "allowed_updates" | "drop_pending_updates" | "limit" | "timeout">;

/** The pauses after a failed call, in milliseconds: the first, doubled each time, up to the last. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5000;

/** The codes after which Telegram will not answer otherwise: a wrong token, and another process that polls. */
const FINAL_CODES: ReadonlySet<number> = new Set([401, 404, 409]);

/** What a loop needs of the application. */
export interface PollingLoopOptions {
  readonly polling: AppPollingOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Handles one update, errors included. */
  readonly handle: (update: Update) => Promise<void>;
}

/** Fetches updates and hands each to the bot at once; which of them run, and in which order, the engine decides. */
export class PollingLoop<C extends Context> {
  readonly #bot: Bot<C>;
  readonly #options: PollingLoopOptions;
  readonly #stopping = new AbortController();
  readonly #inFlight = new InFlight();

  constructor(bot: Bot<C>, options: PollingLoopOptions) {
    this.#bot = bot;
    this.#options = options;
  }

  /** Does what `bot.start()` does before it polls. Resolves early when the loop is stopped meanwhile. */
  async prepare(): Promise<void> {
    const { drop_pending_updates } = this.#options.polling;
    await this.#persist("getMe", () => this.#bot.init(this.#signal));
    await this.#persist("deleteWebhook", () =>
      this.#bot.api.deleteWebhook(drop_pending_updates === undefined ? {} : { drop_pending_updates }, this.#signal),
    );
  }

  /** Polls until {@link PollingLoop.stop}. Rejects when polling cannot go on. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const updates = await this.#fetch();
      for (const update of updates ?? []) this.#inFlight.add(this.#options.handle(update));
      await this.#inFlight.room(this.#stopping.signal);
    }
  }

  /** Fetches no more. Called again, it does nothing. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Tells Telegram what has been accepted, with the last call of a poller (see `PollingGate`). */
  async confirm(): Promise<void> {
    await this.#bot.api.getUpdates({ limit: 1 });
  }

  async #fetch(): Promise<Update[] | undefined> {
    const { limit = 100, timeout = 30, allowed_updates } = this.#options.polling;
    return this.#persist("getUpdates", () =>
      this.#bot.api.getUpdates(
        { limit, timeout, ...(allowed_updates === undefined ? {} : { allowed_updates }) },
        this.#signal,
      ),
    );
  }

  /** Calls Telegram until it answers. `undefined` when the loop was stopped meanwhile. */
  async #persist<T>(method: string, call: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#stopping;
    for (let pause = FIRST_PAUSE; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        return await call();
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!mayWork(error)) throw error;
        const rest = retryAfter(error) ?? pause;
        this.#options.logger.warn(`${method} failed, next try in ${rest} ms.`, error);
        await wait(rest, this.#options.clock, [signal]);
      }
    }
    return undefined;
  }

  /** grammY types its signals by a polyfill that is narrower than Node's own. */
  get #signal(): never {
    return this.#stopping.signal as never;
  }
}

function mayWork(error: unknown): boolean {
  if (error instanceof GrammyError) return !FINAL_CODES.has(error.error_code);
  // grammY's HttpError: the network. Everything else is an error of ours, such as a file that cannot be opened.
  return error instanceof Error && error.name === "HttpError";
}

function retryAfter(error: unknown): number | undefined {
  const seconds = error instanceof GrammyError ? error.parameters.retry_after : undefined;
  return seconds === undefined ? undefined : seconds * 1000;
}
