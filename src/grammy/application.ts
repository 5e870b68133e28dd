import { AsyncLocalStorage } from "node:async_hooks";
import type { Update } from "@grammyjs/types";
import { BotError, type Bot, type webhookCallback } from "grammy";
import { systemClock } from "../engine/clock.ts";
import { Engine, type TransactionKeys } from "../engine/engine.ts";
import { consoleLogger, type Logger } from "../engine/logger.ts";
import { Reporter, type ErrorListener } from "../engine/reporter.ts";
import { PerdureError, isPerdureError } from "../errors.ts";
import type { AtomicPersistence, FailedUpdate } from "../persistence/atomic-persistence.ts";
import { botIdOf, requireNoMiddleware } from "./bot-checks.ts";
import { bindUnit, type AnyPersistentContext, type KeptOf } from "./context.ts";
import { InFlight } from "./in-flight.ts";
import { Lifetime } from "./lifetime.ts";
import { liveBot } from "./live-bot.ts";
import { resolveOptions, type ApplicationOptions, type ResolvedOptions } from "./options.ts";
import { PollingGate, type OpenLifetime } from "./polling-gate.ts";
import { PollingLoop, type AppPollingOptions } from "./polling-loop.ts";
import { onStopSignal } from "./stop-signals.ts";
import { transactionOf, type Transaction } from "./transaction.ts";
import { makeWebhookCallback, onWebhookCallback, type AppWebhookOptions } from "./webhooks.ts";

/** So many updates of an earlier run are in memory at the same time when they are replayed for webhooks. */
const MOST_REPLAYED = 1000;

/** How {@link Application.run} gets updates. */
export interface RunOptions {
  /** Options of polling, those of `bot.start()`. */
  polling?: AppPollingOptions | undefined;
}

/**
 * Makes a bot persistent: everything that one update's handlers change becomes durable together with the fact that the
 * update is done, or not at all.
 *
 * `new Application(bot, options)` installs itself on the bot, before any middleware. Then `app.run()`, `bot.start()`, the
 * runner and `webhookCallback` work, each with the same guarantees.
 */
export class Application<C extends AnyPersistentContext> {
  readonly bot: Bot<C>;
  readonly persistence: AtomicPersistence;
  readonly #hooks: Pick<ApplicationOptions<unknown, Application<C>>, "postInit" | "postStop" | "postShutdown">;
  readonly #resolved: ResolvedOptions;
  readonly #logger: Logger;
  readonly #reporter: Reporter;
  /** Set in the functions of the options: what they call must not wait for what waits for them. */
  readonly #inHook = new AsyncLocalStorage<Lifetime | undefined>();
  #lifetime: Lifetime | undefined;
  /** The last one: after its end it still knows which updates are in the inbox and may be left there. */
  #engine: Engine | undefined;
  #replaying: Promise<void> | undefined;
  #loop: PollingLoop<C> | undefined;
  #isShutDown = false;

  /** Throws `PERDURE_INVALID_OPTION`, and `PERDURE_HAS_MIDDLEWARE` when the bot has middleware already. */
  constructor(bot: Bot<C>, options: ApplicationOptions<KeptOf<C>, Application<C>>) {
    this.#resolved = resolveOptions(options);
    this.#logger = options.logger ?? consoleLogger;
    this.#reporter = new Reporter(this.#logger);
    this.bot = bot;
    this.persistence = options.persistence;
    this.#hooks = options;
    requireNoMiddleware(bot);
    this.#install();
  }

  /**
   * Opens the persistence and calls `postInit`. Called by whatever uses the bot first; call it yourself to do it earlier.
   * Called again or at the same time, it is one opening. Rejects with the persistence's error, and may then be called again.
   */
  async initialize(): Promise<void> {
    await this.#open(true).opened();
  }

  /**
   * Begins to poll. Resolves when Telegram has answered. Rejects with `PERDURE_LIFE_CYCLE` when it runs already. What ends
   * the polling later, other than {@link Application.stop}, goes to {@link Application.onError}.
   */
  async start(options: AppPollingOptions = {}): Promise<void> {
    const report = (error: unknown): void => this.#reporter.report(error);
    const loop = this.#newLoop(options, report);
    await this.#begin(loop);
    void loop.run().catch(report);
  }

