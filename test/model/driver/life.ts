import type { Update } from "@grammyjs/types";
import { Collection } from "../../../src/collection/collection.ts";
import type { TimeoutData } from "../../../src/conversation/conversation-timeouts.ts";
import { TimeoutJobs } from "../../../src/conversation/timeout-jobs.ts";
import type { RecordKey } from "../../../src/data/record.ts";
import type { Task } from "../../../src/engine/assignments.ts";
import { Entries } from "../../../src/collection/entries.ts";
import { Reporter } from "../../../src/engine/reporter.ts";
import type { UnitOfWork } from "../../../src/engine/unit-of-work.ts";
import type { JobHost } from "../../../src/jobs/job-host.ts";
import { JobDefinitions } from "../../../src/jobs/job-definitions.ts";
import { JobQueue } from "../../../src/jobs/job-queue.ts";
import { JobRunner } from "../../../src/jobs/job-runner.ts";
import { PollingGate } from "../../../src/grammy/polling-gate.ts";
import type { UnitCommit } from "../../../src/persistence/atomic-persistence.ts";
import { DrivenClock } from "../../support/driven-clock.ts";
import { silentLogger } from "../../support/silent-logger.ts";
import type { Action } from "../handler/action.ts";
import { call, list, make, turnsOf, type Call as AppCall, type CalledApp } from "../handler/call.ts";
import { endBySilence, newTalk, say, type Talk } from "../handler/talk.ts";
import { perform, type Stage } from "../handler/perform.ts";
import type { Effect } from "../reference/effect.ts";
import { FileReader, jobAsKept, timeoutData } from "../reference/file-content.ts";
import { TALK, TALK_NAME, type Saying } from "../reference/talk-state.ts";
import { JOB, JOB_DEFINITIONS, RETRY_ATTEMPTS, RETRY_PAUSE } from "../reference/job-state.ts";
import type { LifeOptions, Settlement } from "../reference/model.ts";
import { initialValue, type UnitModel, type Value } from "../reference/unit-model.ts";
import { Violation } from "../violation.ts";
import { refuse, type Call } from "./faults.ts";
import type { TelegramUpdate } from "./telegram.ts";
import { TellingEngine, type Around, type AroundNote } from "./telling-engine.ts";
import { TellingPersistence } from "./telling-persistence.ts";
import { WatchedPersistence, type Watcher } from "./watched-persistence.ts";
import { QUIET_TURNS } from "./quiet.ts";
import type { World } from "./world.ts";

/** How updates come to a bot. */
export type Way = "runner" | "one at a time" | "webhook" | "stock webhook";

/** How a bot is run. */
export interface LifeSettings extends LifeOptions {
  readonly way: Way;
  readonly concurrency: number;
}

type GetUpdates = Parameters<PollingGate["transformer"]>[0];

const SCHEMA = { initial: initialValue, migrations: [] };

/** So long the clock goes on by itself, in milliseconds. */
const LONGEST_WAKE = 120_000;

/** Whoever waits for this is gone. */
const never = new Promise<never>(() => {});

/** One process of the bot, from its start to its end: the real engine on a real file, driven by the history. */
export class Life implements Watcher {
  readonly #world: World;
  readonly #settings: LifeSettings;
  readonly #clock: DrivenClock;
  readonly #inner: TellingPersistence;
  readonly #reader: FileReader;
  readonly #engine: TellingEngine;
  readonly #app: CalledApp;
  readonly #jobRunner: JobRunner;
  readonly #talk: Talk;
  /** What goes on in the units of work that run. */
  readonly #stages = new Map<UnitOfWork, Stage>();
  readonly #gate: PollingGate;
  readonly #stopping = new AbortController();
  readonly #waiting: ((isAlive: boolean) => void)[] = [];
  #isDead = false;
  #isReady = false;
  #isStopped = false;
  #isPolling = false;
  #isReplaying = false;
  #isDropping = false;
  #underWay = 0;
  /** Whether everybody has heard of the last commit. */
  #isAnswered = true;

