import { AsyncLocalStorage } from "node:async_hooks";
import type { CallbackQuery, Update } from "@grammyjs/types";
import { BotError, type Bot, type Context, type NextFunction, type StorageAdapter, type webhookCallback } from "grammy";
import { CallbackData } from "../callback-data/callback-data.ts";
import { Collection } from "../collection/collection.ts";
import { Entries } from "../collection/entries.ts";
import { TimeoutJobs } from "../conversation/timeout-jobs.ts";
import type { LiveObjects } from "../data/codec.ts";
import { isKeptText } from "../data/kept-text.ts";
import type { KeptTypes } from "../data/kept-types.ts";
import type { TransactionKeys } from "../engine/assignments.ts";
import { Engine } from "../engine/engine.ts";
import { consoleLogger, type Logger } from "../engine/logger.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { Reporter, type ErrorListener } from "../engine/reporter.ts";
import { PerdureError, isPerdureError } from "../errors.ts";
import { isInternal } from "../jobs/internal.ts";
import { JobDefinitions } from "../jobs/job-definitions.ts";
import type { JobHost } from "../jobs/job-host.ts";
import { JobQueue } from "../jobs/job-queue.ts";
import { JobRunner } from "../jobs/job-runner.ts";
import type { FailedUpdate } from "../persistence/atomic-persistence.ts";
import type { BasePersistence } from "../persistence/base-persistence.ts";
import { HostedPersistence } from "../persistence/hosted-persistence.ts";
import { botIdOf, requireNoMiddleware } from "./bot-checks.ts";
import { bindUnit, type AnyPersistentContext, type KeptOf } from "./context.ts";
import { DataButtons } from "./callback-data/data-buttons.ts";
import type { ConversationHandler } from "./conversation/conversation-handler.ts";
import { ConversationMaker } from "./conversation/conversation-maker.ts";
import type { ConversationOptions, StateIn } from "./conversation/conversation-options.ts";
import type { UncheckedOptions } from "./conversation/resolve-conversation.ts";
import { InFlight } from "./in-flight.ts";
import { jobContextOf, type PersistentJobQueue } from "./job-context.ts";
import { Lifetime } from "./lifetime.ts";
import { liveBot } from "./live-bot.ts";
import { migrationOf, type MigrateChatData } from "./migrate-chat-data.ts";
import { resolveOptions, type ApplicationOptions, type ResolvedOptions } from "./options.ts";
import { PollingGate, type OpenLifetime } from "./polling-gate.ts";
import { PollingLoop, type AppPollingOptions } from "./polling-loop.ts";
import { onStopSignal } from "./stop-signals.ts";
import { storageAdapterOf } from "./storage-adapter.ts";
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
  /** The persistence that the application was given. */
  readonly persistence: BasePersistence<KeptOf<C>> | BasePersistence;
  /** Jobs: what the bot does at a later time. They run when the bot gets updates, in whatever way, or after `jobQueue.start()`. */
  readonly jobQueue: PersistentJobQueue<KeptOf<C>>;
  readonly #hooks: Pick<ApplicationOptions<KeptTypes, Application<C>>, "postInit" | "postStop" | "postShutdown">;
  readonly #resolved: ResolvedOptions;
  readonly #logger: Logger;
  readonly #reporter: Reporter;
  readonly #hosted: HostedPersistence;
  readonly #live: LiveObjects;
  readonly #gate: PollingGate = this.#newGate();
  readonly #buttons: DataButtons<C>;
  readonly #collections = new Map<string, Entries>();
  readonly #jobs = new JobDefinitions();
  readonly #conversations: ConversationMaker<C>;
  /** The updates whose requests are answered when they are done. */
  readonly #awaited = new WeakSet<Update>();
  /** Set in the functions of the options: what they call must not wait for what waits for them. */
  readonly #inHook = new AsyncLocalStorage<Lifetime | undefined>();
  #lifetime: Lifetime | undefined;
  /** The last one: after its end it still knows which updates are in the inbox and may be left there. */
  #engine: Engine | undefined;
  #jobRunner: JobRunner | undefined;
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
    this.#live = liveBot(bot, this.#logger);
    this.#hosted = new HostedPersistence(options.persistence as BasePersistence, {
      clock: this.#resolved.clock,
      onError: (error) => this.#reporter.report(error),
    });
    this.#buttons = new DataButtons(this.#newCallbackData(), {
      logger: this.#logger,
      onInvalid: options.onInvalidCallbackData as ((ctx: C) => unknown) | undefined,
    });
    options.persistence.setBot(bot, this.#live);
    this.jobQueue = new JobQueue(this.#jobs, this.#jobHost, (run) => jobContextOf(run, this as never));
    this.#conversations = this.#newConversationMaker();
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
        const free = await engine.inbox.accept([update], [lifetime.stopping]);
        // It was left to the replay, which nobody may have begun: `drop_pending_updates` makes one necessary.
        if (engine.inbox.isReplaying) void this.#replay();
        return { free, durable: () => engine.inbox.sync([lifetime.stopping]) };
      },
      handle: (update, acknowledge) => {
        if (acknowledge === "done") this.#awaited.add(update);
        return this.#handleAlone(update);
      },
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
    return engine.transaction(keys, async (unit) =>
      run(transactionOf(engine, unit, { api: this.bot.api, jobQueue: this.jobQueue })),
    );
  }

  /**
   * Named records of the bot's own, beside the data of chats, users and the bot. Asked for the same name again, it gives the same
   * records. In a handler they belong to its update; elsewhere each call is a commit of its own.
   */
  collection<T>(name: string): Collection<T> {
    return new Collection(this.#entries(name));
  }

  /**
   * A conversation in steps, python-telegram-bot's `ConversationHandler`: middleware for `bot.use`. Which context its handlers get is known here, and
   * its states are the keys of `states`, so that a handler that returns another one does not compile. Throws `PERDURE_INVALID_OPTION` where the
   * options contradict each other, and for a name that is taken.
   */
  conversation<const K extends string | number, const M extends string | number = never, const P = never>(
    options: ConversationOptions<C, K, M, P>,
  ): ConversationHandler<C, StateIn<K>, P> {
    return this.#conversations.make(options as unknown as UncheckedOptions);
  }

  /**
   * A storage for grammY's `session()`, `@grammyjs/conversations` and every plugin that takes a `StorageAdapter`. What it keeps in a
   * handler belongs to the update's commit. It is the collection with this name.
   */
  storageAdapter<T>(name: string): StorageAdapter<T> {
    return storageAdapterOf<T>(this.#entries(name));
  }

  /**
   * Removes a chat's data (PTB statements 102, 103). In a handler it is a part of the update: it waits for other updates of that
   * chat, what is written to its data later counts, and nothing is removed if the handler fails. Elsewhere it is a commit of its
   * own. For an unknown id it does nothing.
   */
  dropChatData(chatId: number): Promise<void> {
    return this.#joining((engine) => engine.drop("chat", requireId(chatId)));
  }

  /** Removes a user's data, likewise. */
  dropUserData(userId: number): Promise<void> {
    return this.#joining((engine) => engine.drop("user", requireId(userId)));
  }

  /**
   * Removes all that is kept under the user's id: the user's data and the data of the private chat with the user. Likewise a
   * part of the update, or a commit of its own. Entries of collections are yours to remove: `app.transaction` makes it one commit.
   */
  forgetUser(userId: number): Promise<void> {
    return this.#joining((engine) => engine.forgetUser(requireId(userId)));
  }

  /**
   * Moves what is kept for one chat to another id, for which the old one stands from then on (PTB statements 104 to 106). What
   * Telegram announces is moved without this. Where both have data, the option `onMigrate` merges. A chat that has moved already is
   * not moved again. Throws a `TypeError` for anything but a pair of ids or a message that announces a migration.
   */
  migrateChatData(migration: MigrateChatData): Promise<void> {
    return this.#joining((engine) => engine.migrateChat(migrationOf(migration)));
  }

  /**
   * Removes the values of the keyboard that a callback query came from (PTB statement 174); `ctx.dropCallbackData()` does it for the update's own.
   * In a handler it is a part of the update, elsewhere a commit of its own. Rejects with `InvalidCallbackData` when there are none.
   */
  dropCallbackData(query: CallbackQuery): Promise<void> {
    return this.#buttons.callbackData.drop(query);
  }

  /**
   * Removes the values of all keyboards, or of those whose last use was before a moment: a `Date`, or milliseconds since 1970 (PTB statement
   * 175). Uses are noted once an hour. In a handler it is a part of the update; elsewhere it is done a hundred keyboards at a time.
   */
  clearCallbackData({ before = Infinity }: { before?: Date | number | undefined } = {}): Promise<void> {
    return this.#buttons.callbackData.clear(requireMoment(before));
  }

  /** Removes what python-telegram-bot has remembered of callback queries (PTB statement 175). Here a query carries its token, and nothing is. */
  clearCallbackQueries(): Promise<void> {
    return this.#buttons.callbackData.clearQueries();
  }

  /**
   * For an api that is not the bot's own: data buttons work in the calls of the contexts that pass through this middleware. The contexts of
   * `@grammyjs/conversations` are such: `createConversation(buy, { plugins: [app.dataButtons()] })`.
   */
  dataButtons(): (ctx: Context, next: NextFunction) => Promise<void> {
    return (ctx, next) => {
      ctx.api.config.use(this.#buttons.transformerOfApi);
      return next();
    };
  }

  /**
   * Writes now what a persistence that is written in intervals would get at the next one (PTB statement 110), and resolves when it was
   * tried. Errors go to {@link Application.onError}, and what failed is written again later. For an atomic one, it resolves when the done
   * marks that wait for the next commit are durable.
   */
  async updatePersistence(): Promise<void> {
    await (await this.#opened()).flush();
    await this.#hosted.write();
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

  /**
   * Does what belongs to the update where it is called in a handler: at once, so that a handler that does not wait for it is found.
   * Elsewhere the application is opened if need be.
   */
  #joining<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const engine = this.#engine;
    if (engine?.isInUnit !== true) return this.#opened().then(work);
    try {
      return work(engine);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #opened(): Promise<Engine> {
    return this.#open(false).opened();
  }

  get #jobHost(): JobHost {
    return {
      now: () => this.#resolved.clock.now(),
      engine: () => this.#joining(async (engine) => engine),
      unit: () => this.#engine?.current,
      join: (name, work) => this.#joining((engine) => engine.join(name, {}, work)),
      start: async () => {
        await this.#opened();
        this.#jobRunner?.start();
      },
    };
  }

  #newJobRunner(engine: Engine): JobRunner {
    const { clock, concurrency, maxAttempts } = this.#resolved;
    return new JobRunner({
      engine,
      clock,
      maxAttempts,
      reporter: this.#reporter,
      definitions: this.#jobs,
      host: this.#jobHost,
      // The other half of the slots is for updates.
      most: Math.ceil(concurrency / 2),
    });
  }

  #entries(name: string): Entries {
    if (!isKeptText(name) || name === "" || isInternal(name)) {
      throw new TypeError(
        `A collection's name is a text that does not begin with "perdure:", not ${JSON.stringify(name)}.`,
      );
    }
    const entries =
      this.#collections.get(name) ??
      new Entries(name, {
        engine: () => this.#joining(async (engine) => engine),
        join: (what, work) => this.#joining((engine) => engine.join(what, {}, work)),
      });
    this.#collections.set(name, entries);
    return entries;
  }

  #newCallbackData(): CallbackData {
    return new CallbackData(this.#resolved.callbackData, {
      botId: () => botIdOf(this.bot.token),
      isOpen: () => this.#lifetime !== undefined,
      now: () => this.#resolved.clock.now(),
      engine: () => this.#joining(async (engine) => engine),
      current: () => this.#engine?.current,
      join: (name, work) => this.#joining((engine) => engine.join(name, {}, work)),
      report: (error) => this.#reporter.report(error),
    });
  }

  async *#ids(scope: "chat" | "user"): AsyncGenerator<number> {
    const engine = await this.#open(false).opened();
    for await (const { id } of engine.records.keys(scope)) yield id;
  }

  #install(): void {
    const { bot } = this;
    bot.api.config.use(this.#gate.transformer, this.#buttons.transformer);
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
      this.#jobRunner?.start();
      const run = (unit: UnitOfWork): Promise<void> =>
        this.#buttons.handle(ctx, unit, (buttons) => {
          bindUnit(ctx, unit, this, buttons);
          return next();
        });
      const fail = (error: unknown): void => void this.#catchLate(new BotError(error, ctx));
      await engine.handle(ctx.update, run, this.#awaited.has(ctx.update) ? undefined : fail);
    });
  }

  #newConversationMaker(): ConversationMaker<C> {
    return new ConversationMaker({
      application: this,
      bot: this.bot,
      logger: this.#logger,
      timeouts: new TimeoutJobs(
        this.#jobs,
        (...run) => this.#conversations.timeOut(...run),
        (data) => this.#conversations.keyOf(data),
      ),
      isInitialized: () => this.#engine !== undefined,
      now: () => this.#resolved.clock.now(),
      chatId: (id) => this.#engine?.chatId(id) ?? id,
      join: (name, keys, work) => this.#joining((engine) => engine.join(name, keys, work)),
    });
  }

  #newGate(): PollingGate {
    return new PollingGate({
      open: (isBeginning) => this.#open(isBeginning),
      isBeginning: () => (this.bot.isRunning() || this.#loop !== undefined) && this.#engine?.isInUnit !== true,
      current: () => this.#lifetime,
      onPolling: () => this.#jobRunner?.start(),
    });
  }

  async #confirm(): Promise<void> {
    await this.bot.api.getUpdates({ limit: 1 }).catch(() => {});
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
    const { bot } = this;
    const { store: persistence, refresh, limits } = this.#hosted;
    // The lifetime is not complete before this function first waits.
    await Promise.resolve();
    const signal = lifetime.stopping;
    const { clock } = this.#resolved;
    await persistence.open({ botId: botIdOf(bot.token), now: () => clock.now(), signal });
    try {
      const engine = new Engine({
        persistence,
        live: this.#live,
        refresh,
        reporter: this.#reporter,
        onReplayNeeded: () => void this.#replay(),
        isTransient: (key) => this.#conversations.isTransient(key),
        ...this.#resolved,
      });
      await engine.load([signal]);
      lifetime.engine = engine;
      this.#engine = engine;
      this.#jobRunner = this.#newJobRunner(engine);
      if (limits !== undefined) this.#logger.warn(limits);
      await this.#inHook.run(lifetime, async () => this.#hooks.postInit?.(this));
      return engine;
    } catch (error) {
      lifetime.engine = undefined;
      this.#engine = undefined;
      this.#jobRunner?.stop();
      await persistence.close();
      throw error;
    }
  }

  async #stopEngine(engine: Engine): Promise<void> {
    const loop = this.#loop;
    loop?.stop();
    this.#jobRunner?.stop();
    if (this.bot.isRunning()) await this.bot.stop();
    const left = await engine.stop(this.#resolved.stopTimeout);
    if (left.length > 0) {
      const ids = left.map((update) => update.update_id).join(", ");
      const isLost = this.#hosted.store.abilities.durable === "no";
      const fate = isLost ? "are lost, since there is no durable inbox" : "stay in the inbox and run again";
      this.#logger.warn(`Stopped while handlers were running. These updates ${fate}: ${ids}.`);
    }
    const jobs = (await this.#jobRunner?.left()) ?? [];
    if (jobs.length > 0) this.#logger.warn(`Stopped while jobs were running. They run again: ${jobs.join(", ")}.`);
    if (loop !== undefined) await loop.confirm();
    // Another loop may not tell Telegram what is done, and nobody else remembers it.
    else if (this.#gate.hasAccepted && this.#hosted.store.abilities.durable === "no") await this.#confirm();
    await this.#inHook.run(this.#lifetime, async () => this.#hooks.postStop?.(this));
  }

  async #closePersistence(): Promise<void> {
    this.#isShutDown = true;
    this.#loop = undefined;
    try {
      await this.#hosted.store.close();
    } finally {
      await this.#inHook.run(this.#lifetime, async () => this.#hooks.postShutdown?.(this));
    }
  }

  #newLoop(polling: AppPollingOptions, fail: (error: unknown) => void): PollingLoop<C> {
    if (this.#loop !== undefined || this.#lifetime?.stopping.aborted === true) throw runningAlready();
    const loop: PollingLoop<C> = new PollingLoop(this.bot, {
      polling,
      clock: this.#resolved.clock,
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

  /** The error of a handler that nobody waits for any more: for `bot.catch` too. */
  async #catchLate(error: BotError<C>): Promise<void> {
    try {
      await this.bot.errorHandler(error);
    } catch (failure) {
      const { update } = error.ctx;
      this.#reporter.report(failure instanceof BotError ? failure.error : failure, { update });
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
    this.#jobRunner?.start();
    const inFlight = new InFlight(MOST_REPLAYED);
    for (;;) {
      const updates = await engine.inbox.replay(100, [lifetime.stopping]);
      if (updates.length === 0) return;
      for (const update of updates) inFlight.add(this.#handleAlone(update));
      await inFlight.room(lifetime.stopping);
    }
  }
}

function requireId(id: number): number {
  if (Number.isSafeInteger(id)) return id;
  throw new TypeError(`The id of a chat or a user is a whole number, not ${String(id)}.`);
}

function requireMoment(moment: Date | number): number {
  const time = Number(moment);
  if (!Number.isNaN(time)) return time;
  throw new TypeError(`before is a Date or a number of milliseconds since 1970, not ${String(moment)}.`);
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
