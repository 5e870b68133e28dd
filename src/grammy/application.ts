import type { CallbackQuery } from "@grammyjs/types";
import type { Bot, Context, NextFunction, StorageAdapter, webhookCallback } from "grammy";
import { CallbackData } from "../callback-data/callback-data.ts";
import { Collection } from "../collection/collection.ts";
import type { TransactionKeys } from "../engine/assignments.ts";
import { consoleLogger } from "../engine/logger.ts";
import { Reporter, type ErrorListener } from "../engine/reporter.ts";
import { JobDefinitions } from "../jobs/job-definitions.ts";
import { JobQueue } from "../jobs/job-queue.ts";
import type { FailedUpdate } from "../persistence/atomic-persistence.ts";
import type { BasePersistence } from "../persistence/base-persistence.ts";
import { HostedPersistence } from "../persistence/hosted-persistence.ts";
import { requireNoMiddleware } from "./bot-checks.ts";
import { DataButtons } from "./callback-data/data-buttons.ts";
import { Collections } from "./collections.ts";
import type { AnyPersistentContext, KeptOf } from "./context.ts";
import type { ConversationHandler } from "./conversation/conversation-handler.ts";
import { ConversationMaker } from "./conversation/conversation-maker.ts";
import type { ConversationOptions, StateIn } from "./conversation/conversation-options.ts";
import type { UncheckedOptions } from "./conversation/resolve-conversation.ts";
import { Hooks } from "./hooks.ts";
import { hostsOf } from "./hosts.ts";
import { install } from "./install.ts";
import { jobContextOf, type PersistentJobQueue } from "./job-context.ts";
import { LifeCycle } from "./life-cycle.ts";
import { liveBot } from "./live-bot.ts";
import { migrationOf, type MigrateChatData } from "./migrate-chat-data.ts";
import { resolveOptions, type ApplicationOptions } from "./options.ts";
import { PollingGate } from "./polling-gate.ts";
import type { AppPollingOptions } from "./polling-loop.ts";
import { Polling } from "./polling.ts";
import { Replay } from "./replay.ts";
import { Runtime } from "./runtime.ts";
import { storageAdapterOf } from "./storage-adapter.ts";
import { transactionOf, type Transaction } from "./transaction.ts";
import { UpdateDispatcher } from "./update-dispatcher.ts";
import { makeWebhookCallback, type AppWebhookOptions, type WebhookParts } from "./webhooks.ts";

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
  readonly #reporter: Reporter;
  readonly #hosted: HostedPersistence;
  readonly #lifeCycle: LifeCycle;
  readonly #buttons: DataButtons<C>;
  readonly #collections: Collections;
  readonly #conversations: ConversationMaker<C>;
  readonly #polling: Polling<C>;
  readonly #webhookParts: WebhookParts<C>;

  /** Throws `PERDURE_INVALID_OPTION`, and `PERDURE_HAS_MIDDLEWARE` when the bot has middleware already. */
  constructor(bot: Bot<C>, options: ApplicationOptions<KeptOf<C>, Application<C>>) {
    const resolved = resolveOptions(options);
    const { clock } = resolved;
    const logger = options.logger ?? consoleLogger;
    const reporter = new Reporter(logger);
    this.#reporter = reporter;
    this.bot = bot;
    this.persistence = options.persistence;
    requireNoMiddleware(bot);

    // What is opened, stopped and closed. It calls these functions when everything below is there.
    const live = liveBot(bot, logger);
    const onError = (error: unknown): void => reporter.report(error);
    const hosted = new HostedPersistence(options.persistence as BasePersistence, { clock, onError });
    this.#hosted = hosted;
    const hooks = new Hooks(options, this);
    const jobs = new JobDefinitions();
    const runtime = new Runtime({
      bot,
      options: resolved,
      hosted,
      live,
      reporter,
      hooks,
      jobs,
      jobHost: () => hosts.jobs,
      isTransient: (key) => this.#conversations.isTransient(key),
      onReplayNeeded: () => replay.begin(),
      hasAccepted: () => gate.hasAccepted,
    });
    const lifeCycle = new LifeCycle(runtime, hooks, reporter);
    this.#lifeCycle = lifeCycle;

    // What handlers use.
    const hosts = hostsOf({ bot, clock, reporter, lifeCycle, runtime });
    const onInvalid = options.onInvalidCallbackData as ((ctx: C) => unknown) | undefined;
    const callbackData = new CallbackData(resolved.callbackData, hosts.callbackData);
    this.#buttons = new DataButtons(callbackData, { logger, onInvalid });
    options.persistence.setBot(bot, live);
    this.jobQueue = new JobQueue(jobs, hosts.jobs, (run) => jobContextOf(run, this as never));
    this.#collections = new Collections(hosts.jobs);
    this.#conversations = new ConversationMaker({ application: this, bot, logger, ...hosts.conversations }, jobs);

    // How updates come.
    const dispatcher = new UpdateDispatcher(bot, reporter);
    const replay = new Replay({ bot, lifeCycle, runtime, dispatcher, reporter });
    const gate = new PollingGate({
      open: (isBeginning) => lifeCycle.open(isBeginning),
      isBeginning: () => (bot.isRunning() || runtime.loop !== undefined) && runtime.engine?.isInUnit !== true,
      current: () => lifeCycle.current,
      onPolling: () => runtime.startJobs(),
    });
    this.#polling = new Polling({ application: this, bot, clock, reporter, lifeCycle, runtime, dispatcher });
    this.#webhookParts = { lifeCycle, replay, dispatcher };
    install(bot, { application: this, lifeCycle, runtime, gate, buttons: this.#buttons, replay, dispatcher });
  }

  /**
   * Opens the persistence and calls `postInit`. Called by whatever uses the bot first; call it yourself to do it earlier.
   * Called again or at the same time, it is one opening. Rejects with the persistence's error, and may then be called again.
   */
  async initialize(): Promise<void> {
    await this.#lifeCycle.open(true).opened();
  }

  /**
   * Begins to poll. Resolves when Telegram has answered. Rejects with `PERDURE_LIFE_CYCLE` when it runs already. What ends
   * the polling later, other than {@link Application.stop}, goes to {@link Application.onError}.
   */
  async start(options: AppPollingOptions = {}): Promise<void> {
    await this.#polling.start(options);
  }

  /**
   * Fetches no more updates, waits up to `stopTimeout` for handlers that run, commits what is complete and calls
   * `postStop`. What is not complete stays in the inbox. Called again, it is one stop; before the start, it does nothing.
   * In a handler or in a function of the options it resolves at once, since it waits for those. After it comes
   * {@link Application.shutdown}.
   */
  async stop(): Promise<void> {
    await this.#lifeCycle.stop();
  }

  /**
   * Stops if need be, closes the persistence and calls `postShutdown`. Then nothing opens it by itself; `initialize`,
   * `start`, `run` and `bot.start` begin anew. In a handler it resolves at once, as `stop` does.
   */
  async shutdown(): Promise<void> {
    await this.#lifeCycle.shutdown();
  }

  /**
   * Runs the bot by polling until SIGINT or SIGTERM, {@link Application.stop}, or an error after which it cannot go on,
   * which it rejects with: a persistence that does not open, a wrong token, a second poller, or a handler's error that
   * `bot.catch` did not take. Then stops and shuts down. A second signal ends the process at once, and loses nothing.
   */
  async run(options: RunOptions = {}): Promise<void> {
    await this.#polling.run(options.polling ?? {});
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
    return makeWebhookCallback(this.bot, adapter, options, this.#webhookParts);
  }

  /**
   * Does something outside of an update as one unit of work: it has the turns of these chats and users, and all that `run`
   * changes is committed together, or nothing if it throws. Opens the application if need be. Rejects with what `run`
   * throws, with `PERDURE_NESTED` in a handler, with `PERDURE_STOPPED` once it stops, with `PERDURE_CLOSED` after that.
   *
   * It replaces PTB's `application.chat_data[id]` and `mark_data_for_update_persistence`.
   */
  async transaction<T>(keys: TransactionKeys, run: (tx: Transaction<KeptOf<C>>) => T | Promise<T>): Promise<T> {
    const engine = await this.#lifeCycle.opened();
    return engine.transaction(keys, async (unit) =>
      run(transactionOf(engine, unit, { api: this.bot.api, jobQueue: this.jobQueue })),
    );
  }

  /**
   * Named records of the bot's own, beside the data of chats, users and the bot. Asked for the same name again, it gives the same
   * records. In a handler they belong to its update; elsewhere each call is a commit of its own.
   */
  collection<T>(name: string): Collection<T> {
    return new Collection(this.#collections.get(name));
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
    return storageAdapterOf<T>(this.#collections.get(name));
  }

  /**
   * Removes a chat's data (PTB statements 102, 103). In a handler it is a part of the update: it waits for other updates of that
   * chat, what is written to its data later counts, and nothing is removed if the handler fails. Elsewhere it is a commit of its
   * own. For an unknown id it does nothing.
   */
  dropChatData(chatId: number): Promise<void> {
    return this.#lifeCycle.joining((engine) => engine.drop("chat", requireId(chatId)));
  }

  /** Removes a user's data, likewise. */
  dropUserData(userId: number): Promise<void> {
    return this.#lifeCycle.joining((engine) => engine.drop("user", requireId(userId)));
  }

  /**
   * Removes all that is kept under the user's id: the user's data and the data of the private chat with the user. Likewise a
   * part of the update, or a commit of its own. Entries of collections are yours to remove: `app.transaction` makes it one commit.
   */
  forgetUser(userId: number): Promise<void> {
    return this.#lifeCycle.joining((engine) => engine.forgetUser(requireId(userId)));
  }

  /**
   * Moves what is kept for one chat to another id, for which the old one stands from then on (PTB statements 104 to 106). What
   * Telegram announces is moved without this. Where both have data, the option `onMigrate` merges. A chat that has moved already is
   * not moved again. Throws a `TypeError` for anything but a pair of ids or a message that announces a migration.
   */
  migrateChatData(migration: MigrateChatData): Promise<void> {
    return this.#lifeCycle.joining((engine) => engine.migrateChat(migrationOf(migration)));
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
    await (await this.#lifeCycle.opened()).flush();
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
    const engine = await this.#lifeCycle.opened();
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
    const engine = await this.#lifeCycle.opened();
    for await (const { id } of engine.records.keys(scope)) yield id;
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
