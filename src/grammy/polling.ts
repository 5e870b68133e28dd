import type { Bot, Context } from "grammy";
import type { Clock } from "../engine/clock.ts";
import type { Reporter } from "../engine/reporter.ts";
import { isPerdureError } from "../errors.ts";
import { runningAlready, type LifeCycle } from "./life-cycle.ts";
import { PollingLoop, type AppPollingOptions } from "./polling-loop.ts";
import type { Runtime } from "./runtime.ts";
import { onStopSignal } from "./stop-signals.ts";
import type { UpdateDispatcher } from "./update-dispatcher.ts";

/** What polling needs of the application. */
export interface PollingParts<C extends Context> {
  readonly application: { stop(): Promise<void>; shutdown(): Promise<void> };
  readonly bot: Bot<C>;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly lifeCycle: LifeCycle;
  readonly runtime: Runtime;
  readonly dispatcher: UpdateDispatcher<C>;
}

/** The application's own way of getting updates: one loop in each lifetime, on its own or until a signal. */
export class Polling<C extends Context> {
  readonly #parts: PollingParts<C>;

  constructor(parts: PollingParts<C>) {
    this.#parts = parts;
  }

  /** Resolves when Telegram has answered; what ends the loop later is reported. Rejects with `PERDURE_LIFE_CYCLE` when there is one already. */
  async start(options: AppPollingOptions): Promise<void> {
    const report = (error: unknown): void => this.#parts.reporter.report(error);
    const loop = this.#newLoop(options, report);
    await this.#begin(loop);
    void loop.run().catch(report);
  }

  /** Polls until a signal, a stop or an error; then shuts down. Rejects with what went wrong first; the rest is reported. */
  async run(options: AppPollingOptions): Promise<void> {
    const { application, reporter } = this.#parts;
    const failures: unknown[] = [];
    const fail = (error: unknown): void => void failures.push(error);
    const loop = this.#newLoop(options, fail);
    const quit = onStopSignal((signal) => {
      reporter.logger.info(`${signal}: stopping.`);
      application.stop().catch(fail);
    });
    try {
      await this.#begin(loop);
      await loop.run();
    } catch (error) {
      // A stop while it was still opening is no failure.
      if (!isPerdureError(error, "PERDURE_STOPPED")) fail(error);
    }
    await application.shutdown().catch(fail).finally(quit);
    const [first, ...others] = new Set(failures);
    for (const other of others) reporter.report(other);
    if (failures.length > 0) throw first;
  }

  #newLoop(polling: AppPollingOptions, fail: (error: unknown) => void): PollingLoop<C> {
    const { bot, clock, reporter, lifeCycle, runtime, dispatcher } = this.#parts;
    if (runtime.loop !== undefined || lifeCycle.lifetime?.stopping.aborted === true) throw runningAlready();
    const loop: PollingLoop<C> = new PollingLoop(bot, {
      polling,
      clock,
      logger: reporter.logger,
      handle: (update) =>
        dispatcher.dispatch(update, (error) => {
          fail(error);
          loop.stop();
        }),
    });
    runtime.loop = loop;
    return loop;
  }

  async #begin(loop: PollingLoop<C>): Promise<void> {
    const { lifeCycle, runtime } = this.#parts;
    try {
      const lifetime = lifeCycle.open(true);
      lifetime.stopping.addEventListener("abort", () => loop.stop());
      await lifetime.opened();
      await loop.prepare();
    } catch (error) {
      runtime.loop = undefined;
      throw error;
    }
  }
}