  /**
   * Fetches no more updates, waits up to `stopTimeout` for handlers that run, commits what is complete and calls
   * `postStop`. What is not complete stays in the inbox. Called again, it is one stop; before the start, it does nothing.
   * In a handler or in a function of the options it resolves at once, since it waits for those. After it comes
   * {@link Application.shutdown}.
   */
  async stop(): Promise<void> {
    await this.#unlessInside(this.#lifetime?.stop());
  }

  /**
   * Stops if need be, closes the persistence and calls `postShutdown`. Then nothing opens it by itself; `initialize`,
   * `start`, `run` and `bot.start` begin anew. In a handler it resolves at once, as `stop` does.
   */
  async shutdown(): Promise<void> {
    const lifetime = this.#lifetime;
    const closing = lifetime?.close().finally(() => {
      if (this.#lifetime === lifetime) this.#lifetime = undefined;
    });
    await this.#unlessInside(closing);
  }

  /**
   * Runs the bot by polling until SIGINT or SIGTERM, {@link Application.stop}, or an error after which it cannot go on,
   * which it rejects with: a persistence that does not open, a wrong token, a second poller, or a handler's error that
   * `bot.catch` did not take. Then stops and shuts down. A second signal ends the process at once, and loses nothing.
   */
  async run(options: RunOptions = {}): Promise<void> {
    const failures: unknown[] = [];
    const fail = (error: unknown): void => void failures.push(error);
    const loop = this.#newLoop(options.polling ?? {}, fail);
    const quit = onStopSignal((signal) => {
      this.#logger.info(`${signal}: stopping.`);
      this.stop().catch(fail);
    });
    try {
      await this.#begin(loop);
      await loop.run();
    } catch (error) {
      // A stop while it was still opening is no failure.
      if (!isPerdureError(error, "PERDURE_STOPPED")) fail(error);
    }
    await this.shutdown().catch(fail).finally(quit);
    const [first, ...others] = new Set(failures);
    for (const other of others) this.#reporter.report(other);
    if (failures.length > 0) throw first;
  }

  /**
   * A callback for a web framework, as grammY's `webhookCallback` makes one. By default it answers as soon as the update is
   * in the inbox. What an earlier run left in the inbox begins to run at once, so call this after the last handler is
   * registered. The errors of handlers go to `bot.catch`, and what that throws to {@link Application.onError}.
   */
  webhookCallback(
    adapter: Parameters<typeof webhookCallback>[1],
    options: AppWebhookOptions = {},
  ): ReturnType<typeof webhookCallback> {
    return makeWebhookCallback(this.bot, adapter, options, {
      accept: async (update) => {
        const lifetime = this.#open(false);
        const engine = await lifetime.opened();
        return engine.inbox.accept([update], [lifetime.stopping]);
      },
      handle: (update) => this.#handleAlone(update),
    });
  }

  /**
   * Does something outside of an update as one unit of work: it has the turns of these chats and users, and all that `run`
   * changes is committed together, or nothing if it throws. Opens the application if need be. Rejects with what `run`
   * throws, with `PERDURE_NESTED` in a handler, with `PERDURE_STOPPED` once it stops, with `PERDURE_CLOSED` after that.
   *
   * It replaces PTB's `application.chat_data[id]` and `mark_data_for_update_persistence`.
   */
  async transaction<T>(keys: TransactionKeys, run: (tx: Transaction<KeptOf<C>>) => T | Promise<T>): Promise<T> {
    const engine = await this.#open(false).opened();
    return engine.transaction(keys, async (unit) => run(transactionOf(engine, unit, this.bot.api)));
  }

  /** The ids of the chats that have data, in ascending order, read page by page: for broadcasts. */
  chatIds(): AsyncGenerator<number> {
    return this.#ids("chat");
  }

  /** The ids of the users that have data, likewise. */
  userIds(): AsyncGenerator<number> {
    return this.#ids("user");
  }

  /** The updates that were run `maxAttempts` times and never finished. They are kept, and not run again. */
  async failedUpdates(): Promise<readonly FailedUpdate[]> {
    const engine = await this.#open(false).opened();
    return engine.failedUpdates();
  }

  /**
   * Hears errors that have no context: a persistence that fails for now, a call after a commit, an update that was set
   * aside, what `bot.catch` throws where nobody waits for it. By default they are logged.
   */
  onError(listener: ErrorListener): void {
    this.#reporter.onError(listener);
  }

  async *#ids(scope: "chat" | "user"): AsyncGenerator<number> {
    const engine = await this.#open(false).opened();
    yield* engine.ids(scope);
  }