  constructor(world: World, settings: LifeSettings) {
    this.#world = world;
    this.#settings = settings;
    this.#clock = new DrivenClock({ now: world.model.now, turns: QUIET_TURNS });
    // The cache is allocated at once, and a history has few records and many lives.
    const cache = { maxRecords: 100 };
    this.#inner = new TellingPersistence({ path: world.path, durability: "os", ownerTimeout: 0, cache }, () =>
      world.check(() => this.#observe()),
    );
    this.#reader = new FileReader(world.path);
    const watched = new WatchedPersistence(this.#inner, this);
    const reporter = silentReporter();
    const engineOptions = {
      persistence: world.options.mutate?.(watched) ?? watched,
      schema: { bot: SCHEMA, chat: SCHEMA, user: SCHEMA },
      clock: this.#clock,
      reporter,
      concurrency: settings.concurrency,
      onHandlerError: settings.onHandlerError,
      maxAttempts: settings.maxAttempts,
      onMigrate: settings.merge as ((old: unknown, fresh: unknown) => unknown) | undefined,
      onReplayNeeded: () => void this.#replay(),
    };
    this.#engine = new TellingEngine(engineOptions, (task, run) => this.#task(task, run));
    const definitions = new JobDefinitions();
    const host = hostOf(this.#engine, this.#clock);
    const jobQueue: JobQueue<{ unit: UnitOfWork }> = new JobQueue(definitions, host, ({ unit, ...run }) => {
      return { ...run, unit, jobQueue } as never;
    });
    this.#app = appOf(this.#engine, host, jobQueue, this.#defineJobs(jobQueue));
    const timeouts = new TimeoutJobs(
      definitions,
      (unit, data, attempt) => this.#timeOut(unit, data, attempt),
      ({ parties }) => this.#talk.keyOf(parties),
    );
    this.#talk = newTalk({
      logger: silentLogger,
      timeouts,
      now: () => this.#clock.now(),
      chatId: (id) => this.#engine.chatId(id),
    });
    const { concurrency: most, maxAttempts } = settings;
    const jobOptions = { engine: this.#engine, clock: this.#clock, reporter, definitions, host, maxAttempts, most };
    this.#jobRunner = new JobRunner(jobOptions);
    const lifetime = { opened: async (): Promise<TellingEngine> => this.#engine, stopping: this.#stopping.signal };
    this.#gate = new PollingGate({
      open: () => lifetime,
      isBeginning: () => true,
      current: () => lifetime,
      onPolling: () => {},
    });
  }

  get isReady(): boolean {
    return this.#isReady && !this.#isStopped;
  }

  /** Whether units of work may run side by side, as many as there are. */
  get isFree(): boolean {
    return this.isReady && this.#settings.concurrency >= 64;
  }

