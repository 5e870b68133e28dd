// What jobs cost: `npm run bench:jobs`. A million that wait, at the start and for each update; ten thousand that are due in the same second.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Update } from "@grammyjs/types";
import { Bot, type Context } from "grammy";
import { Application, SqlitePersistence, type PersistentContext } from "../src/index.ts";
import { messageOf } from "./load.ts";
import { spreadOf } from "./statistics.ts";

type MyContext = PersistentContext<Context, { chat: { n: number } }>;

const WAITING = Number(process.env["JOBS"] ?? 1_000_000);
const DUE = 10_000;
const UPDATES = 3000;
const PAGE = 10_000;
const FAR = Date.now() + 365 * 24 * 60 * 60 * 1000;
/** Of a process that only starts on a file. */
const [startedFolder, startedFile] = process.argv.slice(2);
const folder = startedFolder ?? mkdtempSync(join(tmpdir(), "perdure-jobs-"));
/** Each process begins with others: what is done is not run again. */
let updateId = Date.now();

interface Made {
  readonly bot: Bot<MyContext>;
  readonly app: Application<MyContext>;
  /** How many runs have ended, and how many went on at the same time. */
  readonly runs: { ended: number; running: number; most: number };
}

function make(file: string): Made {
  const bot = new Bot<MyContext>("1:x", { botInfo: { id: 1, is_bot: true, first_name: "b", username: "b" } as never });
  const persistence = new SqlitePersistence({ path: join(folder, file) });
  const app = new Application(bot, { persistence, initial: { chat: () => ({ n: 0 }) } });
  const runs = { ended: 0, running: 0, most: 0 };
  app.jobQueue.define("job", async (ctx) => {
    runs.running += 1;
    runs.most = Math.max(runs.most, runs.running);
    ctx.chatData.n += 1;
    await new Promise((resolve) => setImmediate(resolve));
    runs.running -= 1;
    ctx.afterCommit(() => void (runs.ended += 1));
  });
  bot.on("message", (ctx) => void (ctx.chatData.n += 1));
  return { bot, app, runs };
}

/** Puts jobs into a file as fast as the file takes them. */
async function fill(file: string, count: number, at: number): Promise<void> {
  const persistence = new SqlitePersistence({ path: join(folder, file) });
  await persistence.open({ botId: 1, now: () => Date.now() });
  for (let from = 0; from < count; from += PAGE) {
    const changes = Array.from({ length: Math.min(PAGE, count - from) }, (_, index) => {
      const chatId = from + index + 1;
      const schedule = { kind: "once", at };
      const value = { definition: "job", name: "job", schedule, data: { text: "Tea is ready" }, version: 0, next: at };
      const record = { text: JSON.stringify(value), version: 0, time: at, chatId };
      return { key: { kind: "job", id: `job ${chatId}` } as const, record };
    });
    await persistence.commit([{ changes }]);
  }
  await persistence.close();
}

function update(chat: number): Update {
  return messageOf(updateId++, chat);
}

/** What a start costs, and the updates after it. */
interface Start {
  readonly milliseconds: number;
  /** Of the whole process, once it has started. */
  readonly megabytes: number;
  /** Microseconds: the median time, and the mean time of the processor. */
  readonly perUpdate: number;
  readonly processor: number;
}

/** A start in a process of its own. */
function startOf(file: string): Start {
  const script = new URL(import.meta.url).pathname;
  const options = ["--disable-warning=ExperimentalWarning", "--expose-gc", script, folder, file];
  return JSON.parse(execFileSync(process.execPath, options, { encoding: "utf8" })) as Start;
}

async function start(file: string): Promise<Start> {
  const { bot, app } = make(file);
  const began = performance.now();
  await app.jobQueue.start();
  const milliseconds = performance.now() - began;
  await new Promise((resolve) => setTimeout(resolve, 200));
  globalThis.gc?.();
  const megabytes = process.memoryUsage().rss / 2 ** 20;
  for (let warm = 0; warm < 1000; warm += 1) await bot.handleUpdate(update((warm % 500) + 1));
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let index = 0; index < UPDATES; index += 1) {
    const at = performance.now();
    await bot.handleUpdate(update((index % 500) + 1));
    times.push(performance.now() - at);
  }
  const { user, system } = process.cpuUsage(cpu);
  await app.shutdown();
  return { milliseconds, megabytes, perUpdate: spreadOf(times).median * 1000, processor: (user + system) / UPDATES };
}

async function dueAtOnce(): Promise<void> {
  await fill("due.sqlite", DUE, Date.now() + 3000);
  const { app, runs } = make("due.sqlite");
  await app.jobQueue.start();
  while (runs.ended === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const began = performance.now();
  const before = process.memoryUsage().rss;
  const cpu = process.cpuUsage();
  let peak = 0;
  let longest = 0;
  for (let last = performance.now(); runs.ended < DUE; last = performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    longest = Math.max(longest, performance.now() - last);
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await app.shutdown();
  const growth = Math.round((peak - before) / 2 ** 20);
  console.log(
    `${DUE} due in the same second: ${seconds.toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of processor time, ` +
      `at most ${runs.most} at the same time, ${growth} MB more, the event loop held up for ${longest.toFixed(1)} ms at most`,
  );
}

async function compare(): Promise<void> {
  await fill("none.sqlite", 0, FAR);
  await fill("many.sqlite", WAITING, FAR);
  for (let round = 1; round <= 5; round += 1) {
    for (const file of ["none.sqlite", "many.sqlite"]) {
      const { milliseconds, megabytes, perUpdate, processor } = startOf(file);
      console.log(
        `${file === "none.sqlite" ? 0 : WAITING} waiting: start ${milliseconds.toFixed(1)} ms, process ${megabytes.toFixed(1)} MB, ` +
          `one update at a time ${perUpdate.toFixed(0)} us (median), ${processor.toFixed(0)} us of processor time (mean)`,
      );
    }
  }
  await dueAtOnce();
}

if (startedFile !== undefined) console.log(JSON.stringify(await start(startedFile)));
else await compare().finally(() => rmSync(folder, { recursive: true }));
