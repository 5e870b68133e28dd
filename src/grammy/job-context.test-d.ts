import { Bot, type Api, type Context } from "grammy";
import { assertType, describe, expectTypeOf, test } from "vitest";
import { Application, SqlitePersistence, type Job, type JobDefinition, type PersistentContext } from "../index.ts";

interface Kept {
  bot: { greeted: number };
  chat: { messages: number };
  user: { name?: string };
}
const persistence = new SqlitePersistence({ path: "bot.sqlite" });
const bot = new Bot<PersistentContext<Context, Kept>>("1:x");
const initial = { bot: () => ({ greeted: 0 }), chat: () => ({ messages: 0 }) };
const app = new Application(bot, { persistence, initial });

describe("a definition", () => {
  test("its handler's context has what the bot keeps, and the job's data", () => {
    app.jobQueue.define<{ text: string }>("remind", async (ctx) => {
      expectTypeOf(ctx.job.data).toEqualTypeOf<{ text: string }>();
      expectTypeOf(ctx.chatData).toEqualTypeOf<{ messages: number }>();
      expectTypeOf(ctx.userData).toEqualTypeOf<{ name?: string }>();
      expectTypeOf(ctx.botData.greeted).toEqualTypeOf<number>();
      expectTypeOf(await ctx.updateBotData((data) => (data.greeted += 1))).toEqualTypeOf<number>();
      expectTypeOf(ctx.api).toEqualTypeOf<Api>();
      expectTypeOf(ctx.scheduledTime).toEqualTypeOf<Date>();
      // @ts-expect-error no update
      expectTypeOf(ctx.update).toBeNever();
    });
  });

  test("its data is required where it is scheduled, and of its type", () => {
    const remind = app.jobQueue.define<{ text: string }>("remind", () => {});
    expectTypeOf(remind).toEqualTypeOf<JobDefinition<{ text: string }>>();
    expectTypeOf(app.jobQueue.runOnce(remind, "1m", { data: { text: "tea" } })).resolves.toEqualTypeOf<
      Job<{ text: string }>
    >();
    // @ts-expect-error the data is missing
    assertType(app.jobQueue.runOnce(remind, "1m"));
    // @ts-expect-error the data is missing
    assertType(app.jobQueue.runRepeating(remind, "1m", { id: "a" }));
    // @ts-expect-error of another type
    assertType(app.jobQueue.runDaily(remind, "12:00", { data: { text: 5 } }));
    // @ts-expect-error of another type
    assertType(app.jobQueue.runOnce(remind, "1m", { data: "tea" }));
    // @ts-expect-error an option that does not exist
    assertType(app.jobQueue.runOnce(remind, "1m", { data: { text: "tea" }, first: "1m" }));
  });

  test("without data nothing is required, and none may be given", () => {
    const tick = app.jobQueue.define("tick", (ctx) => {
      expectTypeOf(ctx.job.data).toEqualTypeOf<undefined>();
    });
    assertType(app.jobQueue.runOnce(tick, "1m"));
    assertType(app.jobQueue.runMonthly(tick, "12:00", -1, { id: "a" }));
    // @ts-expect-error it has no data
    assertType(app.jobQueue.runOnce(tick, "1m", { data: 5 }));
  });

  test("data that may be missing need not be given", () => {
    const maybe = app.jobQueue.define<string | undefined>("maybe", () => {});
    assertType(app.jobQueue.runOnce(maybe, "1m"));
    assertType(app.jobQueue.runCron(maybe, "* * * * *", { data: "x", zone: "Europe/Berlin" }));
  });

  test("migrate takes any older data and gives the new one", () => {
    app.jobQueue.define<{ parts: string[] }>("parts", () => {}, {
      version: 1,
      migrate: (old: { text: string }) => ({ parts: [old.text] }),
    });
    app.jobQueue.define<{ parts: string[] }>("wrong", () => {}, {
      version: 1,
      // @ts-expect-error something else
      migrate: (old: { text: string }) => old,
    });
  });
});

test("the queue is on contexts and transactions", () => {
  bot.on("message", (ctx) => {
    expectTypeOf(ctx.jobQueue).toEqualTypeOf(app.jobQueue);
  });
  void app.transaction({}, (tx) => {
    expectTypeOf(tx.jobQueue).toEqualTypeOf(app.jobQueue);
  });
});

test("a When is a span, a date or a time of day", () => {
  const tick = app.jobQueue.define("tick", () => {});
  assertType(app.jobQueue.runOnce(tick, { hour: 9, zone: "Europe/Berlin" }));
  assertType(app.jobQueue.runOnce(tick, "02:30 Europe/Berlin"));
  // @ts-expect-error no time
  assertType(app.jobQueue.runOnce(tick, "tomorrow"));
});
