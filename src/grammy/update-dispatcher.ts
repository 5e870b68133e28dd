import type { Update } from "@grammyjs/types";
import { BotError, type Bot, type Context } from "grammy";
import type { Reporter } from "../engine/reporter.ts";

/** Hands updates to the bot as `bot.start()` does: the errors of handlers are for `bot.catch`, also those that come late. */
export class UpdateDispatcher<C extends Context> {
  readonly #bot: Bot<C>;
  readonly #reporter: Reporter;
  /** The updates whose requests are answered when they are done. */
  readonly #awaited = new WeakSet<Update>();

  constructor(bot: Bot<C>, reporter: Reporter) {
    this.#bot = bot;
    this.#reporter = reporter;
  }

  /** Handles an update. What `bot.catch` throws, also where it was not called, is a failure. Never rejects. */
  async dispatch(update: Update, fail: (error: unknown) => void): Promise<void> {
    try {
      await this.#bot.handleUpdate(update);
    } catch (error) {
      try {
        if (!(error instanceof BotError)) throw error;
        await this.#bot.errorHandler(error as BotError<C>);
      } catch (failure) {
        fail(failure);
      }
    }
  }

  /**
   * Handles an update that no poller waits for; failures are reported. Resolves when it has ended or, unless a request awaits its end, has given
   * up its turn. Never rejects.
   */
  dispatchAlone(update: Update, { isAwaited }: { readonly isAwaited: boolean }): Promise<void> {
    if (isAwaited) this.#awaited.add(update);
    return this.dispatch(update, (error) => this.#report(error, update));
  }

  /** Hears the error of a handler that nobody waits for any more; `undefined` where a request awaits the update's end. */
  lateErrorsOf(ctx: C): ((error: unknown) => void) | undefined {
    return this.#awaited.has(ctx.update) ? undefined : (error) => void this.#catchLate(new BotError(error, ctx));
  }

  async #catchLate(error: BotError<C>): Promise<void> {
    try {
      await this.#bot.errorHandler(error);
    } catch (failure) {
      this.#report(failure, error.ctx.update);
    }
  }

  #report(failure: unknown, update: Update): void {
    this.#reporter.report(failure instanceof BotError ? failure.error : failure, { update });
  }
}
