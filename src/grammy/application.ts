import type { Bot, Composer, Context } from "grammy";
import { systemClock } from "../engine/clock.ts";
import { Engine } from "../engine/engine.ts";
import { consoleLogger, type Logger } from "../engine/logger.ts";
import { Reporter, type ErrorListener } from "../engine/reporter.ts";
import { PerdureError } from "../errors.ts";
import type { AtomicPersistence } from "../persistence/atomic-persistence.ts";
import { bindUnit, type AnyPersistentContext, type KeptOf } from "./context.ts";
import { liveBot } from "./live-bot.ts";
import { resolveOptions, type ApplicationOptions, type ResolvedOptions } from "./options.ts";
import { PollingGate } from "./polling-gate.ts";
import { PollingLoop, type AppPollingOptions } from "./polling-loop.ts";
import { onStopSignal } from "./stop-signals.ts";

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
  #opening: Promise<Engine> | undefined;
  #engine: Engine | undefined;
  #loop: PollingLoop<C> | undefined;
  #polling: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
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
    await this.#open();
  }

  /** Begins to poll. Resolves when Telegram has answered. Rejects with `PERDURE_LIFE_CYCLE` when it polls already. */
  async start(options: AppPollingOptions = {}): Promise<void> {
    this.#requireIdle();
    const loop = new PollingLoop(this.bot, { polling: options, clock: systemClock, logger: this.#logger });
    this.#loop = loop;
    try {
      await this.#open();
      await loop.prepare();
      this.#polling = loop.run();
      // Whoever waits for the end hears of the failure; nobody has to.
      this.#polling.catch(() => {});
    } catch (error) {
      this.#loop = undefined;
      throw error;
    }
  }

  /**
   * Fetches no more updates, waits up to `stopTimeout` for handlers that run, commits what is complete and calls
   * `postStop`. What is not complete stays in the inbox. Called again, it is one stop; before the start, it does nothing.
   * A handler must not wait for it, since it waits for the handler. After it comes {@link Application.shutdown}.
   */
  stop(): Promise<void> {
    if (this.#opening === undefined) return Promise.resolve();
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Stops if need be, closes the persistence and calls `postShutdown`. Then `initialize` may begin anew. */
  async shutdown(): Promise<void> {
    await this.stop();
    if (this.#opening === undefined) return;
    await this.#opening.catch(() => {});
    this.#opening = undefined;
    this.#engine = undefined;
    this.#stopping = undefined;
    this.#loop = undefined;
    this.#isShutDown = true;
    await this.persistence.close();
    await this.#hooks.postShutdown?.(this);
  }

  /**
   * Runs the bot by polling until SIGINT or SIGTERM, {@link Application.stop}, or an error after which it cannot go on,
   * which it rejects with: a persistence that does not open, a wrong token, a second poller, or a handler's error that
   * `bot.catch` did not take. Then stops and shuts down. A second signal ends the process at once, and loses nothing.
   */
  async run(options: RunOptions = {}): Promise<void> {
    this.#requireIdle();
    const quit = onStopSignal((signal) => {
      this.#logger.info(`${signal}: stopping.`);
      this.#loop?.stop();
    });
    let loop: PollingLoop<C> | undefined;
    try {
      await this.start(options.polling);
      loop = this.#loop;
      await this.#polling;
    } finally {
      await this.shutdown().finally(quit);
    }
    loop?.throwFailure();
  }

  /** Hears errors that have no context: a persistence that fails for now, a call after a commit. By default they are logged. */
  onError(listener: ErrorListener): void {
    this.#reporter.onError(listener);
  }

  #install(): void {
    const { bot } = this;
    bot.api.config.use(new PollingGate(() => this.#open()).transformer);
    const init = bot.init.bind(bot);
    // The runner and webhooks begin with this; a persistence that does not open must fail them, not be retried in silence.
    bot.init = async (signal) => {
      await this.#open();
      await init(signal);
    };
    bot.use(async (ctx, next) => {
      if (this.#isShutDown) throw shutDown();
      const engine = this.#engine ?? (await this.#open());
      await engine.handle(ctx.update, async (unit) => {
        bindUnit(ctx, unit);
        await next();
      });
    });
  }

  #requireIdle(): void {
    if (this.#loop === undefined && this.#stopping === undefined) return;
    throw new PerdureError(
      "PERDURE_LIFE_CYCLE",
      "This application is running already. Call shutdown() before it starts anew.",
    );
  }

  #open(): Promise<Engine> {
    this.#isShutDown = false;
    this.#opening ??= this.#openNow().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openNow(): Promise<Engine> {
    const { persistence, bot } = this;
    await persistence.open({ botId: botIdOf(bot.token), now: () => systemClock.now() });
    try {
      const { schema, concurrency, onHandlerError } = this.#resolved;
      const live = liveBot(bot, this.#logger);
      const reporter = this.#reporter;
      const engine = new Engine({
        persistence,
        schema,
        live,
        clock: systemClock,
        reporter,
        concurrency,
        onHandlerError,
      });
      await this.#hooks.postInit?.(this);
      this.#engine = engine;
      return engine;
    } catch (error) {
      await persistence.close();
      throw error;
    }
  }

  async #stop(): Promise<void> {
    const loop = this.#loop;
    loop?.stop();
    if (this.bot.isRunning()) await this.bot.stop();
    const engine = await this.#opening?.catch(() => undefined);
    if (engine === undefined) return;
    const left = await engine.stop(this.#resolved.stopTimeout);
    if (left.length > 0) {
      const ids = left.map((update) => update.update_id).join(", ");
      this.#logger.warn(`Stopped while handlers were running. These updates stay in the inbox and run again: ${ids}.`);
    }
    await loop?.confirm();
    await this.#hooks.postStop?.(this);
  }
}

function shutDown(): PerdureError {
  return new PerdureError(
    "PERDURE_STOPPED",
    "The application was shut down. The update was not accepted, so Telegram sends it again.",
  );
}

/** Middleware above the application would run outside of the unit of work. */
function requireNoMiddleware<C extends Context>(bot: Bot<C>): void {
  // Without middleware, all composers of one copy of grammY have the same handler. Take the bot's own copy.
  const owner = ownerOf(Object.getPrototypeOf(bot) as object, "middleware");
  const empty = new (owner.constructor as typeof Composer<C>)().middleware();
  if (bot.middleware() === empty) return;
  throw new PerdureError(
    "PERDURE_HAS_MIDDLEWARE",
    "The bot has middleware already. It would run outside of the update's transaction. " +
      "Create the Application right after the Bot, before bot.use, bot.command and bot.on.",
  );
}

function ownerOf(prototype: object, method: string): object {
  return Object.hasOwn(prototype, method) ? prototype : ownerOf(Object.getPrototypeOf(prototype) as object, method);
}

function botIdOf(token: string): number {
  const id = Number(token.split(":", 1)[0]);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new PerdureError(
    "PERDURE_INVALID_OPTION",
    "The bot's token does not begin with the bot's id and a colon. Check it.",
  );
}
