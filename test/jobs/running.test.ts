import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SqlitePersistence } from "../../src/index.ts";
import { HOUR, makeJobApp, MINUTE, MONDAY, SECOND, startJobApp } from "../support/job-app.ts";
import { all, textUpdate } from "../support/made-app.ts";
import { query, readTable } from "../support/read-file.ts";
import { settled } from "../support/driven-clock.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { withCode } from "../support/with-code.ts";

describe("a run", () => {
  test("of a job that was scheduled in a handler comes at its time, once", async () => {
    const { app, clock, bot } = makeJobApp();
    const ran: unknown[] = [];
    const remind = app.jobQueue.define<{ text: string }>("remind", (ctx) => {
      ran.push([clock.now() - MONDAY, ctx.job.data.text, ctx.scheduledTime.getTime() - MONDAY, ctx.attempt]);
    });
    bot.command("set", (ctx) => ctx.jobQueue.runOnce(remind, "30s", { data: { text: "tea" }, chatId: ctx.chat.id }));
    await bot.handleUpdate(textUpdate("/set"));
    await clock.advance(29 * SECOND);
    expect(ran).toEqual([]);
    await clock.advance(HOUR);
    expect(ran).toEqual([[30_000, "tea", 30_000, 1]]);
  });

  test("has the data of its chat and its user, the bot's, the api and the application, and all that it changes is one commit", async () => {
    const { app, clock, path, bot } = await startJobApp();
    let seen: unknown;
    const job = app.jobQueue.define("job", async (ctx) => {
      ctx.chatData.log.push("job");
      ctx.userData.n += 1;
      await ctx.updateBotData((data) => (data.n += 1));
      await ctx.jobQueue.runOnce(job, "1h", { id: "next" });
      await app.collection("notes").set("a", 1);
      ctx.afterCommit(() => {
        seen = query(path, "select count(*) as n from job where id = 'next'");
      });
      expect(ctx.api).toBe(bot.api);
      expect(ctx.application).toBe(app);
      expect(query(path, "select * from chat_data")).toEqual([]);
    });
    await app.jobQueue.runOnce(job, "1m", { chatId: -1, userId: 7, id: "first" });
    await clock.advance(MINUTE);
    expect(readTable(path, "chat_data").get(-1)).toEqual({ log: ["job"] });
    expect(readTable(path, "user_data").get(7)).toEqual({ n: 1 });
    expect(readTable(path, "bot_data").get(1)).toEqual({ n: 1 });
    expect(query(path, "select id from job")).toEqual([{ id: "next" }]);
    expect(seen).toEqual([{ n: 1 }]);
  });

  test("without a chat or a user has no data of one", async () => {
    const { app, clock } = await startJobApp();
    const errors: unknown[] = [];
    const job = app.jobQueue.define("job", (ctx) => {
      for (const scope of ["chatData", "userData"] as const) {
        try {
          expect(ctx[scope]).toBeUndefined();
        } catch (error) {
          errors.push(error);
        }
      }
    });
    await app.jobQueue.runOnce(job, 0);
    await clock.advance(0);
    expect(errors).toEqual([withCode("PERDURE_NO_CHAT"), withCode("PERDURE_NO_USER")]);
    expect(String(errors[0])).toMatch(/chatId/);
  });

  test("its context is over with it", async () => {
    const { app, clock } = await startJobApp();
    let chatData: (() => unknown) | undefined;
    const job = app.jobQueue.define("job", (ctx) => {
      chatData = () => ctx.chatData;
    });
    await app.jobQueue.runOnce(job, 0, { chatId: -1 });
    await clock.advance(0);
    expect(chatData).toThrow(withCode("PERDURE_UNIT_OVER"));
  });

  test("takes its turn with the updates of its chat and of its user", async () => {
    const { app, bot, clock } = await startJobApp();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const job = app.jobQueue.define<string>("job", ({ job: { data } }) => void order.push(data));
    bot.on("message", async () => {
      order.push("update begins");
      await gate.promise;
      order.push("update ends");
    });
    const handled = bot.handleUpdate(textUpdate("hello", { chat: -1, user: 7 }));
    await settled();
    await app.jobQueue.runOnce(job, 0, { data: "its chat", chatId: -1 });
    await app.jobQueue.runOnce(job, 0, { data: "its user", userId: 7 });
    await app.jobQueue.runOnce(job, 0, { data: "another chat", chatId: -2 });
    await clock.advance(SECOND);
    expect(order).toEqual(["update begins", "another chat"]);
    gate.resolve();
    await handled;
    await clock.advance(0);
    expect(order.slice(0, 3)).toEqual(["update begins", "another chat", "update ends"]);
    expect(order.slice(3).sort()).toEqual(["its chat", "its user"]);
  });

  test("app.transaction is refused in it, other methods of the application join it", async () => {
    const { app, clock, reported, path } = await startJobApp();
    let refused: unknown;
    const job = app.jobQueue.define("job", async () => {
      refused = await app.transaction({}, () => {}).catch((error: unknown) => error);
      await app.collection("notes").set("a", 1);
      throw new Error("rolled back");
    });
    await app.jobQueue.runOnce(job, 0);
    await clock.advance(0);
    expect(refused).toEqual(withCode("PERDURE_NESTED"));
    expect(reported).toEqual([new Error("rolled back")]);
    expect(query(path, "select * from entry")).toEqual([]);
  });

  test("what a job that repeats changes in its data is there in its next run", async () => {
    const { app, clock } = await startJobApp();
    const ran: number[] = [];
    const count = app.jobQueue.define<{ n: number }>("count", ({ job }) => {
      job.data.n += 1;
      ran.push(job.data.n);
      if (job.data.n === 3) throw new Error("not the third");
    });
    await app.jobQueue.runRepeating(count, "1m", { id: "a", data: { n: 0 } });
    await clock.advance(5 * MINUTE);
    expect(ran).toEqual([1, 2, 3, 3, 3]);
    expect((await app.jobQueue.getJob("a"))?.data).toEqual({ n: 2 });
  });
});

