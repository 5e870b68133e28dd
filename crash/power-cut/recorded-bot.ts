// A bot whose writes are recorded: `recorded-bot.ts` with a RecordedPlan as JSON in RECORDED_PLAN. It notes every text in its
// chat and counts it for its user and for the bot. On standard output it tells what it asks of its persistence, and when
// that is answered; whoever traces its system calls sees both among the writes to its files.
import fs, { writeSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import type { Update } from "@grammyjs/types";
import { Bot, type Context } from "grammy";
import {
  Application,
  SqlitePersistence,
  type Acceptance,
  type PersistentContext,
  type UnitCommit,
} from "../../src/index.ts";
import type { MaybePromise } from "../../src/data/maybe-promise.ts";
import type { PersistenceCall, PersistenceLine, RecordedPlan } from "./recorded-plan.ts";

interface Kept {
  bot: { n: number };
  chat: { texts: string[] };
  user: { n: number };
}

const plan = JSON.parse(process.env["RECORDED_PLAN"] ?? "{}") as RecordedPlan;

/** How many calls have begun. */
let begun = 0;

function tell(line: PersistenceLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Whatever a call writes it writes before it returns: the next one begins after it. */
function begin(call: PersistenceCall): void {
  tell(call);
  begun += 1;
}

async function answered<T>(answer: MaybePromise<T>): Promise<T> {
  const until = begun;
  const result = await answer;
  tell({ name: "answered", since: begun - until });
  return result;
}

class RecordedPersistence extends SqlitePersistence {
  override accept(updates: readonly Update[]): readonly Acceptance[] {
    begin({ name: "accept", ids: updates.map(({ update_id }) => update_id) });
    return super.accept(updates);
  }

  override sync(): Promise<void> {
    return answered(plan.mutant === "confirmed first" ? undefined : super.sync());
  }

  override noteAttempts(id: number, attempts: number): Promise<boolean> {
    begin({ name: "noteAttempts", id, attempts });
    return answered(super.noteAttempts(id, attempts));
  }

  override commit(units: readonly UnitCommit[]): Promise<void> {
    begin({ name: "commit", units });
    if (plan.mutant !== "state before done") return answered(super.commit(units));
    void super.commit(units.map(({ changes }) => ({ changes })));
    return answered(super.commit(units.map(({ done }) => ({ changes: [], done }))));
  }
}

/** Opens every connection to SQLite with a log that is folded early, so that a short recording has it. */
function foldEarly(): void {
  const sqlite = process.getBuiltinModule("node:sqlite");
  class Changed extends sqlite.DatabaseSync {
    override exec(sql: string): void {
      super.exec(sql.replace(/wal_autocheckpoint = \d+/, "wal_autocheckpoint = 200"));
    }
  }
  Object.assign(sqlite, { DatabaseSync: Changed });
}

/** SQLite's own syncs, of a log that begins anew and of one that is folded, go on. */
function neverFlush(): void {
  const fdatasync = (_descriptor: number, done: () => void): void => void setImmediate(done);
  Object.assign(fs, { fdatasyncSync: () => {}, fdatasync });
  syncBuiltinESMExports();
}

foldEarly();
if (plan.mutant === "never flushed") neverFlush();
const bot = new Bot<PersistentContext<Context, Kept>>(plan.token, { client: { apiRoot: plan.apiRoot } });
const app = new Application(bot, {
  persistence: new RecordedPersistence({ path: plan.file, durability: plan.durability }),
  initial: { bot: () => ({ n: 0 }), chat: () => ({ texts: [] }), user: () => ({ n: 0 }) },
});

bot.on("message:text", async (ctx) => {
  if (ctx.msg.text === plan.diesAt) process.kill(process.pid, "SIGKILL");
  ctx.chatData.texts.push(ctx.msg.text);
  ctx.userData.n += 1;
  await ctx.updateBotData((data) => (data.n += 1));
  ctx.afterCommit(async () => void (await ctx.reply("noted")));
});

// A signal would be for strace.
process.stdin.resume().once("end", () => void app.stop());
await app.run();