  /** How many handlers wait for the history. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether something is accepted that nobody has claimed yet: what is dropped then is undecided. */
  get #isAccepting(): boolean {
    return this.#isPolling || this.#isReplaying || this.#underWay > 0 || this.#world.model.isLeaving;
  }

  /** Asks Telegram for updates, or lets its webhooks go out. */
  deliver(limit: number): void {
    if (!this.isReady || this.#isDropping) return;
    if (this.#settings.way.endsWith("webhook")) for (const sent of this.#world.telegram.atWebhook) this.#receive(sent);
    else if (!this.#isPolling) void this.#poll(limit);
  }

  transact(chats: readonly number[], users: readonly number[], actions: readonly Action[], token: number): void {
    if (!this.isReady) return;
    const model = this.#world.model.transacting(chats, users);
    void this.#settle(model, async () => {
      await this.#engine.transaction({ chats, users }, (unit) =>
        this.#run(unit, model, token, (stage) => perform(actions, stage)),
      );
      return "handled";
    });
  }

  /** Asks something of the application, outside of any handler. */
  call(made: AppCall, token: number): void {
    if (!this.isReady) return;
    const { chats, users } = turnsOf(made);
    const now = this.#clock.now();
    const model = this.#world.model.transacting(chats, users);
    const around: Around = async (unit, work) => {
      let result: Awaited<ReturnType<typeof work>> | undefined;
      await this.#run(unit, model, token, async (stage) => void (result = await call(made, stage, work, now)));
      return result as never;
    };
    void this.#settle(model, async () => {
      await this.#engine.tell(around, () => make(made, this.#app, token));
      return "handled";
    });
  }

  /** Lists the entries, outside of any handler. */
  list(): void {
    if (!this.isReady) return;
    const listing = this.#world.model.listing();
    void this.#unlessDead(list(this.#app, listing)).catch((error: unknown) => {
      if (!this.#isStopped) this.#world.check(() => rethrow(error));
    });
  }

  /** Lets one of the handlers that wait go on. */
  goOn(which: number): void {
    const [go] = this.#waiting.splice(which % Math.max(1, this.#waiting.length), 1);
    go?.(true);
  }

  async dropPending(): Promise<void> {
    if (!this.isReady || this.#isDropping || this.#isAccepting) return;
    this.#isDropping = true;
    const { model, telegram } = this.#world;
    const dropped = model.dropping();
    model.mayRecount = true;
    const prev = (async () => {
      telegram.dropAll();
      return { ok: true, result: true };
    }) as never;
    const dropping = this.#gate.transformer(prev, "deleteWebhook", { drop_pending_updates: true });
    try {
      await this.#unlessDead(dropping);
    } catch (error) {
      if (!this.#isStopped) this.#world.check(() => rethrow(error));
      return;
    }
    this.#isDropping = false;
    this.#require(dropped);
  }

  async stop(timeout: number): Promise<void> {
    if (!this.isReady) return;
    this.#isStopped = true;
    this.#world.model.stopping();
    this.#stopping.abort();
    this.#jobRunner.stop();
    await this.#unlessDead(this.#engine.stop(timeout));
    for (const go of this.#waiting.splice(0)) {
      this.#world.tally.count("a handler is given up");
      go(false);
    }
    await this.#world.quiet().catch(() => {});
    if (!this.#isDead) this.#world.ended();
  }

  async pass(milliseconds: number): Promise<void> {
    const before = this.#clock.now();
    // Whoever looks for jobs looks every ten seconds. So in hours the machine sleeps, once what is tried again has been.
    const awake = Math.min(milliseconds, LONGEST_WAKE);
    const half = Math.floor(awake / 2);
    await this.#clock.advance(half);
    await this.#clock.jump(milliseconds - awake);
    await this.#clock.advance(awake - half);
    if (this.#isDead) this.#world.model.now = Math.max(this.#world.model.now, before + milliseconds);
    this.#tick();
  }

  /** Nothing of it acts any more. */
  end(): void {
    this.#isDead = true;
    this.#reader.close();
    this.#inner.close();
  }

  async before(call: Call, units?: readonly UnitCommit[]): Promise<void> {
    await this.#strike(call, "before");
    if (units === undefined) return;
    if (units.length > 1) this.#world.tally.count("a group commit");
    refuse(units);
  }

  async after(call: Call): Promise<void> {
    await this.#strike(call, "after");
  }

  answered(): void {
    this.#isAnswered = true;
  }

  /** Before each step of the history. */
  beginStep(): void {
    if (this.#isAnswered) this.#world.model.forgetRecent();
  }

  /** Opens the file. What the engine loads from it may take longer. */
  async begin(): Promise<void> {
    await this.#inner.open({ botId: 1, now: () => this.#clock.now() });
    this.#world.check(() => this.#observe());
    void this.#load();
  }

  async #load(): Promise<void> {
    await this.#unlessDead(this.#engine.load());
    this.#isReady = true;
    this.#world.sign();
    this.#world.model.jobsStart();
    this.#jobRunner.start();
    if (this.#settings.way.endsWith("webhook")) void this.#replay();
  }

  /** Defines what jobs do: what their data says. */
  #defineJobs(queue: JobQueue<{ unit: UnitOfWork }>): CalledApp["schedule"] {
    const retry = { attempts: RETRY_ATTEMPTS, backoff: RETRY_PAUSE };
    const [plain, retried] = JOB_DEFINITIONS.map((name) =>
      queue.define<readonly Action[]>(
        name,
        async ({ unit, job, scheduledTime, attempt }) => {
          const stage = this.#stages.get(unit);
          if (stage === undefined) return never;
          const run = { scheduled: scheduledTime.getTime(), attempt, data: job.data };
          this.#world.check(() => this.#world.model.jobRuns(stage.model, run));
          if (this.#world.violation !== undefined) return never;
          return perform(job.data, stage);
        },
        name === "retried" ? { retry } : {},
      ),
    );
    return (id, { definition, rhythm, delay, chat, user, data }) => {
      const kind = definition === "plain" ? plain : retried;
      if (kind === undefined) throw new TypeError(`There are no jobs that are ${definition}.`);
      // As a program would write it: what makes histories shares parts, which the codec keeps.
      const plainData = JSON.parse(JSON.stringify(data)) as readonly Action[];
      const options = { id, chatId: chat, userId: user, data: plainData };
      if (rhythm === "once") return queue.runOnce(kind, delay, options);
      if (rhythm === "daily") return queue.runDaily(kind, "06:00", options);
      if (rhythm === "cron") return queue.runCron(kind, "0 * * * *", options);
      if (rhythm === "monthly") return queue.runMonthly(kind, "06:00", -1, options);
      return queue.runRepeating(kind, Number(rhythm.slice("every ".length)), options);
    };
  }

  /** A conversation is to end. Its handler counts for the chat. */
  async #timeOut(unit: UnitOfWork, data: TimeoutData, attempt: number): Promise<void> {
    const stage = this.#stages.get(unit);
    if (stage === undefined) return never;
    const known = timeoutData(data);
    this.#world.check(() => this.#world.model.jobRuns(stage.model, { scheduled: data.due, attempt, data: known }));
    if (this.#world.violation !== undefined) return never;
    await endBySilence(known, stage, {
      handler: () => perform([{ do: "count", at: "chat" }], stage),
      real: (handler) => this.#talk.timeOut(unit, data, attempt === 1 ? async () => handler : undefined),
    });
  }

  /** The engine begins with something about a job. */
  async #task<T>(
    { chatId, userId, keys, alone }: Task,
    run: (around: Around, aroundNote: AroundNote) => Promise<T>,
  ): Promise<T> {
    const [key] = keys;
    if (key?.kind !== "job") throw new TypeError("A task is about a job.");
    const model = this.#world.model.tasking(key.id, chatId, userId, alone);
    const around: Around = async (unit, work) => {
      let result: Awaited<ReturnType<typeof work>> | undefined;
      await this.#run(unit, model, this.#world.nextToken(), async () => {
        result = await work();
        const record = unit.known(key)?.current;
        this.#world.check(() => this.#world.model.jobNoted(model, record && jobAsKept(record)));
      });
      return result as never;
    };
    const aroundNote: AroundNote = (_unit, note) => async (change) => {
      const noting: Effect[] = [];
      const text = change.record && jobAsKept(change.record);
      this.#world.check(() => noting.push(this.#world.model.jobNoting(model, text)));
      if (this.#world.violation !== undefined) return never;
      await this.#unlessDead(note(change));
      this.#require(noting);
    };
    let value: T | undefined;
    const settlement = await this.#settle(model, async () => {
      value = await run(around, aroundNote);
      return "handled";
    });
    if ("error" in settlement) throw settlement.error;
    return value as T;
  }

  async #poll(limit: number): Promise<void> {
    this.#isPolling = true;
    const accepting: Effect[] = [];
    const prev = (async (_method: string, payload: { offset?: number }) => {
      this.#require(accepting);
      const { confirmed, updates } = this.#world.telegram.getUpdates(payload.offset ?? 0, limit);
      for (const sent of confirmed) this.#world.check(() => this.#world.model.requireKept(sent));
      if (updates.length > 0) accepting.push(this.#world.model.accepting(updates));
      return { ok: true, result: updates.map(({ update }) => update) };
    }) as unknown as GetUpdates;
    const answer = await this.#unlessDead(
      this.#gate.transformer(prev, "getUpdates", { timeout: 30, limit }).catch(() => undefined),
    );
    if (answer?.ok === true) {
      this.#require(accepting);
      await this.#handleAll(answer.result as unknown as Update[]);
    }
    this.#isPolling = false;
  }

  async #handleAll(updates: readonly Update[]): Promise<void> {
    const isSequential = this.#settings.way === "one at a time";
    for (const update of updates) {
      const handling = this.#handle(update);
      if (isSequential) await handling;
    }
  }

  #receive(sent: TelegramUpdate): void {
    void (this.#settings.way === "webhook" ? this.#receiveEarly(sent) : this.#receiveStock(sent));
  }

  /** `app.webhookCallback`: answers when it is accepted. */
  async #receiveEarly(sent: TelegramUpdate): Promise<void> {
    this.#underWay += 1;
    const accepting = this.#world.model.accepting([sent]);
    try {
      const free = await this.#unlessDead(this.#engine.inbox.accept([sent.update], [this.#stopping.signal]));
      this.#require([accepting]);
      this.#confirm(sent);
      // As `Application` does it: what is accepted during a replay is left to it, so there has to be one.
      if (this.#engine.inbox.isReplaying) void this.#replay();
      for (const other of free) void this.#handle(other);
    } catch (error) {
      if (!this.#isStopped) this.#world.check(() => rethrow(error));
    } finally {
      this.#underWay -= 1;
    }
  }

  /** grammY's `webhookCallback`: answers when it is handled. */
  async #receiveStock(sent: TelegramUpdate): Promise<void> {
    const { model } = this.#world;
    const accepting = model.isOnItsWay(sent.id) ? undefined : model.accepting([sent]);
    const settlement = await this.#handle(sent.update, accepting);
    const isRefused = "error" in settlement && this.#isStopped;
    if (!isRefused) this.#confirm(sent);
  }

  async #handle(update: Update, accepting?: Effect): Promise<Settlement> {
    const sent = this.#world.telegram.find(JSON.stringify(update));
    if (sent === undefined) throw new Violation(`update ${update.update_id} is not what Telegram has sent`);
    const { inbox } = this.#engine;
    const model = this.#world.model.handling(sent, inbox.isReplaying && !inbox.isHandedOut(update));
    const work = (): Promise<string> =>
      this.#engine.handle(update, (unit) => {
        if (accepting !== undefined && !this.#isDead) this.#require([accepting]);
        return this.#run(unit, model, sent.token, (stage) => {
          const speak = (what: Saying): Promise<void> => say(what, this.#talk, stage, update);
          return perform(sent.actions, { ...stage, say: speak });
        });
      });
    return this.#settle(model, work, accepting);
  }

  async #settle(model: UnitModel, work: () => Promise<string>, accepting?: Effect): Promise<Settlement> {
    let settlement: Settlement;
    try {
      settlement = { outcome: await work() };
    } catch (error) {
      settlement = { error };
    }
    if (this.#isDead) return never;
    this.#world.sign();
    this.#tick();
    if (accepting !== undefined && !("error" in settlement && this.#isStopped)) this.#require([accepting]);
    this.#world.check(() => this.#world.model.settle(model, settlement));
    return settlement;
  }

  async #run(unit: UnitOfWork, model: UnitModel, token: number, play: (stage: Stage) => Promise<void>): Promise<void> {
    if (this.#isDead) return never;
    this.#world.sign();
    this.#tick();
    this.#world.check(() => this.#world.model.begin(model));
    if (this.#world.violation !== undefined) return never;
    let threw: { readonly error: unknown } | undefined;
    const stage: Stage = {
      unit,
      app: this.#app,
      model,
      reference: this.#world.model,
      token,
      unlessDead: (promise) => this.#unlessDead(promise),
      hasTouched: (key) => unit.known(recordKeyOf(key)) !== undefined,
      wait: () => this.#wait(),
      die: () => this.#die(),
      calledAfterCommit: () => this.#world.check(() => this.#world.model.calledAfterCommit(model)),
    };
    this.#stages.set(unit, stage);
    try {
      await play(stage);
    } catch (error) {
      threw = { error };
      if (error instanceof Violation) this.#world.check(() => rethrow(error));
    }
    if (this.#isDead) return never;
    if (model.phase === "running") this.#world.model.end(model, threw === undefined ? {} : { threw });
    if (threw !== undefined) throw threw.error;
  }

  async #wait(): Promise<boolean> {
    const isAlive = await new Promise<boolean>((resolve) => this.#waiting.push(resolve));
    if (this.#isDead) return never;
    this.#world.sign();
    this.#tick();
    return isAlive;
  }

  #die(): Promise<never> {
    if (!this.#isDead) this.#world.kill();
    return never;
  }

  /** What an earlier life has left begins by itself under webhooks, as `Application` does it. */
  async #replay(): Promise<void> {
    if (this.#isReplaying) return;
    this.#isReplaying = true;
    try {
      for (;;) {
        const updates = await this.#unlessDead(this.#engine.inbox.replay(100, [this.#stopping.signal]));
        if (updates.length === 0) break;
        for (const update of updates) void this.#handle(update);
      }
    } catch (error) {
      if (!this.#isStopped) this.#world.check(() => rethrow(error));
    }
    this.#isReplaying = false;
  }

  async #strike(call: Call, when: "before" | "after"): Promise<void> {
    this.#world.sign();
    if (this.#isDead || this.#world.violation !== undefined) return never;
    if (call === "commit" && when === "after") this.#isAnswered = false;
    if (call === "accept" && when === "after" && !this.#world.faults.isCalm(this.#world.model.now))
      this.#world.model.mayRecount = true;
    await this.#world.faults.strike(call, when, this.#world.model.now, (how) => {
      this.#world.tally.count(`${call} ${how}, ${when}`);
      return how === "kills" ? this.#die() : undefined;
    });
    this.#world.sign();
    if (this.#isDead) return never;
  }

  #observe(): void {
    if (this.#isDead) return;
    this.#tick();
    this.#world.model.observe(this.#reader.read(this.#clock.now()));
  }

  #tick(): void {
    this.#world.model.now = Math.max(this.#world.model.now, this.#clock.now());
  }

  /** The library has said that these have happened: the file must show it. */
  #require(effects: readonly Effect[]): void {
    this.#world.check(() => {
      for (const effect of effects) this.#world.model.require(effect);
      this.#observe();
    });
  }

  #confirm(sent: TelegramUpdate): void {
    this.#world.check(() => this.#world.model.requireKept(sent));
    this.#world.telegram.confirm(sent);
  }

  async #unlessDead<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } finally {
      this.#world.sign();
      if (this.#isDead) await never;
      this.#tick();
    }
  }
}

