import { onTestFinished } from "vitest";
import { Engine, type EngineOptions } from "../../src/engine/engine.ts";
import { Reporter } from "../../src/engine/reporter.ts";
import type { AtomicPersistence } from "../../src/persistence/atomic-persistence.ts";
import { DrivenClock } from "./driven-clock.ts";
import { notedWarnings } from "./noted-warnings.ts";

/** What each scope's data is in an engine of tests, unless they bring a schema of their own. */
export interface Counts {
  n: number;
  [key: string]: unknown;
}

const counting = { initial: (): Counts => ({ n: 0 }), migrations: [] };

/** An engine's own options, but those that it is made with here, and a clock that a test has made. */
export interface MakeEngineOptions extends Partial<Omit<EngineOptions, "persistence" | "reporter" | "clock">> {
  readonly clock?: DrivenClock;
}

/** An engine that has loaded, and what it works with. */
export interface MadeEngine<Persistence extends AtomicPersistence> {
  readonly engine: Engine;
  readonly persistence: Persistence;
  readonly clock: DrivenClock;
  readonly reporter: Reporter;
  /** The errors that it has reported. */
  readonly reported: readonly unknown[];
  /** The warnings that it has logged. */
  readonly warnings: readonly string[];
}

/** Opens this persistence for bot 1, until the running test has finished, and loads an engine over it. */
export async function makeEngine<Persistence extends AtomicPersistence>(
  persistence: Persistence,
  { clock = new DrivenClock(), ...options }: MakeEngineOptions = {},
): Promise<MadeEngine<Persistence>> {
  await persistence.open({ botId: 1, now: () => clock.now() });
  onTestFinished(() => persistence.close());
  const reported: unknown[] = [];
  const { logger, warnings } = notedWarnings();
  const reporter = new Reporter(logger);
  reporter.onError((error) => void reported.push(error));
  const engine = new Engine({
    persistence,
    schema: { bot: counting, chat: counting, user: counting },
    clock,
    reporter,
    concurrency: 64,
    onHandlerError: "rollback",
    maxAttempts: 3,
    onReplayNeeded: () => {},
    ...options,
  });
  await engine.load();
  return { engine, persistence, clock, reporter, reported, warnings };
}
