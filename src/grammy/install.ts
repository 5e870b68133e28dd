import type { Bot } from "grammy";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import type { DataButtons } from "./callback-data/data-buttons.ts";
import { bindUnit, type AnyPersistentContext } from "./context.ts";
import type { LifeCycle } from "./life-cycle.ts";
import type { PollingGate } from "./polling-gate.ts";
import type { Replay } from "./replay.ts";
import type { Runtime } from "./runtime.ts";
import type { UpdateDispatcher } from "./update-dispatcher.ts";
import { onWebhookCallback } from "./webhooks.ts";

/** What is installed on a bot. */
export interface InstalledParts<C extends AnyPersistentContext> {
  readonly application: unknown;
  readonly lifeCycle: LifeCycle;
  readonly runtime: Runtime;
  readonly gate: PollingGate;
  readonly buttons: DataButtons<C>;
  readonly replay: Replay<C>;
  readonly dispatcher: UpdateDispatcher<C>;
}

/** Whatever way the bot gets updates, it goes through what is installed here: the calls to Telegram, `bot.init`, and the first middleware. */
export function install<C extends AnyPersistentContext>(bot: Bot<C>, parts: InstalledParts<C>): void {
  const { application, lifeCycle, runtime, gate, buttons, replay, dispatcher } = parts;
  bot.api.config.use(gate.transformer, buttons.transformer);
  const init = bot.init.bind(bot);
  // The runner and webhooks begin with this; a persistence that does not open must fail them, not be retried in silence.
  bot.init = async (signal) => {
    await lifeCycle.opened();
    await init(signal);
  };
  onWebhookCallback(bot, () => replay.begin());
  bot.use(async (ctx, next) => {
    const { lifetime } = lifeCycle;
    const known = lifetime === undefined ? runtime.engine : lifetime.ready;
    const engine = known ?? (await lifeCycle.opened());
    runtime.startJobs();
    const run = (unit: UnitOfWork): Promise<void> =>
      buttons.handle(ctx, unit, (bound) => {
        bindUnit(ctx, unit, application, bound);
        return next();
      });
    await engine.handle(ctx.update, run, dispatcher.lateErrorsOf(ctx));
  });
}
