import type { Duration } from "../data/duration.ts";
import type { Task } from "../engine/assignments.ts";
import { PerdureError } from "../errors.ts";
import type { JobRun } from "./job-run.ts";
import { timeSpan } from "./when.ts";

declare const dataOf: unique symbol;

/**
 * What jobs are scheduled with, made by `jobQueue.define`. `Data` is the type of the data that each of its jobs must have; `undefined` where they need
 * none.
 */
export interface JobDefinition<Data> {
  /** The name that its jobs are kept with. */
  readonly name: string;
  /** Carries the type only. */
  readonly [dataOf]?: { readonly data: Data };
}

/** How often a run that fails is made again. */
export interface RetryPolicy {
  /** How often a run is made at most, the first time included. */
  readonly attempts: number;
  /**
   * The pause after a run that failed: the same one each time, or by how often the run has failed. Default: `"1s"`, doubled each time, up to
   * `"1h"`.
   */
  readonly backoff?: Duration | ((failed: number) => Duration) | undefined;
}

/** Options of `jobQueue.define`. They belong to the code and are not kept: a change of them counts for jobs that wait already. */
export interface DefineOptions<Data> {
  /** A run that is later than this is skipped. Default: however late a run is, it is made. */
  readonly misfireGrace?: Duration | undefined;
  /**
   * Whether several runs of a job that were missed become one, the last of them. Default `true`. With `false` each is made, the earliest first, one
   * after the other.
   */
  readonly coalesce?: boolean | undefined;
  /**
   * How many runs of one job that repeats may go on at the same time. Default 1: a run that is due while the one before goes on waits for it. Runs of a job
   * with a chat or a user take turns in any case.
   */
  readonly maxInstances?: number | undefined;
  /** What follows when the handler throws. Default: nothing is tried again. */
  readonly retry?: RetryPolicy | undefined;
  /** The version of the data. A job with data of an older one goes through `migrate` before it runs. Default 0. */
  readonly version?: number | undefined;
  /**
   * Brings the data of an older version up, in place or by returning it. Called when the job runs, and with every attempt; a job that repeats keeps what it
   * gave.
   */
  readonly migrate?: ((data: never, version: number) => Data | void) | undefined;
}

/** A definition as the queue uses it. */
export interface Defined {
  readonly name: string;
  readonly handler: (run: JobRun) => Promise<void>;
  readonly misfireGrace: number | undefined;
  readonly coalesce: boolean;
  readonly maxInstances: number;
  readonly attempts: number;
  /** The pause after a run that has failed so often, in milliseconds. */
  readonly pauseAfter: (failed: number) => number;
  readonly version: number;
  readonly migrate: ((data: unknown, version: number) => unknown) | undefined;
  /** What the run of a job with this data takes turns for and owns from the beginning, beside what the job says. */
  readonly party?: ((data: unknown) => RunParty) | undefined;
}

/** Whose turns a run takes, where the job does not belong to them, and what else it owns from the beginning. */
export type RunParty = Pick<Task, "chatId" | "userId" | "keys">;

/** The pauses between attempts, in milliseconds: the first, doubled each time, up to the last. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60 * 60 * 1000;

/** Checks what the compiler cannot, and fills in the defaults. Throws `PERDURE_INVALID_OPTION`. */
export function defined(
  name: string,
  handler: (run: JobRun) => Promise<void>,
  options: DefineOptions<unknown>,
): Defined {
  const { misfireGrace, coalesce = true, maxInstances = 1, retry, version = 0, migrate } = options;
  requireCount(name, "maxInstances", maxInstances, 1);
  requireCount(name, "retry.attempts", retry?.attempts ?? 1, 1);
  requireCount(name, "version", version, 0);
  if (migrate !== undefined && typeof migrate !== "function") throw invalid(name, "migrate", migrate, "a function");
  return {
    name,
    handler,
    misfireGrace: misfireGrace === undefined ? undefined : timeSpan(misfireGrace, `misfireGrace of the job "${name}"`),
    coalesce,
    maxInstances,
    attempts: retry?.attempts ?? 1,
    pauseAfter: pauses(retry?.backoff, `retry.backoff of the job "${name}"`),
    version,
    migrate: migrate as Defined["migrate"],
  };
}

function pauses(backoff: RetryPolicy["backoff"], option: string): Defined["pauseAfter"] {
  if (backoff === undefined) return (failed) => Math.min(FIRST_PAUSE * 2 ** (failed - 1), LONGEST_PAUSE);
  if (typeof backoff === "function") return (failed) => timeSpan(backoff(failed), option);
  const pause = timeSpan(backoff, option);
  return () => pause;
}

function requireCount(name: string, option: string, value: unknown, least: number): void {
  if (!Number.isInteger(value) || (value as number) < least) {
    throw invalid(name, option, value, `a whole number from ${least} on`);
  }
}

function invalid(name: string, option: string, value: unknown, wanted: string): PerdureError {
  return new PerdureError(
    "PERDURE_INVALID_OPTION",
    `${option} of the job "${name}" is ${String(value)}. It must be ${wanted}.`,
  );
}
