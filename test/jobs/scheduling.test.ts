import { describe, expect, test } from "vitest";
import { DAY, HOUR, makeJobApp, MINUTE, MONDAY, SECOND, startJobApp, type JobApp } from "../support/job-app.ts";
import { all, textUpdate } from "../support/made-app.ts";
import { query } from "../support/read-file.ts";
import { withCode } from "../support/with-code.ts";

const iso = (moment: Date | undefined): string | undefined => moment?.toISOString().slice(0, 19);
const ids = async ({ app }: JobApp): Promise<string[]> => (await all(app.jobQueue.jobs())).map(({ id }) => id).sort();

describe("a job that is scheduled in a unit of work", () => {
  test("becomes real with the commit of a handler, whatever it was scheduled with", async () => {
    const made = await startJobApp();
    const { app, bot, clock } = made;
    const ran: string[] = [];
    const note = app.jobQueue.define<string>("note", ({ job }) => void ran.push(job.data));
    bot.on("message", async (ctx) => {
      await ctx.jobQueue.runOnce(note, "1m", { data: "ctx" });
      await app.jobQueue.runOnce(note, "2m", { data: "app" });
      expect(query(made.path, "select id from job")).toEqual([]);
    });
    await bot.handleUpdate(textUpdate("hello"));
    await clock.advance(2 * MINUTE);
    expect(ran).toEqual(["ctx", "app"]);
  });

  test("is nothing when the handler fails, and what it removed is still there", async () => {
    const made = await startJobApp();
    const { app, bot, clock } = made;
    const ran: string[] = [];
    const note = app.jobQueue.define<string>("note", ({ job }) => void ran.push(job.data));
    await app.jobQueue.runOnce(note, "1m", { id: "old", data: "old" });
    bot.on("message", async (ctx) => {
      await ctx.jobQueue.runOnce(note, "1m", { id: "new", data: "new" });
      await ctx.jobQueue.runOnce(note, "5s", { id: "old", data: "moved" });
      await (await ctx.jobQueue.getJob("old"))?.scheduleRemoval();
      throw new Error("no");
    });
    await expect(bot.handleUpdate(textUpdate("hello"))).rejects.toThrow("no");
    expect(await ids(made)).toEqual(["old"]);
    await clock.advance(2 * MINUTE);
    expect(ran).toEqual(["old"]);
  });

  test("in app.transaction it is the transaction's", async () => {
    const made = await startJobApp();
    const { app, clock } = made;
    const ran: number[] = [];
    const note = app.jobQueue.define("note", ({ chatData }) => void ran.push(chatData.log.length));
    const failing = app.transaction({ chats: [-1] }, async (tx) => {
      await tx.jobQueue.runOnce(note, 0, { chatId: -1 });
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await app.transaction({ chats: [-1] }, async (tx) => {
      await tx.jobQueue.runOnce(note, 0, { chatId: -1 });
      tx.chatData(-1).log.push("in the same commit");
    });
    await clock.advance(0);
    expect(ran).toEqual([1]);
  });

  test("a missing await is found", async () => {
    const { app, bot } = await startJobApp();
    const note = app.jobQueue.define("note", () => {});
    bot.on("message", (ctx) => void ctx.jobQueue.runOnce(note, "1m"));
    await expect(bot.handleUpdate(textUpdate("hello"))).rejects.toThrow(/missing await/);
  });

  test("the queue of a context is over with it", async () => {
    const { app, bot } = await startJobApp();
    const note = app.jobQueue.define("note", () => {});
    let late: unknown;
    bot.on("message", (ctx) => {
      const { jobQueue } = ctx;
      ctx.afterCommit(async () => {
        late = await jobQueue.runOnce(note, "1m").catch((error: unknown) => error);
      });
    });
    await bot.handleUpdate(textUpdate("hello"));
    expect(late).toEqual(withCode("PERDURE_UNIT_OVER"));
  });

  test("is seen by the unit of work that has scheduled it, and not by others", async () => {
    const made = await startJobApp();
    const { app } = made;
    const note = app.jobQueue.define("note", () => {});
    await app.jobQueue.runOnce(note, "1m", { id: "removed" });
    await app.jobQueue.runOnce(note, "1m", { id: "stays", name: "a" });
    await app.transaction({}, async (tx) => {
      await tx.jobQueue.runOnce(note, "1m", { id: "new", name: "b" });
      await tx.jobQueue.runOnce(note, "2m", { id: "stays", name: "c" });
      await (await tx.jobQueue.getJob("removed"))?.scheduleRemoval();
      const jobs = await all(tx.jobQueue.jobs());
      expect(jobs.map(({ id, name }) => `${id} ${name}`).sort()).toEqual(["new b", "stays c"]);
      expect(await tx.jobQueue.getJob("removed")).toBeUndefined();
      expect(query(made.path, "select id from job order by id")).toEqual([{ id: "removed" }, { id: "stays" }]);
    });
    expect(await ids(made)).toEqual(["new", "stays"]);
  });
});

describe("an id", () => {
  test("names one job: another one replaces it, and keeps its next time if its schedule is the same", async () => {
    const made = await startJobApp();
    const { app, clock } = made;
    const ran: unknown[] = [];
    const note = app.jobQueue.define<string>("note", ({ job }) => void ran.push([clock.now() - MONDAY, job.data]));
    const schedule = (interval: "1h" | "2h", data: string): Promise<unknown> =>
      app.jobQueue.runRepeating(note, interval, { id: "r", data });
    await schedule("1h", "first");
    await clock.advance(30 * MINUTE);
    await schedule("1h", "second");
    await clock.advance(HOUR);
    expect(ran).toEqual([[HOUR, "second"]]);
    await schedule("2h", "third");
    await clock.advance(2 * HOUR);
    expect(ran).toEqual([
      [HOUR, "second"],
      [1.5 * HOUR + 2 * HOUR, "third"],
    ]);
    expect(await ids(made)).toEqual(["r"]);
  });

  test("another definition is another job", async () => {
    const { app } = await startJobApp();
    const one = app.jobQueue.define("one", () => {});
    const two = app.jobQueue.define("two", () => {});
    await app.jobQueue.runDaily(one, "12:00", { id: "a" });
    await (await app.jobQueue.getJob("a"))?.setEnabled(false);
    const job = await app.jobQueue.runDaily(two, "12:00", { id: "a" });
    expect([job.definition, job.enabled]).toEqual(["two", true]);
  });

  test("two replacements in one unit of work: the last one stands", async () => {
    const { app, clock } = await startJobApp();
    const ran: unknown[] = [];
    const note = app.jobQueue.define<string>("note", ({ job }) => void ran.push([clock.now() - MONDAY, job.data]));
    await app.transaction({}, async (tx) => {
      await tx.jobQueue.runOnce(note, "5m", { id: "a", data: "first" });
      await tx.jobQueue.runOnce(note, "1m", { id: "a", data: "second" });
      await tx.jobQueue.runOnce(note, "3m", { id: "a", data: "third" });
    });
    await clock.advance(10 * MINUTE);
    expect(ran).toEqual([[3 * MINUTE, "third"]]);
  });

  test("without one, each is a job of its own; outside of a unit of work a job that repeats must have one", async () => {
    const { app, bot } = await startJobApp();
    const note = app.jobQueue.define("note", () => {});
    await app.jobQueue.runOnce(note, "1m");
    await app.jobQueue.runOnce(note, "1m");
    await expect(app.jobQueue.runRepeating(note, "1m")).rejects.toThrow(withCode("PERDURE_INVALID_OPTION"));
    bot.on("message", (ctx) => ctx.jobQueue.runRepeating(note, "1m"));
    await bot.handleUpdate(textUpdate("hello"));
    expect(await all(app.jobQueue.jobs())).toHaveLength(3);
  });

  test.each(["", "perdure:mine", "a\0b", "\udfff", 5])("%j is none", async (id) => {
    const { app } = await startJobApp();
    const note = app.jobQueue.define("note", () => {});
    await expect(app.jobQueue.runOnce(note, "1m", { id: id as string })).rejects.toThrow(TypeError);
    expect(await all(app.jobQueue.jobs({ internal: true }))).toEqual([]);
  });
});

describe("times", () => {
  test("each way to schedule has its next run", async () => {
    const { app } = await startJobApp();
    const queue = app.jobQueue;
    const note = queue.define("note", () => {});
    const jobs = {
      span: await queue.runOnce(note, "90s"),
      date: await queue.runOnce(note, new Date("2030-01-01T00:00:00Z")),
      timeOfDay: await queue.runOnce(note, "09:00 Europe/Berlin"),
      repeating: await queue.runRepeating(note, "1h", { id: "1", first: "5m" }),
      daily: await queue.runDaily(note, "02:30", { id: "2", days: [3] }),
      monthly: await queue.runMonthly(note, "08:00", -1, { id: "3" }),
      cron: await queue.runCron(note, "0 9 * * 1-5", { id: "4", zone: "America/New_York" }),
    };
    expect(Object.fromEntries(Object.entries(jobs).map(([way, job]) => [way, iso(job.nextRunTime)]))).toEqual({
      span: "2026-06-01T10:01:30",
      date: "2030-01-01T00:00:00",
      timeOfDay: "2026-06-02T07:00:00",
      repeating: "2026-06-01T10:05:00",
      daily: "2026-06-03T02:30:00",
      monthly: "2026-06-30T08:00:00",
      cron: "2026-06-01T13:00:00",
    });
  });

  test("a schedule that is over schedules nothing, and removes what had its id", async () => {
    const made = await startJobApp();
    const note = made.app.jobQueue.define("note", () => {});
    await made.app.jobQueue.runRepeating(note, "1h", { id: "a" });
    const last = new Date(MONDAY - DAY);
    const job = await made.app.jobQueue.runDaily(note, "12:00", { id: "a", last });
    expect([job.nextRunTime, job.removed, await ids(made)]).toEqual([undefined, true, []]);
  });

  test("a job that ends by `last` is gone then", async () => {
    const made = await startJobApp();
    const { app, clock } = made;
    const ran: number[] = [];
    const note = app.jobQueue.define("note", ({ job }) => void ran.push(clock.now() - MONDAY, job.removed ? 1 : 0));
    await app.jobQueue.runRepeating(note, "1m", { id: "a", last: "2m" });
    await clock.advance(5 * MINUTE);
    expect(ran).toEqual([MINUTE, 0, 2 * MINUTE, 1]);
    expect(await ids(made)).toEqual([]);
  });

  test("bad times are refused and change nothing", async () => {
    const made = await startJobApp();
    const note = made.app.jobQueue.define("note", () => {});
    await made.app.jobQueue.runRepeating(note, "1h", { id: "a" });
    await expect(made.app.jobQueue.runOnce(note, 30, { id: "a" })).rejects.toThrow(/write "30s"/);
    await expect(made.app.jobQueue.runMonthly(note, "10:00", 32, { id: "a" })).rejects.toThrow(/day is 32/);
    await expect(made.app.jobQueue.runCron(note, "yes", { id: "a" })).rejects.toThrow(/no cron pattern/);
    expect((await made.app.jobQueue.getJob("a"))?.nextRunTime).toEqual(new Date(MONDAY + HOUR));
  });

  test("a definition of another application is refused", async () => {
    const { app } = makeJobApp();
    const other = makeJobApp().app.jobQueue.define("elsewhere", () => {});
    await expect(app.jobQueue.runOnce(other, "1m")).rejects.toThrow(/not defined in this application/);
  });
});

describe("jobs()", () => {
  test("filters by name, definition, chat, user and state", async () => {
    const made = await startJobApp();
    const { app } = made;
    const a = app.jobQueue.define("a", () => {});
    const b = app.jobQueue.define("b", () => {});
    await app.jobQueue.runOnce(a, "1m", { id: "1", chatId: -1, userId: 7, name: "tea" });
    await app.jobQueue.runOnce(a, "1m", { id: "2", chatId: -2, userId: 7, name: "teapot" });
    await app.jobQueue.runOnce(b, "1m", { id: "3", chatId: -1, userId: 8 });
    await (await app.jobQueue.getJob("3"))?.setEnabled(false);
    const found = async (filter: Parameters<typeof app.jobQueue.jobs>[0]): Promise<string[]> =>
      (await all(app.jobQueue.jobs(filter))).map(({ id }) => id).sort();
    expect(await found({})).toEqual(["1", "2", "3"]);
    expect(await found({ name: "tea" })).toEqual(["1"]);
    expect(await found({ name: /^TEA/i })).toEqual(["1", "2"]);
    expect(await found({ definition: a })).toEqual(["1", "2"]);
    expect(await found({ definition: "b" })).toEqual(["3"]);
    expect(await found({ chatId: -1 })).toEqual(["1", "3"]);
    expect(await found({ userId: 7, chatId: -2 })).toEqual(["2"]);
    expect(await found({ state: "paused" })).toEqual(["3"]);
    expect(await found({ state: "scheduled", userId: 7 })).toEqual(["1", "2"]);
    expect((await app.jobQueue.getJobsByName("b")).map(({ id }) => id)).toEqual(["3"]);
  });

  test("is readable with SQL while the bot runs", async () => {
    const { app, path } = await startJobApp();
    const remind = app.jobQueue.define<{ text: string }>("remind", () => {});
    await app.jobQueue.runOnce(remind, "30s", { id: "a", data: { text: "tea" }, chatId: -5 });
    const sql = "select id, due, chat_id, data->>'definition' as definition, data->>'$.data.text' as text from job";
    expect(query(path, sql)).toEqual([
      { id: "a", due: MONDAY + 30 * SECOND, chat_id: -5, definition: "remind", text: "tea" },
    ]);
  });
});

describe("pausing", () => {
  test("a paused job does not run; enabled again it goes on at its next time, without what it missed", async () => {
    const { app, clock } = await startJobApp();
    const ran: number[] = [];
    const note = app.jobQueue.define("note", () => void ran.push(clock.now() - MONDAY));
    const job = await app.jobQueue.runRepeating(note, "1h", { id: "a" });
    await job.setEnabled(false);
    expect([job.enabled, job.nextRunTime, job.state]).toEqual([false, undefined, "paused"]);
    await clock.advance(150 * MINUTE);
    expect(ran).toEqual([]);
    await job.setEnabled(true);
    expect([job.enabled, job.nextRunTime]).toEqual([true, new Date(MONDAY + 3 * HOUR)]);
    await clock.advance(HOUR);
    expect(ran).toEqual([3 * HOUR]);
  });

  test("a one-time job whose time has passed meanwhile runs at once", async () => {
    const { app, clock } = await startJobApp();
    const ran: number[] = [];
    const note = app.jobQueue.define("note", () => void ran.push(clock.now() - MONDAY));
    const job = await app.jobQueue.runOnce(note, "1m");
    await job.setEnabled(false);
    await clock.advance(5 * MINUTE);
    await job.setEnabled(true);
    await clock.advance(0);
    expect(ran).toEqual([5 * MINUTE]);
  });

  test("scheduling the same at the next start does not enable it", async () => {
    const { app } = await startJobApp();
    const note = app.jobQueue.define("note", () => {});
    await (await app.jobQueue.runDaily(note, "12:00", { id: "a" })).setEnabled(false);
    expect((await app.jobQueue.runDaily(note, "12:00", { id: "a" })).enabled).toBe(false);
    expect((await app.jobQueue.runDaily(note, "13:00", { id: "a" })).enabled).toBe(true);
  });

  test("what is not there any more cannot be paused or run; removing it again does nothing", async () => {
    const { app } = await startJobApp();
    const note = app.jobQueue.define("note", () => {});
    const job = await app.jobQueue.runOnce(note, "1m");
    await job.scheduleRemoval();
    await job.scheduleRemoval();
    expect(job.removed).toBe(true);
    await expect(job.setEnabled(false)).rejects.toThrow(withCode("PERDURE_NO_JOB"));
    await expect(job.run()).rejects.toThrow(withCode("PERDURE_NO_JOB"));
  });
});
