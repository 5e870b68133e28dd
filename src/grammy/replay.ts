import type { Bot, Context } from "grammy";
import type { Reporter } from "../engine/reporter.ts";
import { isPerdureError } from "../errors.ts";
import { InFlight } from "./in-flight.ts";
import type { LifeCycle } from "./life-cycle.ts";
import type { Runtime } from "./runtime.ts";
import type { UpdateDispatcher } from "./update-dispatcher.ts";

/** What a replay needs. */
export interface ReplayParts<C extends Context> {
  readonly bot: Bot<C>;
  readonly lifeCycle: LifeCycle;
  readonly runtime: Runtime;
  readonly dispatcher: UpdateDispatcher<C>;
  readonly reporter: Reporter;
}

/** Runs, for a bot that does not poll, what an earlier run left in the inbox. */
export class Replay<C extends Context> {
  readonly #parts: ReplayParts<C>;
  #isRunning = false;

  constructor(parts: ReplayParts<C>) {
    this.#parts = parts;
  }

  /** Called while it runs, it does nothing. Errors are reported; a stop is none. */
  begin(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run()
      .catch((error: unknown) => {
        const isOver = isPerdureError(error, "PERDURE_STOPPED") || isPerdureError(error, "PERDURE_CLOSED");
        if (!isOver) this.#parts.reporter.report(error);
      })
      .finally(() => {
        this.#isRunning = false;
      });
  }

  async #run(): Promise<void> {
    const { bot, lifeCycle, runtime, dispatcher } = this.#parts;
    await bot.init();
    const lifetime = lifeCycle.open(false);
    const engine = await lifetime.opened();
    runtime.startJobs();
    const inFlight = new InFlight();
    for (;;) {
      const updates = await engine.inbox.replay(100, [lifetime.stopping]);
      if (updates.length === 0) return;
      for (const update of updates) inFlight.add(dispatcher.dispatchAlone(update, { isAwaited: false }));
      await inFlight.room(lifetime.stopping);
    }
  }
}
