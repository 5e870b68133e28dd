import type { Api, Context } from "grammy";
import type { KeptTypes } from "../data/kept-types.ts";
import type { JobContext, JobQueue } from "../jobs/job-queue.ts";
import type { JobRun } from "../jobs/job-run.ts";
import type { Application } from "./application.ts";
import { bindUnit, type PersistentFlavor } from "./context.ts";

/** What the application adds to what a job's handler gets. All of it throws `PERDURE_UNIT_OVER` once the run has ended. */
export interface PersistentJobContext<K extends KeptTypes> extends Pick<
  PersistentFlavor<K>,
  "botData" | "updateBotData" | "afterCommit"
> {
  /** The data of the job's chat, to change in place or to assign anew. Throws `PERDURE_NO_CHAT` for a job without `chatId`. */
  chatData: PersistentFlavor<K>["chatData"];
  /** The data of the job's user, likewise. Throws `PERDURE_NO_USER` for a job without `userId`. */
  userData: PersistentFlavor<K>["userData"];
  /** The bot's api. A message that is sent cannot be unsent: a run that is made again sends it again. */
  readonly api: Api;
  /** The application. What its methods do here belongs to this run, but for `transaction`, which is refused. */
  readonly application: Application<Context & PersistentFlavor<K>>;
}

/** The job queue of an application that keeps this. */
export type PersistentJobQueue<K extends KeptTypes> = JobQueue<PersistentJobContext<K>>;

/** What a run of a job is for its handler. */
export function jobContextOf<K extends KeptTypes>(
  { unit, job, scheduledTime, attempt }: JobRun,
  application: Application<never>,
): JobContext<never, PersistentJobContext<K>> & PersistentJobContext<K> {
  const ctx = { api: application.bot.api, job, scheduledTime, attempt };
  bindUnit(ctx, unit, application);
  return ctx as never;
}
