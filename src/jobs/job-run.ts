import type { UnitOfWork } from "../engine/unit-of-work.ts";
import type { Job } from "./job.ts";

/** One run of a job: what its definition's handler gets. */
export interface JobRun<Data = unknown> {
  /** Everything that the run reads and changes, the job's own record included. */
  readonly unit: UnitOfWork;
  readonly job: Job<Data>;
  /** When the run was to be made. */
  readonly scheduledTime: Date;
  /** Which attempt at this run it is: 1, and more where one has failed (`retry`). */
  readonly attempt: number;
}
