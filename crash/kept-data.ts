import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { query, readTable } from "../test/support/read-file.ts";
import type { Step } from "./conversation-steps.ts";
import type { Storage } from "./crash-plan.ts";

/** What a bot has kept, as it stands on the disk while no bot runs. */
export interface KeptData {
  readonly chats: ReadonlyMap<number, readonly string[]>;
  readonly users: ReadonlyMap<number, number>;
  /** What the bot has counted; `undefined` for a storage that keeps nothing for the bot. */
  readonly bot: number | undefined;
  /** The texts of the updates that were accepted and are not done. */
  readonly open: readonly string[];
  /** The runs of jobs that each chat, each user and the bot knows of, and the jobs that are not over. */
  readonly runs: ReadonlyMap<number, readonly string[]>;
  readonly userRuns: ReadonlyMap<number, number>;
  readonly botRuns: number;
  readonly jobs: readonly KeptJob[];
  /** The steps of conversations that each chat knows of. */
  readonly steps: ReadonlyMap<number, readonly Step[]>;
  /** The states of conversations, and those that have a timeout, by chat and user as JSON. */
  readonly conversations: ReadonlyMap<string, string>;
  readonly timeouts: ReadonlySet<string>;
  /** Files that cannot be read. */
  readonly unreadable: number;
}

/** A job that is not over. */
interface KeptJob {
  readonly id: string;
  /** The earliest run that was not made, in milliseconds since 1970. */
  readonly next: number | undefined;
}

/** Of a bot with neither jobs nor conversations. */
export const TEXTS_ONLY: Pick<
  KeptData,
  "runs" | "userRuns" | "botRuns" | "jobs" | "steps" | "conversations" | "timeouts"
> = {
  runs: new Map(),
  userRuns: new Map(),
  botRuns: 0,
  jobs: [],
  steps: new Map(),
  conversations: new Map(),
  timeouts: new Set(),
};
const NOTHING: KeptData = { chats: new Map(), users: new Map(), bot: 0, open: [], ...TEXTS_ONLY, unreadable: 0 };

/** Looks at what is kept, without changing it: the next bot process has to cope by itself. */
export function readKeptData(storage: Storage, file: string): KeptData {
  return storage === "file" ? readSessions(file) : readDatabase(file);
}

/** Of a copy, since whoever opens the file repairs it. */
function readDatabase(file: string): KeptData {
  if (!existsSync(file)) return NOTHING;
  const folder = mkdtempSync(join(tmpdir(), "perdure-look-"));
  try {
    const copy = join(folder, "bot.sqlite");
    for (const suffix of ["", "-wal"]) if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
    return readCopy(copy);
  } catch {
    return { ...NOTHING, unreadable: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readCopy(copy: string): KeptData {
  const found = query(copy, "pragma integrity_check");
  if (found[0]?.["integrity_check"] !== "ok") return { ...NOTHING, unreadable: 1 };
  const [chats, users] = [[...readTable(copy, "chat_data")], [...readTable(copy, "user_data")]];
  const bot = readTable(copy, "bot_data").get(1);
  const jobs = query(copy, "select id, data->>'next' as next, chat_id, user_id from job");
  const conversations = query(copy, "select key, data->>'state' as state from conversation");
  const open = query(copy, `select "update"->>'$.message.text' as text from inbox order by arrival`);
  return {
    chats: new Map(chats.map(([id, { texts }]) => [id, texts as string[]])),
    users: new Map(users.map(([id, { n }]) => [id, Number(n)])),
    bot: Number(bot?.["n"] ?? 0),
    open: open.map(({ text }) => String(text)),
    runs: new Map(chats.map(([id, { runs }]) => [id, (runs ?? []) as string[]])),
    userRuns: new Map(users.map(([id, { runs }]) => [id, Number(runs ?? 0)])),
    botRuns: Number(bot?.["runs"] ?? 0),
    jobs: jobs.map(({ id, next }) => ({ id: String(id), next: next === null ? undefined : Number(next) })),
    steps: new Map(chats.map(([id, { steps }]) => [id, (steps ?? []) as Step[]])),
    conversations: new Map(conversations.map(({ key, state }) => [String(key), String(state)])),
    timeouts: new Set(jobs.map(({ chat_id, user_id }) => JSON.stringify([chat_id, user_id]))),
    unreadable: 0,
  };
}

/** The folders `chat` and `user` of grammY's file storage: a file for each key. */
function readSessions(folder: string): KeptData {
  const chats = readFolder<{ texts: string[] }>(join(folder, "chat"));
  const users = readFolder<{ n: number }>(join(folder, "user"));
  return {
    chats: new Map([...chats.values].map(([id, { texts }]) => [id, texts])),
    users: new Map([...users.values].map(([id, { n }]) => [id, n])),
    bot: undefined,
    open: [],
    ...TEXTS_ONLY,
    unreadable: chats.unreadable + users.unreadable,
  };
}

function readFolder<T>(folder: string): { values: Map<number, T>; unreadable: number } {
  const values = new Map<number, T>();
  let unreadable = 0;
  for (const path of existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : []) {
    const id = /([-\d]+)\.json$/.exec(path)?.[1];
    if (id === undefined) continue;
    try {
      values.set(Number(id), JSON.parse(readFileSync(join(folder, path), "utf8")) as T);
    } catch {
      unreadable += 1;
    }
  }
  return { values, unreadable };
}
