import { isKeptText } from "../data/kept-text.ts";
import { randomUUID } from "node:crypto";
import type { Duration } from "../data/duration.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { PerdureError } from "../errors.ts";
import { isInternal } from "./internal.ts";
import { defined, type Defined, type DefineOptions, type JobDefinition } from "./job-definition.ts";
import type { JobDefinitions } from "./job-definitions.ts";
import { boundTo, type JobHost } from "./job-host.ts";
import { jobKey } from "./job-key.ts";
import { listJobs } from "./job-listing.ts";
import { readableJob, writeJob, type KeptJob } from "./job-record.ts";
import type { JobRun } from "./job-run.ts";
import { Job, jobOf, type JobState } from "./job.ts";
import { cronSchedule, dailySchedule, monthlySchedule, onceSchedule, repeatingSchedule } from "./make-schedule.ts";
import type {
  CommonJobOptions,
  CronJobOptions,
  DailyJobOptions,
  JobOptions,
  MonthlyJobOptions,
  OptionsArgument,
  RepeatingJobOptions,
} from "./schedule-options.ts";
import { firstRun, sameSchedule, type Schedule } from "./schedule.ts";
import type { TimeOfDay } from "./time-of-day.ts";
import type { When } from "./when.ts";

/** What a job's handler gets, beside what the application adds (`Extra`). */
export interface JobContext<Data, Extra> {
  /** The job that runs. */
  readonly job: Job<Data>;
  /** When this run was to be made: the scheduled time, however late it is. */
  readonly scheduledTime: Date;
  /** 1, and more where this run has failed and is made again. */
  readonly attempt: number;
  /** The job queue. What is scheduled, changed or removed with it belongs to this run. */
  readonly jobQueue: JobQueue<Extra>;
}

/** Does what a job is for. What it throws rolls the run back. */
export type JobHandler<Data, Extra> = (ctx: JobContext<Data, Extra> & Extra) => unknown;

/** Makes a run what a handler gets. */
export type MakeContext<Extra> = (run: JobRun) => JobContext<never, Extra> & Extra;

/** Which jobs. */
export interface JobFilter {
  readonly state?: JobState | undefined;
  /** Jobs with this name, or with one in which the pattern is found. */
  readonly name?: string | RegExp | undefined;
  /** Jobs of this definition. */
  readonly definition?: JobDefinition<unknown> | string | undefined;
  /** Jobs of this chat. They are found by an index, however many others there are. */
  readonly chatId?: number | undefined;
  /** Jobs of this user, likewise. */
  readonly userId?: number | undefined;
  /** Also those that the library has for itself, such as the timeouts of conversations. Default `false`. */
  readonly internal?: boolean | undefined;
}

/** The queue whose calls belong to this unit of work, wherever they are made. */
export let jobQueueIn: <Extra>(unit: UnitOfWork, queue: JobQueue<Extra>) => JobQueue<Extra>;

/**
 * Jobs: what the bot does at a later time. They are kept, as the name of their definition and their data, and they run after a restart, also those that
 * were due meanwhile.
 *
 * In a handler, in `app.transaction` and in the run of a job, what is scheduled, changed or removed here belongs to that unit of work: it becomes real with its
 * commit, and not if it rolls back. Elsewhere each call is a commit of its own.
 *
 * The run of a job is a unit of work: what it changes and the job's next time are one commit. It takes its turn with the updates of the job's chat
 * and user. As far as the state is concerned each run happens exactly once, whatever is killed when; a message that it has sent may be sent
 * again.
 */
export class JobQueue<Extra> {
  readonly #definitions: JobDefinitions;
  readonly #host: JobHost;
  readonly #makeContext: MakeContext<Extra>;

