// A bot to be killed: `crash-bot.ts` with a CrashPlan as JSON in CRASH_PLAN. It notes every text in its chat, in order, and
// counts it for its user and for the bot; if the plan says so, it also schedules jobs. "/done" is answered. At the place that the plan
// names it dies.
import { flushCompileCache } from "node:module";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Update } from "@grammyjs/types";
import { run } from "@grammyjs/runner";
import { Bot, webhookCallback } from "grammy";
import type { MaybePromise } from "../src/data/maybe-promise.ts";
import { Application, SqlitePersistence, type Acceptance, type RecordChange, type UnitCommit } from "../src/index.ts";
import { addCrashConversation } from "./crash-conversation.ts";
import { OnPurpose, defineCrashJobs, type CrashContext } from "./crash-jobs.ts";
import type { CrashPlan, Place } from "./crash-plan.ts";
import { DeadlyPlaces } from "./deadly-places.ts";

// Who is killed does not get to it at its end.
flushCompileCache();
const plan = JSON.parse(process.env["CRASH_PLAN"] ?? "{}") as CrashPlan;
const places = new DeadlyPlaces(plan);

/** The persistence, with places to die at, and the faults that the story must find. */
class CrashingPersistence extends SqlitePersistence {
  override accept(updates: readonly Update[]): readonly Acceptance[] {
    places.pass("before accepting");
    const acceptances = places.within("while accepting", () =>
      plan.mutant === "acknowledge first" ? this.#acceptLate(updates) : super.accept(updates),
    );
    places.pass("after accepting");
    return acceptances;
  }

  override noteAttempts(updateId: number, attempts: number): MaybePromise<boolean> {
    places.pass("replay");
    return super.noteAttempts(updateId, attempts);
  }

  /** Whatever there is to write is written, in one commit or two, before anything is waited for. */
  override async commit(units: readonly UnitCommit[]): Promise<void> {
    // Of a job is what ends no update: its run, and what is noted about it.
    const isOfJob = units.every(
      ({ done, changes }) => done === undefined && changes.some(({ key }) => key.kind === "job"),
    );
    if (isOfJob) return this.#commitJob(units);
    places.pass("before a commit");
    if (plan.mutant === "state before done") {
      await this.#commitInTwo(
        "during a commit",
        units.map(({ changes }) => ({ changes })),
        units.map(({ done }) => ({ changes: [], done })),
      );
    } else if (plan.mutant === "data before conversation") {
      const isOfConversation = ({ key }: RecordChange): boolean => key.kind === "conversation";
      await this.#commitInTwo(
        "during a commit",
        units.map((unit) => ({ ...unit, changes: unit.changes.filter((one) => !isOfConversation(one)) })),
        units.map(({ changes }) => ({ changes: changes.filter(isOfConversation) })),
      );
    } else {
      const kept = plan.mutant === "no done mark" ? units.map(({ changes }) => ({ changes })) : units;
      await places.within("during a commit", () => super.commit(kept));
    }
    places.pass("after a commit");
  }

  async #commitJob(units: readonly UnitCommit[]): Promise<void> {
    const jobs = units.map(({ changes }) => ({ changes: changes.filter(({ key }) => key.kind === "job") }));
    const others = units.map(({ changes }) => ({ changes: changes.filter(({ key }) => key.kind !== "job") }));
    if (others.every(({ changes }) => changes.length === 0)) {
      // That a run begins which an earlier life may have begun, or that one has failed.
      places.pass("a run is noted");
      await super.commit(units);
      return;
    }
    places.pass("before a job's commit");
    if (plan.mutant === "state before job" || plan.mutant === "job before state") {
      const [first, second] = plan.mutant === "state before job" ? [others, jobs] : [jobs, others];
      await this.#commitInTwo("during a job's commit", first, second);
    } else {
      await places.within("during a job's commit", () => super.commit(units));
    }
    places.pass("after a job's commit");
  }

  async #commitInTwo(between: Place, first: readonly UnitCommit[], second: readonly UnitCommit[]): Promise<void> {
    const flushed = super.commit(first);
    places.pass(between);
    await Promise.all([flushed, super.commit(second)]);
  }

  /** Says that it has accepted, and does it a while later. */
  #acceptLate(updates: readonly Update[]): readonly Acceptance[] {
    setTimeout(() => {
      try {
        super.accept(updates);
      } catch {}
    }, 300);
    return updates.map(() => "accepted");
  }
}

const bot = new Bot<CrashContext>(plan.token, { client: { apiRoot: plan.apiRoot } });
const app = new Application(bot, {
  persistence: new CrashingPersistence({ path: plan.file, durability: plan.durability }),
  initial: { bot: () => ({ n: 0 }), chat: () => ({ texts: [] }), user: () => ({ n: 0 }) },
  concurrency: plan.mode === "one at a time" ? 1 : 64,
  // Each start may end in the same handler.
  maxAttempts: 1000,
});

const schedule = plan.load === "jobs" ? defineCrashJobs(app, places) : undefined;
// What fails on purpose is not told of.
if (schedule !== undefined)
  app.onError((error) => {
    if (!(error instanceof OnPurpose)) console.error(error);
  });
bot.catch(({ error }) => {
  if (!(error instanceof OnPurpose)) throw error;
});

bot.command("done", (ctx) => ctx.reply("done"));
bot.command("fail", async (ctx) => {
  await schedule?.(ctx, ctx.match);
  throw new OnPurpose("What was scheduled must not be there.");
});
const note = async (ctx: CrashContext): Promise<void> => {
  const text = ctx.msg?.text ?? "";
  ctx.chatData.texts.push(text);
  places.pass("in a handler");
  if (ctx.update.update_id % 4 === 0) await ctx.replyWithChatAction("typing");
  ctx.userData.n += 1;
  await schedule?.(ctx, text);
  await ctx.updateBotData((data) => (data.n += 1));
};
if (plan.load === "conversations") addCrashConversation(app, places, note);
else bot.on("message:text", note);

switch (plan.mode) {
  case "one at a time":
  case "64 at a time":
    await app.run();
    break;
  case "bot.start()":
    process.once("SIGTERM", () => void bot.stop());
    await bot.start();
    await app.shutdown();
    break;
  case "runner": {
    const runner = run(bot, { runner: { silent: true } });
    process.once("SIGTERM", () => void runner.stop().then(() => app.shutdown()));
    break;
  }
  case "webhook": {
    const callback = plan.stock
      ? webhookCallback(bot, "http")
      : app.webhookCallback("http", { acknowledge: "accepted" });
    const server = createServer((request, response) => {
      Promise.resolve(callback(request, response)).catch(() => response.writeHead(500).end());
    });
    server.listen(plan.port, "127.0.0.1", () => console.log(`port ${(server.address() as AddressInfo).port}`));
    process.once("SIGTERM", () => {
      server.close();
      server.closeAllConnections();
      void app.shutdown();
    });
  }
}
