import type { Bot } from "grammy";
import type { CallbackDataHost } from "../callback-data/callback-data-host.ts";
import type { Clock } from "../engine/clock.ts";
import type { Engine } from "../engine/engine.ts";
import type { Reporter } from "../engine/reporter.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import type { JobHost } from "../jobs/job-host.ts";
import { botIdOf } from "./bot-checks.ts";
import type { EngineOfConversations } from "./conversation/conversation-maker.ts";
import type { LifeCycle } from "./life-cycle.ts";
import type { Runtime } from "./runtime.ts";

/** What the parts of an application need of it. */
export interface Hosts {
  /** For jobs, and for entries of collections. */
  readonly jobs: JobHost;
  readonly callbackData: CallbackDataHost;
  readonly conversations: EngineOfConversations;
}

/** What the hosts are made of. */
export interface HostParts {
  readonly bot: Pick<Bot, "token">;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly lifeCycle: LifeCycle;
  readonly runtime: Runtime;
}

/** An engine that is opened when it is needed, and what the caller is doing in it. */
export function hostsOf({ bot, clock, reporter, lifeCycle, runtime }: HostParts): Hosts {
  const now = (): number => clock.now();
  const engine = (): Promise<Engine> => lifeCycle.joining(async (opened) => opened);
  const unit = (): UnitOfWork | undefined => runtime.engine?.current;
  const join: JobHost["join"] = (name, work) => lifeCycle.joining((opened) => opened.join(name, {}, work));
  const start = async (): Promise<void> => {
    await lifeCycle.opened();
    runtime.startJobs();
  };
  return {
    jobs: { now, engine, unit, join, start },
    callbackData: {
      now,
      engine,
      current: unit,
      join,
      botId: () => botIdOf(bot.token),
      isOpen: () => lifeCycle.lifetime !== undefined,
      report: (error) => reporter.report(error),
    },
    conversations: {
      now,
      isInitialized: () => runtime.engine !== undefined,
      chatId: (id) => runtime.engine?.chatId(id) ?? id,
      join: (name, keys, work) => lifeCycle.joining((opened) => opened.join(name, keys, work)),
    },
  };
}