  static {
    jobQueueIn = (unit, queue) => new JobQueue(queue.#definitions, boundTo(unit, queue.#host), queue.#makeContext);
  }

  /** Made by the application: `app.jobQueue`, `ctx.jobQueue`, `tx.jobQueue`. */
  constructor(definitions: JobDefinitions, host: JobHost, makeContext: MakeContext<Extra>) {
    this.#definitions = definitions;
    this.#host = host;
    this.#makeContext = makeContext;
  }

  /**
   * Says what jobs of this name do: `const remind = app.jobQueue.define<{ text: string }>("remind", async (ctx) => ...)`. Do it where handlers are registered,
   * at each start: jobs are kept by this name, and one whose definition is not there waits until it is. Throws a `TypeError` for a name that is taken or
   * cannot be one, and `PERDURE_INVALID_OPTION`.
   */
  define<Data = undefined>(
    name: string,
    handler: JobHandler<Data, Extra>,
    options: DefineOptions<Data> = {},
  ): JobDefinition<Data> {
    requireName("The name of a definition", name);
    if (typeof handler !== "function") throw new TypeError(`The handler of the job "${name}" is no function.`);
    const run = async (of: JobRun): Promise<void> => {
      await handler(this.#makeContext(of) as JobContext<Data, Extra> & Extra);
    };
    this.#definitions.add(defined(name, run, options as DefineOptions<unknown>));
    return { name };
  }

  /**
   * One run, at a moment (PTB statement 179): a time span from now, a date, or a time of day. One that is past is made at once. At each start of the
   * program it is another job, or, with an id, the same one again: what is to run once and for all is not scheduled there.
   */
  runOnce<Data>(
    definition: JobDefinition<Data>,
    when: When,
    ...[options]: OptionsArgument<JobOptions<NoInfer<Data>>>
  ): Promise<Job<Data>> {
    return this.#schedule(definition, (now) => onceSchedule(when, now), options);
  }

  /** Runs in an interval (PTB statement 180). Outside of a unit of work it must have an id. */
  runRepeating<Data>(
    definition: JobDefinition<Data>,
    interval: Duration,
    ...[options]: OptionsArgument<RepeatingJobOptions<NoInfer<Data>>>
  ): Promise<Job<Data>> {
    return this.#schedule(definition, (now) => repeatingSchedule({ ...options, interval }, now), options);
  }

  /** A run on each day, or on some days of the week (PTB statement 181). Outside of a unit of work it must have an id. */
  runDaily<Data>(
    definition: JobDefinition<Data>,
    time: TimeOfDay,
    ...[options]: OptionsArgument<DailyJobOptions<NoInfer<Data>>>
  ): Promise<Job<Data>> {
    return this.#schedule(definition, (now) => dailySchedule({ ...options, time }, now), options);
  }

  /**
   * A run on one day of each month (PTB statement 181): 1 to 31, or -1 for the last. A month that lacks the day is skipped. Outside of a unit of
   * work it must have an id.
   */
  runMonthly<Data>(
    definition: JobDefinition<Data>,
    time: TimeOfDay,
    day: number,
    ...[options]: OptionsArgument<MonthlyJobOptions<NoInfer<Data>>>
  ): Promise<Job<Data>> {
    return this.#schedule(definition, (now) => monthlySchedule({ ...options, time, day }, now), options);
  }

  /** Runs at what a cron pattern names, such as `"0 9 * * 1-5"`. Outside of a unit of work it must have an id. */
  runCron<Data>(
    definition: JobDefinition<Data>,
    pattern: string,
    ...[options]: OptionsArgument<CronJobOptions<NoInfer<Data>>>
  ): Promise<Job<Data>> {
    return this.#schedule(definition, (now) => cronSchedule({ ...options, pattern }, now), options);
  }

  /** The job with this id; `undefined` when there is none. In a unit of work it is owned from then on, and its data may be changed in place. */
  getJob(id: string): Promise<Job | undefined> {
    return this.#host.join(`job ${id}`, async (unit) => jobOf(this.#host, id, await unit.open(jobKey(id))));
  }

  /**
   * The jobs that there are, in no particular order, read page by page: those of the last commit, and what this unit of work has changed. They are not
   * owned, and may have changed by the time that they are looked at.
   */
  jobs(filter: JobFilter = {}): AsyncGenerator<Job> {
    return listJobs(this.#host, filter);
  }

  /** Those with this name, or with one in which the pattern is found (PTB statement 182). Goes through all jobs; `jobs({ chatId, name })` need not. */
  async getJobsByName(name: string | RegExp): Promise<readonly Job[]> {
    const found: Job[] = [];
    for await (const job of this.jobs({ name })) found.push(job);
    return found;
  }

  /**
   * Begins to run jobs, opening the application if need be. The application does this itself when the bot begins to get updates, so this is for
   * programs that get none. Called again, it does nothing.
   */
  start(): Promise<void> {
    return this.#host.start();
  }

  #schedule<Data>(
    { name: definition }: JobDefinition<Data>,
    scheduleAt: (now: number) => Schedule,
    options: CommonJobOptions & { readonly data?: unknown } = {},
  ): Promise<Job<Data>> {
    const host = this.#host;
    const now = host.now();
    const isInUnit = host.unit() !== undefined;
    return host.join(`scheduling a job of ${definition}`, async (unit) => {
      const schedule = scheduleAt(now);
      const { version } = this.#defined(definition);
      const { name = definition, data, id = ownId(schedule, isInUnit), chatId, userId } = checked(options);
      const kept = await unit.open(jobKey(id));
      // What cannot be read can be replaced.
      const old = readableJob(kept);
      const isSame = old?.definition === definition && sameSchedule(old.schedule, schedule);
      const fresh = { definition, schedule, next: firstRun(schedule, now) };
      // The same schedule goes on: the grid of its runs, whether it is paused or has failed.
      const job: KeptJob = { ...(isSame ? old : fresh), name, data, version };
      const isOver = !isSame && job.next === undefined;
      if (isOver) kept.drop();
      else writeJob(kept, job, { chatId: await this.#chatNow(chatId), userId });
      return new Job<Data>(host, { id, job: isOver ? undefined : job, last: job, foundBy: kept.foundBy });
    });
  }

  /** A group's id may be the one that it had before it became a supergroup. */
  async #chatNow(chatId: number | undefined): Promise<number | undefined> {
    return chatId === undefined ? undefined : (await this.#host.engine()).chatId(chatId);
  }

  #defined(name: string): Defined {
    const definition = this.#definitions.get(name);
    if (definition !== undefined) return definition;
    throw new TypeError(`The job "${name}" is not defined in this application.`);
  }
}

/** An id of the job's own. At each start of a program it would be another one, and the jobs that repeat would add up. */
function ownId(schedule: Schedule, isInUnit: boolean): string {
  if (schedule.kind === "once" || isInUnit) return randomUUID();
  throw new PerdureError(
    "PERDURE_INVALID_OPTION",
    "A job that repeats was scheduled outside of a handler and without an id: each start of the program would add another one. " +
      'Give it one, such as { id: "backup" }.',
  );
}

function checked<Options extends CommonJobOptions>(options: Options): Options {
  const { id, chatId, userId } = options;
  if (id !== undefined) requireName("A job's id", id);
  requireOwner("chatId", chatId);
  requireOwner("userId", userId);
  return options;
}

function requireName(what: string, name: unknown): void {
  if (isKeptText(name) && name !== "" && !isInternal(name)) return;
  throw new TypeError(
    `${what} is well-formed text without U+0000 that does not begin with "perdure:", not ${JSON.stringify(name)}.`,
  );
}

function requireOwner(option: string, id: unknown): void {
  if (id === undefined || Number.isSafeInteger(id)) return;
  throw new TypeError(`${option} is a whole number, not ${JSON.stringify(id)}.`);
}
