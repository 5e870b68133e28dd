// A program with jobs of which one ends the process: `poisonous-job-bot.ts FILE`. Prints which jobs have failed once nothing is due any more.
import { Bot, type Context } from "grammy";
import { Application, SqlitePersistence, type PersistentContext } from "../../src/index.ts";

const [path = ""] = process.argv.slice(2);
const bot = new Bot<PersistentContext<Context, { bot: { ran: string[] } }>>("1:x");
const app = new Application(bot, {
  persistence: new SqlitePersistence({ path }),
  initial: { bot: () => ({ ran: [] }) },
});

const job = app.jobQueue.define("job", async (ctx) => {
  if (ctx.job.id === "poison") process.abort();
  await ctx.updateBotData((data) => data.ran.push(ctx.job.id));
});
await app.initialize();
await app.transaction({}, async (tx) => {
  if (tx.botData.ran.length > 0 || (await tx.jobQueue.getJob("poison")) !== undefined) return;
  for (const id of ["a", "b", "poison", "c", "d"]) await tx.jobQueue.runOnce(job, 0, { id });
});
await app.jobQueue.start();
for (;;) {
  const ran = await app.transaction({}, (tx) => tx.botData.ran);
  const failed: unknown[] = [];
  for await (const { id, failure } of app.jobQueue.jobs({ state: "failed" })) failed.push([id, failure?.attempts]);
  if (failed.length > 0 && ran.length === 4) {
    console.log(JSON.stringify({ ran, failed }));
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 10));
}
await app.shutdown();