  #install(): void {
    const { bot } = this;
    bot.api.config.use(this.#gate().transformer);
    const init = bot.init.bind(bot);
    // The runner and webhooks begin with this; a persistence that does not open must fail them, not be retried in silence.
    bot.init = async (signal) => {
      await this.#open(false).opened();
      await init(signal);
    };
    onWebhookCallback(bot, () => void this.#replay());
    bot.use(async (ctx, next) => {
      const known = this.#lifetime === undefined ? this.#engine : this.#lifetime.ready;
      const engine = known ?? (await this.#open(false).opened());
      await engine.handle(ctx.update, async (unit) => {
        bindUnit(ctx, unit);
        await next();
      });
    });
  }

  #gate(): PollingGate {
    return new PollingGate({
      open: (isBeginning) => this.#open(isBeginning),
      isBeginning: () => (this.bot.isRunning() || this.#loop !== undefined) && this.#engine?.isInUnit !== true,
      current: () => this.#lifetime,
    });
  }

  /** Waits for a stop, unless the stop waits for the caller. */
  async #unlessInside(stopping: Promise<void> | undefined): Promise<void> {
    const isInside = this.#engine?.isInPassage === true || this.#inHook.getStore() !== undefined;
    if (!isInside) return stopping;
    stopping?.catch((error: unknown) => this.#reporter.report(error));
  }

  /** The lifetime that there is, or a new one. After a shutdown only what begins a bot may open it. */
  #open(isBeginning: boolean): OpenLifetime {
    const inHook = this.#inHook.getStore();
    if (inHook?.engine !== undefined && inHook === this.#lifetime) return alreadyOpen(inHook, inHook.engine);
    if (this.#lifetime !== undefined) {
      if (isBeginning && this.#lifetime.stopping.aborted) throw runningAlready();
      return this.#lifetime;
    }
    if (this.#isShutDown && !isBeginning) throw shutDown();
    this.#isShutDown = false;
    const lifetime = new Lifetime({
      open: (opening) => this.#openPersistence(opening),
      stop: (engine) => this.#stopEngine(engine),
      close: () => this.#closePersistence(),
    });
    this.#lifetime = lifetime;
    lifetime.opened().catch(() => {
      if (this.#lifetime === lifetime) this.#lifetime = undefined;
    });
    return lifetime;
  }

  async #openPersistence(lifetime: Lifetime): Promise<Engine> {
    const { persistence, bot } = this;
    // The lifetime is not complete before this function first waits.
    await Promise.resolve();
    const signal = lifetime.stopping;
    await persistence.open({ botId: botIdOf(bot.token), now: () => systemClock.now(), signal });
    try {
      const engine = new Engine({
        persistence,
        live: liveBot(bot, this.#logger),
        clock: systemClock,
        reporter: this.#reporter,
        onReplayNeeded: () => void this.#replay(),
        ...this.#resolved,
      });
      await engine.load([signal]);
      lifetime.engine = engine;
      this.#engine = engine;
      await this.#inHook.run(lifetime, async () => this.#hooks.postInit?.(this));
      return engine;
    } catch (error) {
      lifetime.engine = undefined;
      this.#engine = undefined;
      await persistence.close();
      throw error;
    }
  }

  async #stopEngine(engine: Engine): Promise<void> {
    const loop = this.#loop;
    loop?.stop();
    if (this.bot.isRunning()) await this.bot.stop();
    const left = await engine.stop(this.#resolved.stopTimeout);
    if (left.length > 0) {
      const ids = left.map((update) => update.update_id).join(", ");
      this.#logger.warn(`Stopped while handlers were running. These updates stay in the inbox and run again: ${ids}.`);
    }
    await loop?.confirm();
    await this.#inHook.run(this.#lifetime, async () => this.#hooks.postStop?.(this));
  }

  async #closePersistence(): Promise<void> {
    this.#isShutDown = true;
    this.#loop = undefined;
    try {
      await this.persistence.close();
    } finally {
      await this.#inHook.run(this.#lifetime, async () => this.#hooks.postShutdown?.(this));
    }
  }

  #newLoop(polling: AppPollingOptions, fail: (error: unknown) => void): PollingLoop<C> {
    if (this.#loop !== undefined || this.#lifetime?.stopping.aborted === true) throw runningAlready();
    const loop: PollingLoop<C> = new PollingLoop(this.bot, {
      polling,
      clock: systemClock,
      logger: this.#logger,
      handle: (update) =>
        this.#handle(update, (error) => {
          fail(error);
          loop.stop();
        }),
    });
    this.#loop = loop;
    return loop;
  }

  async #begin(loop: PollingLoop<C>): Promise<void> {
    try {
      const lifetime = this.#open(true);
      lifetime.stopping.addEventListener("abort", () => loop.stop());
      await lifetime.opened();
      await loop.prepare();
    } catch (error) {
      this.#loop = undefined;
      throw error;
    }
  }

  /** Like `bot.start()`: a handler's error is for `bot.catch`; what that throws, also where it was not called, is a failure. */
  async #handle(update: Update, fail: (error: unknown) => void): Promise<void> {
    try {
      await this.bot.handleUpdate(update);
    } catch (error) {
      try {
        if (!(error instanceof BotError)) throw error;
        await this.bot.errorHandler(error as BotError<C>);
      } catch (failure) {
        fail(failure);
      }
    }
  }

