// Microseconds per update: grammY without state, perdure, and SQLite alone writing the rows that perdure writes. Each in a
// process of its own, in turns. `node bench/updates.ts [rounds]`.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { Bot, type Context } from "grammy";
import { Application, SqlitePersistence, type PersistentContext } from "../src/index.ts";
import { ME, TelegramStub, messages } from "./telegram-stub.ts";

interface Counted {
  n: number;
  filler: string;
}
interface Load {
  readonly updates: number;
  readonly inFlight: number;
}

const CHATS = 1000;
const FILLER = "x".repeat(180);
const newRecord = (): Counted => ({ n: 0, filler: FILLER });
const LOADS: Record<string, Load> = {
  "one at a time": { updates: 1500, inFlight: 1 },
  "64 in flight": { updates: 19_200, inFlight: 64 },
};

/** Each handles the load and resolves with the sum of all counters, to be checked. */
const CONTENDERS: Record<string, (load: Load, folder: string) => Promise<number>> = {
  "grammY, plain Maps (the floor)": async (load) => {
    const stub = new TelegramStub(messages(load.updates, CHATS), load.updates, load.inFlight);
    const bot = new Bot("1:x", { botInfo: ME as never, client: { fetch: stub.fetch } });
    const chats = new Map<number, Counted>();
    const users = new Map<number, Counted>();
    bot.on("message", (ctx) => {
      touch(chats, ctx.chat.id).n += 1;
      touch(users, ctx.from.id).n += 1;
      stub.handled();
    });
    const running = bot.start();
    await stub.finished;
    await bot.stop();
    await running;
    return [...chats.values(), ...users.values()].reduce((sum, { n }) => sum + n, 0) / 2;
  },
  "perdure, durability disk": (load, folder) => perdure(load, folder, "disk"),
  "perdure, durability os": (load, folder) => perdure(load, folder, "os"),
  "SQLite alone, the same rows": async (load, folder) => raw(load, folder),
};

function touch(map: Map<number, Counted>, id: number): Counted {
  const found = map.get(id) ?? newRecord();
  map.set(id, found);
  return found;
}

async function perdure(load: Load, folder: string, durability: "disk" | "os"): Promise<number> {
  const path = join(folder, "bot.sqlite");
  const stub = new TelegramStub(messages(load.updates, CHATS), load.updates, load.inFlight);
  type Kept = { chat: Counted; user: Counted };
  const bot = new Bot<PersistentContext<Context, Kept>>("1:x", { botInfo: ME as never, client: { fetch: stub.fetch } });
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path, durability }),
    initial: { chat: newRecord, user: newRecord },
  });
  bot.on("message", (ctx) => {
    ctx.chatData.n += 1;
    ctx.userData.n += 1;
    ctx.afterCommit(() => stub.handled());
  });
  const running = app.run();
  await stub.finished;
  await app.stop();
  await running;
  const database = new DatabaseSync(path, { readOnly: true });
  const sum = database.prepare(
    "select sum(data->>'n') as n from (select data from chat_data union all select data from user_data)",
  );
  return Number(sum.get()?.["n"]) / 2;
}

