// A bot whose writes are recorded: `recorded-bot.ts` with a RecordedPlan as JSON in RECORDED_PLAN. It notes every text in its
// chat and counts it for its user and for the bot. On standard output it tells what it asks of its persistence, and when
// that is answered; whoever traces its system calls sees both among the writes to its files.
import { writeSync } from "node:fs";
import type { Update } from "@grammyjs/types";
import { Bot, type Context } from "grammy";
import {
  Application,
  SqlitePersistence,
  type Acceptance,
  type PersistentContext,
  type UnitCommit,
} from "../../src/index.ts";
import { ANSWERED, type PersistenceCall, type RecordedPlan } from "./recorded-plan.ts";

interface Kept {
  bot: { n: number };
  chat: { texts: string[] };
  user: { n: number };
}

const plan = JSON.parse(process.env["RECORDED_PLAN"] ?? "{}") as RecordedPlan;

function tell<T>(call: PersistenceCall, answer: () => T): T {
  writeSync(1, `${JSON.stringify(call)}\n`);
  const result = answer();
  writeSync(1, `${ANSWERED}\n`);
  return result;
}

class RecordedPersistence extends SqlitePersistence {
  override accept(updates: readonly Update[]): readonly Acceptance[] {
    const ids = updates.map(({ update_id }) => update_id);
    return tell({ name: "accept", ids }, () => super.accept(updates));
  }

  override noteAttempts(id: number, attempts: number): boolean {
    return tell({ name: "noteAttempts", id, attempts }, () => super.noteAttempts(id, attempts));
  }

  override commit(units: readonly UnitCommit[]): void {
    tell({ name: "commit", units }, () => {
      if (plan.mutant === "state before done") {
        super.commit(units.map(({ changes }) => ({ changes })));
        super.commit(units.map(({ done }) => ({ changes: [], done })));
      } else {
        super.commit(units);
      }
    });
  }
}

/** Opens every connection to SQLite with a log that is folded early, so that a short recording has it; and with what the mutant changes. */
function changeConnections(): void {
  const sqlite = process.getBuiltinModule("node:sqlite");
  class Changed extends sqlite.DatabaseSync {
    override exec(sql: string): void {
      const early = sql.replace(/wal_autocheckpoint = \d+/, "wal_autocheckpoint = 200");
      super.exec(plan.mutant === "synchronous off" ? early.replace("synchronous = full", "synchronous = off") : early);
    }
  }
  Object.assign(sqlite, { DatabaseSync: Changed });
}

changeConnections();
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