  /** Handles an update that no poller and no request waits for. */
  #handleAlone(update: Update): Promise<void> {
    return this.#handle(update, (error) => {
      this.#reporter.report(error instanceof BotError ? error.error : error, { update });
    });
  }

  /** Runs, for a bot that does not poll, what an earlier run left in the inbox. */
  #replay(): Promise<void> {
    this.#replaying ??= this.#replayAll()
      .catch((error: unknown) => {
        const isOver = isPerdureError(error, "PERDURE_STOPPED") || isPerdureError(error, "PERDURE_CLOSED");
        if (!isOver) this.#reporter.report(error);
      })
      .finally(() => {
        this.#replaying = undefined;
      });
    return this.#replaying;
  }

  async #replayAll(): Promise<void> {
    await this.bot.init();
    const lifetime = this.#open(false);
    const engine = await lifetime.opened();
    const inFlight = new InFlight(MOST_REPLAYED);
    for (;;) {
      const updates = await engine.inbox.replay(100, [lifetime.stopping]);
      if (updates.length === 0) return;
      for (const update of updates) inFlight.add(this.#handleAlone(update));
      await inFlight.room(lifetime.stopping);
    }
  }
}

/** The lifetime to those who must not wait for its opening, since it waits for them. */
function alreadyOpen({ stopping }: Lifetime, engine: Engine): OpenLifetime {
  return { stopping, opened: () => Promise.resolve(engine) };
}

function runningAlready(): PerdureError {
  return new PerdureError(
    "PERDURE_LIFE_CYCLE",
    "This application is running already. It can begin anew after shutdown().",
  );
}

function shutDown(): PerdureError {
  return new PerdureError(
    "PERDURE_CLOSED",
    "The application was shut down, and initialize() was not called again. An update that comes now is not accepted, so " +
      "Telegram delivers it again.",
  );
}