/** The engine's limit: one commit accepts a batch, one makes it done. */
function raw({ updates, inFlight }: Load, folder: string): number {
  const database = new DatabaseSync(join(folder, "raw.sqlite"));
  database.exec(`
    pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 200;
    create table chat_data (id integer primary key, version integer, data text) strict;
    create table user_data (id integer primary key, version integer, data text) strict;
    create table inbox (arrival integer primary key, bot_id integer, update_id integer, accepted_at integer, "update" text, unique (bot_id, update_id)) strict;
    create table done (bot_id integer, first_id integer, last_id integer, since integer, until integer, primary key (bot_id, first_id)) strict, without rowid;
  `);
  const accept = database.prepare("insert into inbox values (?, 1, ?, 0, ?)");
  const finish = database.prepare("delete from inbox where bot_id = 1 and update_id = ?");
  const done = database.prepare("insert or replace into done values (1, 1, ?, 0, 0)");
  const chat = database.prepare("insert or replace into chat_data values (?, 0, ?)");
  const user = database.prepare("insert or replace into user_data values (?, 0, ?)");
  const counts = new Map<number, Counted>();
  const all = [...messages(updates, CHATS)];
  for (let start = 0; start < all.length; start += inFlight) {
    const batch = all.slice(start, start + inFlight);
    database.exec("begin immediate");
    for (const update of batch) accept.run(update.update_id, update.update_id, JSON.stringify(update));
    database.exec("commit; begin immediate");
    for (const update of batch) {
      const id = update.message?.chat.id ?? 0;
      const record = touch(counts, id);
      record.n += 1;
      const text = JSON.stringify(record);
      chat.run(id, text);
      user.run(id, text);
      finish.run(update.update_id);
    }
    done.run(batch.at(-1)?.update_id ?? 0);
    database.exec("commit");
  }
  return Number(database.prepare("select sum(data->>'n') as n from chat_data").get()?.["n"]);
}

const [contender, loadName] = process.argv.slice(2);
if (contender !== undefined && loadName !== undefined) await measureOne(contender, loadName);
else await measureAll(Number(contender ?? 5));

interface Figures {
  /** Microseconds per update. */
  readonly perUpdate: number;
  /** The longest time that the event loop was held up, in milliseconds. */
  readonly stall: number;
}

async function measureOne(name: string, load: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "perdure-bench-"));
  const chosen = LOADS[load] as Load;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begin = performance.now();
  const sum = await CONTENDERS[name]?.(chosen, folder);
  const milliseconds = performance.now() - begin;
  delay.disable();
  rmSync(folder, { recursive: true });
  if (sum !== chosen.updates) throw new Error(`${name}: the counters add up to ${sum}, not ${chosen.updates}`);
  const figures: Figures = { perUpdate: (milliseconds * 1000) / chosen.updates, stall: delay.max / 1e6 };
  process.send?.(figures);
}

async function measureAll(rounds: number): Promise<void> {
  for (const load of Object.keys(LOADS)) {
    const figures = new Map<string, Figures[]>();
    for (let round = 0; round < rounds; round += 1) {
      for (const name of Object.keys(CONTENDERS)) {
        const child = fork(new URL(import.meta.url), [name, load]);
        const [figure] = (await once(child, "message")) as [Figures];
        figures.set(name, [...(figures.get(name) ?? []), figure]);
        await once(child, "exit");
      }
    }
    print(load, figures);
  }
}

function print(load: string, figures: ReadonlyMap<string, readonly Figures[]>): void {
  console.log(`\n${load}: microseconds per update, median (least to most); longest stall of the event loop, median`);
  const medians = [...figures.values()].map((each) => median(each.map(({ perUpdate }) => perUpdate)));
  const [floor = Number.NaN, raw = Number.NaN] = [medians.at(0), medians.at(-1)];
  for (const [name, each] of figures) {
    const sorted = each.map(({ perUpdate }) => perUpdate).toSorted((a, b) => a - b);
    const middle = median(sorted);
    const spread = `(${sorted[0]?.toFixed(1)} to ${sorted.at(-1)?.toFixed(1)})`;
    const ratios = `${(middle / floor).toFixed(1).padStart(6)} x floor ${(middle / raw).toFixed(2).padStart(6)} x SQLite alone`;
    const longest = median(each.map((figure) => figure.stall));
    // Without a network, the floor and SQLite alone never return to the event loop's timers: nothing to measure.
    const stall = longest === 0 ? "" : `${longest.toFixed(1).padStart(6)} ms`;
    console.log(`  ${name.padEnd(32)} ${middle.toFixed(1).padStart(8)} ${spread.padEnd(20)} ${ratios} ${stall}`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
