import type { Bot, Context } from "grammy";
import type { LiveObjects } from "../data/codec.ts";
import type { RecordKey } from "../data/record.ts";
import { Engine } from "../engine/engine.ts";
import type { Reporter } from "../engine/reporter.ts";
import type { JobDefinitions } from "../jobs/job-definitions.ts";
import type { JobHost } from "../jobs/job-host.ts";
import { JobRunner } from "../jobs/job-runner.ts";
import type { HostedPersistence } from "../persistence/hosted-persistence.ts";
import { botIdOf } from "./bot-checks.ts";
import type { Hooks } from "./hooks.ts";
import type { Lifetime, LifetimeSteps } from "./lifetime.ts";
import type { ResolvedOptions } from "./options.ts";
import type { PollingLoop } from "./polling-loop.ts";

/** What a runtime needs of the application. */
export interface RuntimeParts {
  readonly bot: Pick<Bot, "api" | "isRunning" | "stop" | "token">;
  readonly options: ResolvedOptions;
  readonly hosted: HostedPersistence;
  readonly live: LiveObjects;
  readonly reporter: Reporter;
  readonly hooks: Hooks;
  readonly jobs: JobDefinitions;
  readonly jobHost: () => JobHost;
  /** Which records live in memory only. */
  readonly isTransient: (key: RecordKey) => boolean;
  /** Called when an update waits for what an earlier run has left, in case nobody replays it. */
  readonly onReplayNeeded: () => void;
  /** Whether pollers were handed updates that Telegram has delivered. */
  readonly hasAccepted: () => boolean;
}

/** What runs on the persistence: the engine, the jobs, the application's own loop. It says how they begin, stop and end. */
export class Runtime implements LifetimeSteps {
  readonly #parts: RuntimeParts;
  /** The loop of `app.run()` or `app.start()`, from before the opening until the closing. */
  loop: Pick<PollingLoop<Context>, "confirm" | "stop"> | undefined;
  #engine: Engine | undefined;
  #jobRunner: JobRunner | undefined;
  #isClosed = false;

  constructor(parts: RuntimeParts) {
    this.#parts = parts;
  }

  /** The last one: after its end it still knows which updates are in the inbox and may be left there. */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  /** Whether it was closed and has not begun anew. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The bot gets updates, in whatever way: begins to run jobs, unless they run. */
  startJobs(): void {
    this.#jobRunner?.start();
  }

  async open(lifetime: Lifetime): Promise<Engine> {
    const { bot, options, hosted, reporter, hooks } = this.#parts;
    const { store, refresh, limits } = hosted;
    const signal = lifetime.stopping;
    this.#isClosed = false;
    // The lifetime is not complete before this function first waits.
    await Promise.resolve();
    await store.open({ botId: botIdOf(bot.token), now: () => options.clock.now(), signal });
    try {
      const engine = this.#newEngine(refresh);
      await engine.load([signal]);
      lifetime.engine = engine;
      this.#engine = engine;
      this.#jobRunner = this.#newJobRunner(engine);
      if (limits !== undefined) reporter.logger.warn(limits);
      await hooks.call("postInit", lifetime);
      return engine;
    } catch (error) {
      lifetime.engine = undefined;
      this.#engine = undefined;
      this.#jobRunner?.stop();
      await store.close();
      throw error;
    }
  }

  async stop(lifetime: Lifetime, engine: Engine): Promise<void> {
    const { bot, options, hosted, reporter, hooks, hasAccepted } = this.#parts;
    const { loop } = this;
    const isLost = hosted.store.abilities.durable === "no";
    loop?.stop();
    this.#jobRunner?.stop();
    if (bot.isRunning()) await bot.stop();
    const left = await engine.stop(options.stopTimeout);
    if (left.length > 0) {
      const ids = left.map((update) => update.update_id).join(", ");
      const fate = isLost ? "are lost, since there is no durable inbox" : "stay in the inbox and run again";
      reporter.logger.warn(`Stopped while handlers were running. These updates ${fate}: ${ids}.`);
    }
    const jobs = (await this.#jobRunner?.left()) ?? [];
    if (jobs.length > 0) {
      reporter.logger.warn(`Stopped while jobs were running. They run again: ${jobs.join(", ")}.`);
    }
    if (loop !== undefined) await loop.confirm();
    // Another loop may not tell Telegram what is done, and nobody else remembers it.
    else if (hasAccepted() && isLost) await bot.api.getUpdates({ limit: 1 }).catch(() => {});
    await hooks.call("postStop", lifetime);
  }

  async close(lifetime: Lifetime): Promise<void> {
    const { hosted, hooks } = this.#parts;
    this.#isClosed = true;
    this.loop = undefined;
    try {
      await hosted.store.close();
    } finally {
      await hooks.call("postShutdown", lifetime);
    }
  }

  #newEngine(refresh: HostedPersistence["refresh"]): Engine {
    const { options, hosted, live, reporter, isTransient, onReplayNeeded } = this.#parts;
    return new Engine({ persistence: hosted.store, live, refresh, reporter, onReplayNeeded, isTransient, ...options });
  }

  #newJobRunner(engine: Engine): JobRunner {
    const { options, reporter, jobs, jobHost } = this.#parts;
    const { clock, concurrency, maxAttempts } = options;
    return new JobRunner({
      engine,
      clock,
      maxAttempts,
      reporter,
      definitions: jobs,
      host: jobHost(),
      // The other half of the slots is for updates.
      most: Math.ceil(concurrency / 2),
    });
  }
}
