import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { INTERNAL } from "./internal.ts";
import { defined, type Defined, type DefineOptions, type RunParty } from "./job-definition.ts";
import type { JobDefinitions } from "./job-definitions.ts";
import { jobKey } from "./job-key.ts";
import { writeJob, type JobOwner } from "./job-record.ts";
import type { JobRun } from "./job-run.ts";

/** An internal job to be put. */
export interface InternalJob<Data> extends JobOwner {
  /** When it runs, in milliseconds since 1970. A moment that is past: at once. */
  readonly at: number;
  readonly data: Data;
}

/**
 * Jobs of one kind that a part of this library has for itself, each with an id that the part chooses: `new InternalJobs(definitions,
 * "conversation-timeout", handler)`. They are kept and run as all jobs are: the run of one is a unit of work, with the turns of its chat and its user,
 * and exactly once as far as the state is concerned. Users do not see them: `jobs()` lists them only if asked for.
 */
export class InternalJobs<Data> {
  readonly #name: string;

  /**
   * To be made once, when the application is created: a job whose definition is not there is not run.
   *
   * `handler` gets the run's unit of work, which owns the job's record already. When it is called, the job is removed: to put one with the same id is
   * a new job. If it throws, everything is rolled back, the error goes to `app.onError`, and `options.retry` says what follows.
   *
   * `options.party` names whose turns the run takes where the job does not belong to them, and records that it owns from the beginning: who owns one of
   * those and then touches the job goes first, and neither waits for the other for ever.
   */
  constructor(
    definitions: JobDefinitions,
    kind: string,
    handler: (run: JobRun<Data>) => Promise<void>,
    { party, ...options }: DefineOptions<Data> & { readonly party?: (data: Data) => RunParty } = {},
  ) {
    this.#name = `${INTERNAL}${kind}`;
    const run = handler as (run: JobRun) => Promise<void>;
    definitions.add({
      ...defined(this.#name, run, options as DefineOptions<unknown>),
      party: party as Defined["party"],
    });
  }

  /**
   * Puts a job, or moves the one that has this id: real with the commit of the unit, and not if it rolls back. Owns the job's record until then. Call
   * it in {@link UnitOfWork.perform}, or in what a handler waits for.
   */
  async put(unit: UnitOfWork, id: string, { at, data, chatId, userId }: InternalJob<Data>): Promise<void> {
    const name = this.#name;
    const next = Math.round(at);
    const kept = await unit.open(this.#key(id));
    writeJob(
      kept,
      { definition: name, name, schedule: { kind: "once", at: next }, data, version: 0, next },
      { chatId, userId },
    );
  }

  /** Removes the job with this id, likewise. Without one, it does nothing. */
  async remove(unit: UnitOfWork, id: string): Promise<void> {
    const kept = await unit.open(this.#key(id));
    kept.drop();
  }

  #key(id: string): ReturnType<typeof jobKey> {
    return jobKey(`${this.#name}:${id}`);
  }
}