describe("a job that is changed while it runs", () => {
  test("removes itself: it was the last run", async () => {
    const { app, clock } = await startJobApp();
    let ran = 0;
    const job = app.jobQueue.define("job", async (ctx) => {
      ran += 1;
      if (ran === 2) await ctx.job.scheduleRemoval();
    });
    await app.jobQueue.runRepeating(job, "1m", { id: "a" });
    await clock.advance(5 * MINUTE);
    expect(ran).toBe(2);
    expect(await all(app.jobQueue.jobs())).toEqual([]);
  });

  test("a removal in a run that fails is none", async () => {
    const { app, clock } = await startJobApp();
    let ran = 0;
    const job = app.jobQueue.define("job", async (ctx) => {
      ran += 1;
      await ctx.job.scheduleRemoval();
      throw new Error("no");
    });
    await app.jobQueue.runRepeating(job, "1m", { id: "a" });
    await clock.advance(3 * MINUTE);
    expect(ran).toBe(3);
  });

  test("replaces itself, by a one-time job again or by one that repeats", async () => {
    const { app, clock } = await startJobApp();
    const ran: unknown[] = [];
    const job = app.jobQueue.define<number>("job", async ({ jobQueue, job: { id, data } }) => {
      ran.push([clock.now() - MONDAY, data]);
      if (data === 0) await jobQueue.runOnce(job, "2m", { id, data: 1 });
      if (data === 1) await jobQueue.runRepeating(job, "10m", { id, data: 2, last: "20m" });
    });
    await app.jobQueue.runOnce(job, "1m", { id: "a", data: 0 });
    await clock.advance(HOUR);
    expect(ran).toEqual([
      [MINUTE, 0],
      [3 * MINUTE, 1],
      [13 * MINUTE, 2],
      [23 * MINUTE, 2],
    ]);
  });

  test("pauses itself", async () => {
    const { app, clock } = await startJobApp();
    let ran = 0;
    const job = app.jobQueue.define("job", async (ctx) => {
      ran += 1;
      expect(ctx.job.nextRunTime).toEqual(new Date(clock.now() + MINUTE));
      await ctx.job.setEnabled(false);
    });
    await app.jobQueue.runRepeating(job, "1m", { id: "a" });
    await clock.advance(5 * MINUTE);
    expect(ran).toBe(1);
    expect((await app.jobQueue.getJob("a"))?.state).toBe("paused");
  });

  test("by somebody else: that waits for the run, and counts then", async () => {
    const { app, clock, bot } = await startJobApp();
    const gate = Promise.withResolvers<void>();
    const ran: unknown[] = [];
    const job = app.jobQueue.define<string>("job", async (ctx) => {
      ran.push([clock.now() - MONDAY, ctx.job.data]);
      await gate.promise;
    });
    bot.on("message", (ctx) => ctx.jobQueue.runOnce(job, "10m", { id: "a", data: "new" }));
    await app.jobQueue.runRepeating(job, "1m", { id: "a", data: "old" });
    await clock.advance(MINUTE);
    const replaced = bot.handleUpdate(textUpdate("hello"));
    await clock.advance(MINUTE);
    gate.resolve();
    await replaced;
    await clock.advance(HOUR);
    expect(ran).toEqual([
      [MINUTE, "old"],
      [11 * MINUTE, "new"],
    ]);
  });

  test("a removal by somebody else while a one-time job runs finds nothing to remove", async () => {
    const { app, clock } = await startJobApp();
    const gate = Promise.withResolvers<void>();
    let ran = 0;
    const job = app.jobQueue.define("job", async () => {
      ran += 1;
      await gate.promise;
    });
    const handle = await app.jobQueue.runOnce(job, "1m", { id: "a" });
    await clock.advance(MINUTE);
    const removed = handle.scheduleRemoval();
    await settled();
    gate.resolve();
    await removed;
    await clock.advance(HOUR);
    expect(ran).toBe(1);
  });
});

