import type { Engine } from "../engine/engine.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";

/** What the job queue, and each job, need of the application. */
export interface JobHost {
  /** The time in milliseconds since 1970. */
  now(): number;
  /** The engine, opened if need be. */
  engine(): Promise<Engine>;
  /** The unit of work that the caller is a handler of. */
  unit(): UnitOfWork | undefined;
  /** Begins to run jobs, opening the application if need be. */
  start(): Promise<void>;
  /** Does something in the unit of work that the caller is a handler of, or as one of its own. */
  join<T>(name: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T>;
}

/** The same, for what is done in one unit of work, wherever it is called from. */
export function boundTo(unit: UnitOfWork, host: JobHost): JobHost {
  return {
    now: () => host.now(),
    engine: () => host.engine(),
    unit: () => unit,
    start: () => host.start(),
    join: (name, work) => unit.perform(name, () => work(unit)),
  };
}
