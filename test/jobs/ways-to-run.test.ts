import { Bot, type Context } from "grammy";
import { expect, onTestFinished, test } from "vitest";
import { Application, SqlitePersistence, type PersistentContext } from "../../src/index.ts";
import { setUp } from "../support/setting.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { WAYS_TO_RUN } from "../support/ways-to-run.ts";

interface Made {
  readonly bot: Bot<PersistentContext<Context, { chat: { rung: number } }>>;
  readonly app: Application<PersistentContext<Context, { chat: { rung: number } }>>;
}

test.each(Object.entries(WAYS_TO_RUN))(
  "%s: jobs that were due before run, and those of its updates",
  async (_way, begin) => {
    const { emulator, token, ann, path } = await setUp();
    const make = (): Made & { schedule: (text: string, chatId: number) => Promise<unknown> } => {
      const bot: Made["bot"] = new Bot(token, { client: { apiRoot: emulator.url } });
      const persistence = new SqlitePersistence({ path, durability: "os" });
      const app: Made["app"] = new Application(bot, {
        persistence,
        logger: silentLogger,
        initial: { chat: () => ({ rung: 0 }) },
      });
      onTestFinished(() => app.shutdown());
      const ring = app.jobQueue.define<string>("ring", async (ctx) => {
        ctx.chatData.rung += 1;
        await ctx.api.sendMessage(Number(ctx.job.chatId), `${ctx.job.data} ${ctx.chatData.rung}`);
      });
      bot.on("message", (ctx) => ctx.jobQueue.runOnce(ring, 0, { data: ctx.msg.text ?? "", chatId: ctx.chat.id }));
      return { bot, app, schedule: (data, chatId) => app.jobQueue.runOnce(ring, 0, { data, chatId }) };
    };
    const before = make();
    await before.schedule("before", ann.id);
    await before.app.shutdown();

    const running = await begin(make());
    expect((await ann.nextReply()).text).toBe("before 1");
    await ann.send("now");
    expect((await ann.nextReply()).text).toBe("now 2");
    await running.stop();
  },
);
