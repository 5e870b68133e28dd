import type { LastOption } from "./make-schedule.ts";
import type { When } from "./when.ts";

/** What every job may be scheduled with, beside its data. */
export interface CommonJobOptions {
  /**
   * Names the job: another one with this id is replaced. If it has the same definition and the same schedule, its next time stays, and so does whether it is
   * paused, is tried again, or has failed. Well-formed text without U+0000 that does not begin with `"perdure:"`. Default: an id of its own.
   */
  readonly id?: string | undefined;
  /** A name to find it by, which others may have too. Default: the name of the definition (PTB statement 182). */
  readonly name?: string | undefined;
  /** The chat to which it belongs: its runs have the chat's data and take the chat's turn. It moves with the chat. */
  readonly chatId?: number | undefined;
  /** The user to whom it belongs, likewise. `app.forgetUser` removes it. */
  readonly userId?: number | undefined;
}

/** What a job is scheduled with. `data` is required where its definition has data. It is any value that the codec keeps. */
export type JobOptions<Data> = CommonJobOptions &
  (undefined extends Data ? { readonly data?: Data | undefined } : { readonly data: Data });

/** The last argument of what schedules a job: it may be left out where nothing in it is required. */
export type OptionsArgument<Options> = Record<never, never> extends Options ? [options?: Options] : [options: Options];

/** Of a job that repeats. */
export type RepeatingJobOptions<Data> = JobOptions<Data> &
  LastOption & {
    /** The first run. Default: one interval from now. A date that is past counts as the beginning of the grid on which the runs are. */
    readonly first?: When | undefined;
  };

/** Of a daily job. */
export type DailyJobOptions<Data> = JobOptions<Data> &
  LastOption & {
    /** On which days: 0 is Sunday, 6 is Saturday. Default: all. */
    readonly days?: readonly number[] | undefined;
  };

/** Of a monthly job. */
export type MonthlyJobOptions<Data> = JobOptions<Data> & LastOption;

/** Of a job with a cron pattern. */
export type CronJobOptions<Data> = JobOptions<Data> &
  LastOption & {
    /** The IANA name of the time zone. Default `"UTC"`. */
    readonly zone?: string | undefined;
  };
