import { DatabaseSync, type StatementSync } from "node:sqlite";
import { DONE_MEMORY } from "../../../src/persistence/atomic-persistence.ts";
import type { TimeoutData } from "../../../src/conversation/conversation-timeouts.ts";
import type { KeptRecord } from "../../../src/data/record.ts";
import type { KeptJob } from "../../../src/jobs/job-record.ts";
import { JOB, dueOf, jobText, textNow, type JobState } from "./job-state.ts";
import type { SetAsideUpdate } from "./kept.ts";
import { TALK, talkText, type TalkState } from "./talk-state.ts";

type Row = Record<string, unknown>;

/** What is in the file at one moment. */
export interface FileContent {
  /** When it was read. */
  readonly now: number;
  readonly records: ReadonlyMap<string, string>;
  /** By id, in order of arrival. */
  readonly inbox: ReadonlyMap<number, SetAsideUpdate>;
  readonly failed: readonly SetAsideUpdate[];
  readonly aliases: ReadonlyMap<number, number>;
  /** The ranges of done updates that are remembered at this time. */
  readonly done: readonly { readonly first: number; readonly last: number }[];
}

/** Whether the file remembers this update as done. */
export function isDone(id: number, { done }: FileContent): boolean {
  return done.some(({ first, last }) => first <= id && id <= last);
}

/** Reads a bot's file over a connection of its own, as anybody may while the bot runs. */
export class FileReader {
  readonly #database: DatabaseSync;
  readonly #records: StatementSync;
  readonly #jobs: StatementSync;
  readonly #talks: StatementSync;
  readonly #inbox: StatementSync;
  readonly #failed: StatementSync;
  readonly #aliases: StatementSync;
  readonly #done: StatementSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true });
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    this.#records = prepare(
      `select 'bot' as key, data from bot_data union all select 'chat:' || id, data from chat_data
       union all select 'user:' || id, data from user_data union all select 'entry:' || id, data from entry`,
    );
    this.#jobs = prepare("select id, due, chat_id, user_id, data from job");
    this.#talks = prepare("select key, data, chat_id, user_id from conversation");
    this.#inbox = prepare(`select update_id, attempts, "update" from inbox order by arrival`);
    this.#failed = prepare(`select update_id, attempts, "update" from failed order by rowid`);
    this.#aliases = prepare("select old_id, new_id from chat_alias");
    this.#done = prepare("select first_id, last_id from done where until >= ?");
  }

  read(now: number): FileContent {
    const rows = (statement: StatementSync, ...values: number[]): Row[] => statement.all(...values);
    const aliases = new Map(rows(this.#aliases).map((row) => [Number(row["old_id"]), Number(row["new_id"])]));
    const records = new Map([
      ...rows(this.#records).map((row): [string, string] => [String(row["key"]), String(row["data"])]),
      ...rows(this.#jobs).map((row): [string, string] => [JOB + String(row["id"]), jobIn(row)]),
      ...rows(this.#talks).map((row): [string, string] => [TALK + String(row["key"]).slice(1, -1), talkIn(row)]),
    ]);
    return {
      now,
      records: new Map([...records].map(([key, text]) => [key, textNow(key, text, aliases) as string])),
      inbox: new Map(rows(this.#inbox).map((row) => [Number(row["update_id"]), updateOf(row)])),
      failed: rows(this.#failed).map(updateOf),
      aliases,
      done: rows(this.#done, now - DONE_MEMORY).map((row) => ({
        first: Number(row["first_id"]),
        last: Number(row["last_id"]),
      })),
    };
  }

  close(): void {
    this.#database.close();
  }
}

function updateOf(row: Row): SetAsideUpdate {
  return { id: Number(row["update_id"]), attempts: Number(row["attempts"]), text: String(row["update"]) };
}

/** A job as it is kept, told as the model tells it. */
export function jobAsKept(record: Pick<KeptRecord, "text" | "time" | "chatId" | "userId">): string {
  const { schedule, definition, data, next, retry, failure, begun } = JSON.parse(record.text) as KeptJob;
  const isTimeout = definition.startsWith("perdure:");
  const job: JobState = {
    definition: isTimeout ? "timeout" : (definition as JobState["definition"]),
    rhythm: schedule.kind === "repeating" ? `every ${schedule.every}` : schedule.kind,
    anchor: schedule.kind === "once" ? schedule.at : schedule.kind === "repeating" ? schedule.anchor : undefined,
    data: isTimeout ? timeoutData(data as TimeoutData) : data,
    chat: record.chatId,
    user: record.userId,
    next,
    retryAt: retry?.at,
    retried: retry?.failed,
    failed: failure?.run,
    begun,
  };
  const { time = Infinity } = record;
  return time === dueOf(job) ? jobText(job) : `${jobText(job)}, found by ${time}`;
}

/** What the job of a timeout is about, as the model tells it. */
export function timeoutData({
  job,
  due,
  parties: { chat = 0, user = 0 },
}: TimeoutData): Pick<TalkState, "job" | "due" | "chat" | "user"> {
  return { job, due, chat, user };
}

function talkIn(row: Row): string {
  const { state, timeout } = JSON.parse(String(row["data"])) as Pick<TalkState, "state"> & { timeout: TalkState };
  const [chat, user] = [Number(row["chat_id"]), Number(row["user_id"])];
  return talkText({ state, job: timeout.job, due: timeout.due, chat, user });
}

function jobIn(row: Row): string {
  const [time, chatId, userId] = [row["due"], row["chat_id"], row["user_id"]].map((value) => {
    return value === null ? undefined : Number(value);
  });
  return jobAsKept({ text: String(row["data"]), time, chatId, userId });
}