/** What collections and jobs get of `Application`, as it gives it. */
function hostOf(engine: TellingEngine, clock: DrivenClock): JobHost & { readonly start: () => Promise<void> } {
  return {
    now: () => clock.now(),
    engine: async () => engine,
    unit: () => engine.current,
    join: (name, work) => engine.join(name, {}, work),
    start: async () => {},
  };
}

/** What `Application` offers, as it does it. */
function appOf(
  engine: TellingEngine,
  host: JobHost,
  jobQueue: JobQueue<{ unit: UnitOfWork }>,
  schedule: CalledApp["schedule"],
): CalledApp {
  return {
    entries: new Collection<Value>(new Entries("box", host)),
    drop: (scope, id) => engine.drop(scope, id),
    forgetUser: (id) => engine.forgetUser(id),
    schedule,
    getJob: (id) => jobQueue.getJob(id),
  };
}

/** The key of a job or a conversation that the model has under this key. */
function recordKeyOf(key: string): RecordKey {
  if (key.startsWith(JOB)) return { kind: "job", id: key.slice(JOB.length) };
  return { kind: "conversation", name: TALK_NAME, id: key.slice(TALK.length).split(",").map(Number) };
}

function silentReporter(): Reporter {
  const reporter = new Reporter(silentLogger);
  reporter.onError(() => {});
  return reporter;
}

function rethrow(error: unknown): never {
  throw error;
}