describe("job.run()", () => {
  test("runs once more, beside the schedule", async () => {
    const { app, clock } = await startJobApp();
    const ran: number[] = [];
    const note = app.jobQueue.define("note", () => void ran.push(clock.now() - MONDAY));
    const job = await app.jobQueue.runOnce(note, "10m");
    await clock.advance(MINUTE);
    await job.run();
    await clock.advance(HOUR);
    expect(ran).toEqual([MINUTE, 10 * MINUTE]);
  });

  test("in a unit of work: as soon as that is committed, and not if it rolls back", async () => {
    const { app, clock } = await startJobApp();
    const ran: number[] = [];
    const note = app.jobQueue.define("note", () => void ran.push(clock.now() - MONDAY));
    await app.jobQueue.runDaily(note, "23:00", { id: "a" });
    const failing = app.transaction({}, async (tx) => {
      await (await tx.jobQueue.getJob("a"))?.run();
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await clock.advance(SECOND);
    expect(ran).toEqual([]);
    await app.transaction({}, async (tx) => {
      await (await tx.jobQueue.getJob("a"))?.run();
      await settled();
      expect(ran).toEqual([]);
    });
    await clock.advance(0);
    expect(ran).toEqual([SECOND]);
    expect((await app.jobQueue.getJob("a"))?.nextRunTime).toEqual(new Date("2026-06-01T23:00:00Z"));
  });

  test("of a paused job runs it, and leaves it paused", async () => {
    const { app, clock } = await startJobApp();
    let ran = 0;
    const note = app.jobQueue.define("note", () => void (ran += 1));
    const job = await app.jobQueue.runRepeating(note, "1m", { id: "a" });
    await job.setEnabled(false);
    await job.run();
    await clock.advance(5 * MINUTE);
    expect(ran).toBe(1);
    expect((await app.jobQueue.getJob("a"))?.enabled).toBe(false);
  });
});

test("a job whose definition comes in a handler, after its time, runs outside of that handler's update", async () => {
  const first = makeJobApp();
  await first.app.jobQueue.runOnce(
    first.app.jobQueue.define("late", () => {}),
    SECOND,
    { id: "a" },
  );
  const { app, bot, clock, reported } = await first.again(() => {});
  await clock.advance(2 * SECOND);
  const ran: string[] = [];
  bot.on("message", async () => {
    app.jobQueue.define("late", () => void ran.push("late"));
    await settled();
  });
  await bot.handleUpdate(textUpdate("hi"));
  await clock.advance(SECOND);
  expect(ran).toEqual(["late"]);
  expect(reported).toEqual([withCode("PERDURE_UNKNOWN_DEFINITION")]);
});

describe("the order and number of runs", () => {
  test("jobs that are due run the earliest first, at most half of `concurrency` at the same time", async () => {
    const { app, clock } = await startJobApp({ concurrency: 4 });
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const job = app.jobQueue.define<number>("job", async ({ job: { data } }) => {
      order.push(data);
      running += 1;
      most = Math.max(most, running);
      await settled(3);
      running -= 1;
    });
    await app.transaction({}, async (tx) => {
      for (let i = 50; i > 0; i -= 1) await tx.jobQueue.runOnce(job, i * 1000 + 60_000, { data: i });
    });
    await clock.jump(10 * MINUTE);
    await settled(1000);
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(most).toBe(2);
  });

  test("a chat whose handler hangs holds up its jobs, however many, and those of its users, and nobody else's", async () => {
    const { app, bot, clock } = await startJobApp({ concurrency: 8 });
    const gate = Promise.withResolvers<void>();
    bot.command("hang", () => gate.promise);
    const ran: string[] = [];
    const job = app.jobQueue.define("job", (ctx) => void ran.push(ctx.job.id));
    await app.transaction({}, async () => {
      for (let i = 0; i < 60; i += 1)
        await app.jobQueue.runOnce(job, SECOND + i, { id: `a${i}`, chatId: -1, userId: i });
      await app.jobQueue.runOnce(job, 2 * SECOND, { id: "later of user 59", userId: 59 });
      for (let i = 0; i < 20; i += 1) await app.jobQueue.runOnce(job, 2 * SECOND + i, { id: `b${i}`, chatId: -2 - i });
      for (let i = 0; i < 3; i += 1) await app.jobQueue.runOnce(job, 3 * SECOND + i, { id: `c${i}`, chatId: -2 });
    });
    const hanging = bot.handleUpdate(textUpdate("/hang", { chat: -1, user: 1000 }));
    await clock.advance(5 * SECOND);
    const others = Array.from({ length: 20 }, (_, i) => `b${i}`);
    expect(ran).toEqual([...others, "c0", "c1", "c2"]);
    gate.resolve();
    await hanging;
    await settled(2000);
    expect(ran.slice(23)).toEqual([...Array.from({ length: 60 }, (_, i) => `a${i}`), "later of user 59"]);
  });

  test("one does not hold up others' jobs where few run at the same time, either", async () => {
    const { app, bot, clock } = await startJobApp({ concurrency: 4 });
    const gate = Promise.withResolvers<void>();
    bot.command("hang", () => gate.promise);
    const ran: string[] = [];
    const job = app.jobQueue.define("job", (ctx) => void ran.push(ctx.job.id));
    for (const id of ["a", "b", "c"]) await app.jobQueue.runOnce(job, "1s", { id, chatId: -1 });
    await app.jobQueue.runOnce(job, "2s", { id: "other", chatId: -2 });
    const hanging = bot.handleUpdate(textUpdate("/hang", { chat: -1 }));
    await clock.advance(5 * SECOND);
    expect(ran).toEqual(["other"]);
    gate.resolve();
    await hanging;
    await settled(100);
    expect(ran).toEqual(["other", "a", "b", "c"]);
  });

  test("the jobs of one chat are not all read again for each that ends", async () => {
    const persistence = new SqlitePersistence({ path: join(temporaryFolder(), "bot.sqlite"), durability: "os" });
    const { app, clock } = await startJobApp({ persistence });
    let ran = 0;
    const job = app.jobQueue.define("job", () => void (ran += 1));
    await app.transaction({}, async () => {
      for (let i = 0; i < 500; i += 1) await app.jobQueue.runOnce(job, SECOND + i, { id: `a${i}`, chatId: -1 });
    });
    let read = 0;
    const earliest = persistence.earliest.bind(persistence);
    persistence.earliest = (kind, options) => {
      const found = earliest(kind, options);
      read += found.length;
      return found;
    };
    await clock.jump(5 * SECOND);
    while (ran < 500) await settled(10);
    expect(read).toBeLessThan(500 * 40);
  });

  test("an account that stands for everybody has no turn, and holds up nobody's jobs", async () => {
    const { app, clock } = await startJobApp({ concurrency: 8 });
    const gate = Promise.withResolvers<void>();
    const begun = new Set<number | undefined>();
    const job = app.jobQueue.define("job", async (ctx) => {
      begun.add(ctx.job.chatId);
      await gate.promise;
    });
    for (const chatId of [-1, -2, -3]) await app.jobQueue.runOnce(job, "1s", { chatId, userId: 777000 });
    await clock.advance(SECOND);
    expect(begun).toEqual(new Set([-1, -2, -3]));
    gate.resolve();
  });

  test("a clock that is put back repeats nothing; one that is put forward is noticed within ten seconds", async () => {
    const { app, clock } = await startJobApp();
    const ran: number[] = [];
    const note = app.jobQueue.define("note", ({ scheduledTime }) => void ran.push(scheduledTime.getTime() - MONDAY));
    await app.jobQueue.runRepeating(note, "1h", { id: "a" });
    await clock.advance(HOUR);
    await clock.jump(-30 * MINUTE);
    await clock.advance(29 * MINUTE);
    expect(ran).toEqual([HOUR]);
    await clock.jump(3 * HOUR);
    await clock.advance(10 * SECOND);
    expect(ran).toEqual([HOUR, 3 * HOUR]);
  });

  test("a job that is due in a year is no timer of a year", async () => {
    const { app, clock } = await startJobApp();
    const spans: number[] = [];
    const after = clock.after.bind(clock);
    clock.after = (milliseconds, call) => {
      spans.push(milliseconds);
      return after(milliseconds, call);
    };
    const note = app.jobQueue.define("note", () => {});
    await app.jobQueue.runOnce(note, "1y");
    await clock.advance(MINUTE);
    expect(Math.max(...spans)).toBeLessThanOrEqual(MINUTE);
  });
});
