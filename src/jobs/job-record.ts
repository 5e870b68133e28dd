import type { FoundBy } from "../data/record.ts";
import type { Engine } from "../engine/engine.ts";
import type { KeptValue } from "../engine/kept-value.ts";
import { isPerdureError, PerdureError } from "../errors.ts";
import type { Schedule } from "./schedule.ts";

/**
 * A job as it is kept: plain JSON, but for `data`. Whose it is, and when it is due, stand beside it (`KeptRecord`). Moments are milliseconds
 * since 1970.
 */
export interface KeptJob {
  /** The name of its definition. */
  readonly definition: string;
  readonly name: string;
  readonly schedule: Schedule;
  readonly data?: unknown;
  /** The version of the definition that `data` is of. */
  readonly version: number;
  /** The scheduled time of the earliest run that was not made. Absent where none is to come: the job has failed for good. */
  readonly next?: number | undefined;
  readonly paused?: true | undefined;
  /** The run `next` has failed, and is made again. */
  readonly retry?: { readonly at: number; readonly failed: number } | undefined;
  /** The last run failed. */
  readonly failure?: JobFailure | undefined;
  /** A run beside the schedule was asked for, at this moment. */
  readonly requested?: number | undefined;
  /** How often a run that an earlier process may have begun was begun, and not ended. */
  readonly begun?: number | undefined;
  /** How many of its runs are jobs of their own now, for which it stands here (`maxInstances`). */
  readonly instances?: number | undefined;
  /** All instances are taken: it waits until one ends. */
  readonly isFull?: true | undefined;
  /** The job of which this is an instance. */
  readonly instanceOf?: string | undefined;
}

/** Why a run failed. */
export interface JobFailure {
  /** The error's name and message. */
  readonly error: string;
  /** When it failed. */
  readonly at: number;
  /** The scheduled time of the run. */
  readonly run: number;
  /** How often the run was made. */
  readonly attempts: number;
}

/** Whose a job is. */
export type JobOwner = Pick<FoundBy, "chatId" | "userId">;

/** When something is to be done about the job; `undefined` while it waits for somebody. */
export function dueOf({ requested, paused, isFull, retry, next }: KeptJob): number | undefined {
  return requested ?? (paused || isFull ? undefined : (retry?.at ?? next));
}

/** The job in a record; `undefined` where there is none. Throws `PERDURE_CANNOT_DECODE` for what is no job. */
export function readJob(kept: KeptValue): KeptJob | undefined {
  if (kept.current === undefined) return undefined;
  return jobIn(kept.key, kept.get());
}

/** Likewise a copy: what is changed in it is not kept. */
export function copyOfJob(kept: KeptValue): KeptJob {
  return jobIn(kept.key, kept.copy());
}

/** The job in a record; `undefined` where there is none, or what cannot be read. */
export function readableJob(kept: KeptValue): KeptJob | undefined {
  try {
    return readJob(kept);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** Whether two jobs are of the same chat, whichever of its ids they name, or both of none. */
export function isSameChat(
  engine: Pick<Engine, "chatId">,
  one: number | undefined,
  other: number | undefined,
): boolean {
  return one === other || (one !== undefined && other !== undefined && engine.chatId(one) === engine.chatId(other));
}

/** Whether an error says that a job's record is none that this code reads: damaged, or of a newer version. */
export function isUnreadable(error: unknown): boolean {
  return isPerdureError(error, "PERDURE_CANNOT_DECODE") || isPerdureError(error, "PERDURE_NEWER_RECORD");
}

function jobIn(key: KeptValue["key"], value: unknown): KeptJob {
  const { definition, name, schedule, version } = (value ?? {}) as Partial<KeptJob>;
  const isJob =
    typeof definition === "string" &&
    typeof name === "string" &&
    typeof version === "number" &&
    typeof schedule === "object" &&
    schedule !== null;
  if (isJob) return value as KeptJob;
  const id = "id" in key ? JSON.stringify(key.id) : "";
  throw new PerdureError("PERDURE_CANNOT_DECODE", `The job ${id} is kept as something else. It is left as it is.`);
}

/** Keeps a job, with its unit of work. Whose it is stays, unless `owner` says. */
export function writeJob(kept: KeptValue, job: KeptJob, owner: JobOwner = kept.foundBy): void {
  const { chatId, userId } = owner;
  // What is absent is not written: it would be kept as undefined.
  kept.set(Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined)));
  kept.foundBy = { time: dueOf(job), chatId, userId };
}
