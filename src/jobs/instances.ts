import type { JobKey } from "../data/record.ts";
import type { KeptValue } from "../engine/kept-value.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { INTERNAL } from "./internal.ts";
import type { Defined } from "./job-definition.ts";
import { jobKey } from "./job-key.ts";
import { readJob, writeJob, type JobFailure, type KeptJob } from "./job-record.ts";
import { dueRuns, type DueRuns } from "./misfire.ts";
import { failed } from "./run-plan.ts";

// `maxInstances`: a run owns its job's record until its commit, so one job makes one run at a time. A job that may make several leaves each run that
// is due to a job of that run alone, an instance, and goes on to its next time in the same commit.

/** Whether the runs of a job are jobs of their own. */
export function hasInstances({ schedule, requested, retry, instanceOf }: KeptJob, { maxInstances }: Defined): boolean {
  const isOrdinary = requested === undefined && retry === undefined && instanceOf === undefined;
  return maxInstances > 1 && schedule.kind !== "once" && isOrdinary;
}

/** Puts an instance for each run of a job that is due, as many as there may be; for the others it waits until an instance ends. */
export async function putInstances(
  unit: UnitOfWork,
  kept: KeptValue,
  job: KeptJob,
  definition: Defined,
  now: number,
): Promise<DueRuns["skipped"]> {
  const { id } = kept.key as JobKey;
  const { instances = 0, next = now } = job;
  const most = definition.maxInstances - instances;
  const { runs, next: after, skipped } = dueRuns({ ...definition, schedule: job.schedule, due: next, now, most });
  for (const run of runs) {
    const instance = await unit.open(jobKey(`${INTERNAL}run:${run}:${id}`));
    const schedule = { kind: "once", at: run } as const;
    const { definition: name, data, version } = job;
    writeJob(
      instance,
      { definition: name, name: job.name, schedule, data, version, next: run, instanceOf: id },
      kept.foundBy,
    );
  }
  if (after === undefined) kept.drop();
  else {
    const isFull = runs.length >= most ? true : undefined;
    writeJob(kept, { ...job, next: after, instances: instances + runs.length, isFull, begun: undefined });
  }
  return skipped;
}

/** An instance has ended: its job may have another one. */
export async function endInstance(unit: UnitOfWork, of: string, failure?: JobFailure): Promise<void> {
  const kept = await unit.open(jobKey(of));
  const job = readJob(kept);
  if (job !== undefined) writeJob(kept, { ...withoutOne(job), failure });
}

/** An instance never ends, and its job runs no more. */
export async function failForGood(unit: UnitOfWork, of: string, failure: JobFailure): Promise<void> {
  const kept = await unit.open(jobKey(of));
  const job = readJob(kept);
  if (job !== undefined) writeJob(kept, failed(withoutOne(job), failure));
}

function withoutOne(job: KeptJob): KeptJob {
  return { ...job, instances: Math.max(0, (job.instances ?? 0) - 1) || undefined, isFull: undefined };
}
