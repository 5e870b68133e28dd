import { SqlitePersistence, type Logger } from "../../src/index.ts";
import { DrivenClock } from "./driven-clock.ts";
import { makeApp, type MadeApp, type MyOptions } from "./made-app.ts";

/** A Monday, 10:00 in UTC. */
export const MONDAY: number = Date.UTC(2026, 5, 1, 10);

export const SECOND = 1000;

/** An application whose time the test moves on. */
export interface JobApp extends MadeApp {
  readonly clock: DrivenClock;
  /** The warnings in its log. */
  readonly warnings: readonly string[];
  /** Another process' life on the same file, once this one is shut down. `defines` is called before it runs jobs. */
  readonly again: (defines: (app: JobApp) => unknown, options?: Partial<MyOptions>) => Promise<JobApp>;
}

/** One that runs jobs as soon as `app.jobQueue.start()` is called, or an update comes. */
export function makeJobApp(
  options: Partial<MyOptions> = {},
  clock: DrivenClock = new DrivenClock({ now: MONDAY }),
): JobApp {
  const warnings: string[] = [];
  const logger: Logger = { debug() {}, info() {}, warn: (message) => void warnings.push(message), error() {} };
  const made = makeApp({ clock, logger, ...options });
  return {
    ...made,
    clock,
    warnings,
    async again(defines, more = {}) {
      await made.app.shutdown();
      const persistence = new SqlitePersistence({ path: made.path, ownerTimeout: 0 });
      const next = makeJobApp({ ...options, persistence, ...more }, clock);
      await defines(next);
      await next.app.jobQueue.start();
      await clock.advance(0);
      return next;
    },
  };
}
