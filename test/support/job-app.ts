import { SqlitePersistence } from "../../src/index.ts";
import { DrivenClock } from "./driven-clock.ts";
import { makeApp, type MadeApp, type MyOptions } from "./made-app.ts";
import { notedWarnings } from "./noted-warnings.ts";

/** A Monday, 10:00 in UTC. */
export const MONDAY: number = Date.UTC(2026, 5, 1, 10);

export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

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
  path?: string,
): JobApp {
  const { logger, warnings } = notedWarnings();
  const app = makeApp({ clock, logger, ...options });
  const made = { ...app, path: path ?? app.path };
  return {
    ...made,
    clock,
    warnings,
    async again(defines, more = {}) {
      await made.app.shutdown();
      const persistence = new SqlitePersistence({ path: made.path, ownerTimeout: 0, durability: "os" });
      const next = makeJobApp({ ...options, persistence, ...more }, clock, made.path);
      await defines(next);
      await next.app.jobQueue.start();
      await clock.advance(0);
      return next;
    },
  };
}

/** An application that runs jobs. */
export async function startJobApp(options: Partial<MyOptions> = {}, clock?: DrivenClock): Promise<JobApp> {
  const made = makeJobApp(options, clock);
  await made.app.jobQueue.start();
  return made;
}
