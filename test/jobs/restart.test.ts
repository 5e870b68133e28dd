import { describe, expect, test } from "vitest";
import { SqlitePersistence, type DefineOptions } from "../../src/index.ts";
import { settled } from "../support/driven-clock.ts";
import { DAY, HOUR, makeJobApp, MINUTE, MONDAY, startJobApp, type JobApp } from "../support/job-app.ts";
import { all } from "../support/made-app.ts";
import { PlainMemory, Shelf } from "../support/plain-memory.ts";
import { openedSqlite } from "../support/opened-sqlite.ts";
import { query, readTable } from "../support/read-file.ts";
import { withCode } from "../support/with-code.ts";

/** The times of the runs of a job that repeats each hour, in hours: a day passes while the bot is down. */
async function runsAfterADay(options: DefineOptions<undefined>): Promise<{ runs: number[]; made: JobApp }> {
  const runs: number[] = [];
  const define = ({ app }: JobApp): ReturnType<typeof app.jobQueue.define> =>
    app.jobQueue.define(
      "job",
      ({ scheduledTime }) => void runs.push((scheduledTime.getTime() - MONDAY) / HOUR),
      options,
    );
  const first = await startJobApp();
  await first.app.jobQueue.runRepeating(define(first), "1h", { id: "a" });
  await first.app.shutdown();
  await first.clock.jump(4.5 * HOUR);
  const made = await first.again(define);
  await made.clock.advance(0);
  return { runs, made };
}

describe("what was due while the bot was down", () => {
  test("by default becomes one run, the last one", async () => {
    const { runs, made } = await runsAfterADay({});
    expect(runs).toEqual([4]);
    expect((await made.app.jobQueue.getJob("a"))?.nextRunTime).toEqual(new Date(MONDAY + 5 * HOUR));
  });

  test("with coalesce off each run is made, the earliest first", async () => {
    expect((await runsAfterADay({ coalesce: false })).runs).toEqual([1, 2, 3, 4]);
  });

  test("later than misfireGrace is skipped, which the log says", async () => {
    const { runs, made } = await runsAfterADay({ misfireGrace: "20m" });
    expect(runs).toEqual([]);
    expect(made.warnings.join()).toMatch(
      /runs from 2026-06-01T11.* to 2026-06-01T14.* of the job job, id a,.* skipped/,
    );
    expect((await made.app.jobQueue.getJob("a"))?.nextRunTime).toEqual(new Date(MONDAY + 5 * HOUR));
    expect((await runsAfterADay({ misfireGrace: "90m", coalesce: false })).runs).toEqual([3, 4]);
  });

  test("a one-time job that is skipped is over", async () => {
    const made = await startJobApp();
    const define = ({ app }: JobApp): ReturnType<typeof app.jobQueue.define> =>
      app.jobQueue.define("job", () => {}, { misfireGrace: "1m" });
    await made.app.jobQueue.runOnce(define(made), "1m");
    await made.app.shutdown();
    await made.clock.jump(HOUR);
    const next = await made.again(define);
    expect(await all(next.app.jobQueue.jobs())).toEqual([]);
  });

  test("scheduling the same job again at the start does not make it forget what it missed", async () => {
    const runs: number[] = [];
    const begin = async ({ app }: JobApp): Promise<void> => {
      const job = app.jobQueue.define(
        "job",
        ({ scheduledTime }) => void runs.push((scheduledTime.getTime() - MONDAY) / HOUR),
      );
      await app.jobQueue.runDaily(job, "11:00", { id: "report" });
    };
    const first = await startJobApp();
    await begin(first);
    await first.app.shutdown();
    await first.clock.jump(DAY);
    const next = await first.again(begin);
    await next.clock.advance(HOUR);
    expect(runs).toEqual([1, 25]);
  });
});

describe("a job whose definition is gone", () => {
  test("is kept, reported once, and not run; others run; it runs when the definition comes back", async () => {
    const ran: string[] = [];
    const defineOther = ({ app }: JobApp): unknown => app.jobQueue.define("other", () => void ran.push("other"));
    const defineGone = ({ app }: JobApp): ReturnType<typeof app.jobQueue.define> =>
      app.jobQueue.define<string>("gone", ({ job }) => void ran.push(`gone ${job.data}`)) as never;
    const first = await startJobApp();
    const gone = defineGone(first);
    const other = first.app.jobQueue.define("other", () => {});
    for (let i = 0; i < 200; i += 1) await first.app.jobQueue.runOnce(gone, "1m", { data: `${i}` as never });
    await first.app.jobQueue.runOnce(other, "2m");
    await first.app.shutdown();
    await first.clock.jump(HOUR);

    const second = await first.again(defineOther);
    await second.clock.advance(MINUTE);
    await settled(2000);
    expect(ran).toEqual(["other"]);
    expect(second.reported).toEqual([withCode("PERDURE_UNKNOWN_DEFINITION")]);
    expect(await all(second.app.jobQueue.jobs({ state: "unknown" }))).toHaveLength(200);

    const third = await second.again(defineOther);
    await third.clock.advance(MINUTE);
    expect(third.reported).toEqual([withCode("PERDURE_UNKNOWN_DEFINITION")]);

    const fourth = await third.again(defineGone);
    await fourth.clock.advance(MINUTE);
    await settled(5000);
    expect(ran.slice(1).sort()).toEqual(Array.from({ length: 200 }, (_, index) => `gone ${index}`).sort());
    expect(fourth.reported).toEqual([]);
    expect(query(fourth.path, "select * from entry")).toEqual([]);
  });

  test("runs also when the definition comes later in the same process; removed meanwhile, it is gone", async () => {
    const first = await startJobApp();
    const gone = first.app.jobQueue.define("gone", () => {});
    await first.app.jobQueue.runOnce(gone, "1m", { id: "a" });
    await first.app.jobQueue.runOnce(gone, "1m", { id: "b" });
    await first.app.shutdown();
    await first.clock.jump(HOUR);
    const second = await first.again(() => {});
    await second.clock.advance(0);
    await (await second.app.jobQueue.getJob("b"))?.scheduleRemoval();
    const ran: string[] = [];
    second.app.jobQueue.define("gone", ({ job }) => void ran.push(job.id));
    await second.clock.advance(0);
    expect(ran).toEqual(["a"]);
    expect(await all(second.app.jobQueue.jobs())).toEqual([]);
  });

  test.each([
    { what: "that cannot be read", text: '{"definition":"job","name":', version: 0, code: "PERDURE_CANNOT_DECODE" },
    { what: "of a newer perdure", text: "{}", version: 1, code: "PERDURE_NEWER_RECORD" },
  ] as const)("a job $what is left as it is, and the others run", async ({ text, version, code }) => {
    const first = await startJobApp();
    const job = first.app.jobQueue.define("job", () => {});
    await first.app.jobQueue.runOnce(job, "1m", { id: "damaged" });
    await first.app.jobQueue.runOnce(job, "1m", { id: "good" });
    await first.app.shutdown();
    const persistence = await openedSqlite(first.path);
    await persistence.commit([
      { changes: [{ key: { kind: "job", id: "damaged" }, record: { text, version, time: MONDAY } }] },
    ]);
    persistence.close();
    const ran: string[] = [];
    const second = await first.again(({ app }) => app.jobQueue.define("job", (ctx) => void ran.push(ctx.job.id)));
    await second.clock.advance(HOUR);
    expect(ran).toEqual(["good"]);
    expect(second.reported).toEqual([withCode(code)]);
    expect(query(first.path, "select data from job")).toEqual([{ data: text }]);
    const [damaged, ...others] = await all(second.app.jobQueue.jobs());
    expect(others).toEqual([]);
    expect(damaged).toMatchObject({ id: "damaged", state: "unknown", name: "", nextRunTime: undefined });
    await damaged?.scheduleRemoval();
    expect(query(first.path, "select data from job")).toEqual([]);
  });
});

describe("data of another version", () => {
  const data = { text: "tea" };

  async function lives(options: DefineOptions<{ parts: string[] }>): Promise<{ made: JobApp; ran: unknown[] }> {
    const first = await startJobApp();
    const old = first.app.jobQueue.define<typeof data>("job", () => {}, { version: 1 });
    await first.app.jobQueue.runRepeating(old, "1h", { id: "a", data });
    const ran: unknown[] = [];
    const made = await first.again(({ app }) =>
      app.jobQueue.define<{ parts: string[] }>("job", ({ job }) => void ran.push(job.data), options),
    );
    await made.clock.advance(2 * HOUR);
    return { made, ran };
  }

  test("goes through `migrate` before it runs, and is kept", async () => {
    const calls: unknown[] = [];
    const migrate = (old: { text: string }, version: number): { parts: string[] } => {
      calls.push(version);
      return { parts: [old.text] };
    };
    const { made, ran } = await lives({ version: 2, migrate });
    expect([ran, calls]).toEqual([[{ parts: ["tea"] }, { parts: ["tea"] }], [1]]);
    expect((await made.app.jobQueue.getJob("a"))?.data).toEqual({ parts: ["tea"] });
  });

  test("that is brought up in place: a run that fails is made again with the old data, and one that cannot be brought up keeps it", async () => {
    const first = await startJobApp();
    const old = first.app.jobQueue.define<{ parts: string[] }>("job", () => {});
    await first.app.jobQueue.runOnce(old, "1m", { id: "a", data: { parts: [] } });
    await first.app.shutdown();
    await first.clock.jump(HOUR);
    const ran: unknown[] = [];
    const define =
      (migrate: (data: { parts: string[] }) => void): ((made: JobApp) => unknown) =>
      ({ app }) =>
        app.jobQueue.define<{ parts: string[] }>(
          "job",
          ({ job, attempt }) => {
            ran.push([...job.data.parts]);
            if (attempt === 1) throw new Error("broken");
          },
          { version: 1, migrate, retry: { attempts: 2 } },
        );
    const second = await first.again(
      define((data) => {
        data.parts.push("half");
        throw new Error("cannot");
      }),
    );
    expect(second.reported).toEqual([withCode("PERDURE_MIGRATION")]);
    const third = await second.again(define((data) => void data.parts.push("whole")));
    await third.clock.advance(MINUTE);
    expect(ran).toEqual([["whole"], ["whole"]]);
    expect(await all(third.app.jobQueue.jobs())).toEqual([]);
  });

  test("of a newer version is not guessed at", async () => {
    const { made, ran } = await lives({ version: 0 });
    expect(ran).toEqual([]);
    expect(made.reported).toEqual([withCode("PERDURE_NEWER_RECORD")]);
    expect((await made.app.jobQueue.getJob("a"))?.state).toBe("unknown");
  });

  test("that cannot be brought up is left as it is, until the next start", async () => {
    const migrate = (): never => {
      throw new Error("cannot");
    };
    const { made, ran } = await lives({ version: 2, migrate });
    expect([ran, made.reported]).toEqual([[], [withCode("PERDURE_MIGRATION")]]);
    expect((await made.app.jobQueue.getJob("a"))?.data).toEqual(data);
    const again = await made.again(({ app }) =>
      app.jobQueue.define<{ parts: string[] }>("job", ({ job }) => void ran.push(job.data), {
        version: 2,
        migrate: (old: typeof data) => ({ parts: [old.text] }),
      }),
    );
    await again.clock.advance(0);
    expect(ran).toEqual([{ parts: ["tea"] }]);
  });
});

describe("maxInstances", () => {
  /** A job each minute whose runs last until they are let go. */
  async function start(maxInstances: number): Promise<{
    made: JobApp;
    began: number[];
    running: Map<number, PromiseWithResolvers<void>>;
    define: (made: JobApp) => ReturnType<JobApp["app"]["jobQueue"]["define"]>;
  }> {
    const began: number[] = [];
    const running = new Map<number, PromiseWithResolvers<void>>();
    const define = ({ app }: JobApp): ReturnType<typeof app.jobQueue.define> =>
      app.jobQueue.define(
        "job",
        async (ctx) => {
          const minute = (ctx.scheduledTime.getTime() - MONDAY) / MINUTE;
          began.push(minute);
          const gate = Promise.withResolvers<void>();
          running.set(minute, gate);
          await gate.promise;
          await ctx.updateBotData((data) => (data.n += 1));
        },
        { maxInstances, coalesce: false },
      );
    const made = await startJobApp();
    await made.app.jobQueue.runRepeating(define(made), "1m", { id: "a" });
    return { made, began, running, define };
  }

  test("1: a run that is due waits for the one before", async () => {
    const { made, began, running } = await start(1);
    await made.clock.advance(3 * MINUTE);
    expect(began).toEqual([1]);
    running.get(1)?.resolve();
    await made.clock.advance(0);
    expect(began).toEqual([1, 2]);
    running.get(2)?.resolve();
    await made.clock.advance(0);
    running.get(3)?.resolve();
    await made.clock.advance(0);
  });

  test("2: two runs go on at the same time, further ones wait, each counts once", async () => {
    const { made, began, running } = await start(2);
    await made.clock.advance(4 * MINUTE);
    expect(began).toEqual([1, 2]);
    running.get(2)?.resolve();
    await made.clock.advance(0);
    expect(began).toEqual([1, 2, 3]);
    expect(readTable(made.path, "bot_data").get(1)).toEqual({ n: 1 });
    running.get(1)?.resolve();
    running.get(3)?.resolve();
    await made.clock.advance(0);
    expect(began).toEqual([1, 2, 3, 4]);
    running.get(4)?.resolve();
    await made.clock.advance(MINUTE);
    running.get(5)?.resolve();
    await made.clock.advance(0);
    expect(readTable(made.path, "bot_data").get(1)).toEqual({ n: 5 });
    expect((await all(made.app.jobQueue.jobs({ internal: true }))).map(({ id }) => id)).toEqual(["a"]);
  });

  test("a run that never ends fails its job for good", async () => {
    const { made, began, running, define } = await start(2);
    await made.clock.advance(2 * MINUTE);
    const stopped = made.app.shutdown();
    await made.clock.advance(10_000);
    await stopped;
    const persistence = await openedSqlite(made.path);
    const key = { kind: "job", id: `perdure:run:${MONDAY + MINUTE}:a` } as const;
    const [record] = persistence.read([key]);
    const text = JSON.stringify({ ...(JSON.parse(String(record?.text)) as object), begun: 3 });
    await persistence.commit([{ changes: [{ key, record: { ...record, text, version: 0 } }] }]);
    persistence.close();
    began.length = 0;
    const next = await made.again(define);
    await next.clock.advance(5 * MINUTE);
    expect(began).toEqual([2]);
    expect(next.reported).toEqual([withCode("PERDURE_SET_ASIDE")]);
    const job = await next.app.jobQueue.getJob("a");
    expect([job?.state, job?.nextRunTime, job?.failure?.attempts]).toEqual(["failed", undefined, 3]);
    running.get(2)?.resolve();
    await next.clock.advance(0);
  });

  test("a stop leaves what runs, and the next start makes it", async () => {
    const { made, began, running, define } = await start(2);
    await made.clock.advance(2 * MINUTE);
    running.get(1)?.resolve();
    await made.clock.advance(0);
    const stopped = made.app.shutdown();
    await made.clock.advance(10_000);
    await stopped;
    began.length = 0;
    const next = await made.again(define);
    await next.clock.advance(0);
    expect(began).toEqual([2]);
    running.get(2)?.resolve();
    await next.clock.advance(0);
    expect(readTable(made.path, "bot_data").get(1)).toEqual({ n: 2 });
  });
});

describe("the life cycle", () => {
  test("jobs do not run before the bot gets updates or the queue is started", async () => {
    const first = await startJobApp();
    const define = ({ app }: JobApp): ReturnType<typeof app.jobQueue.define> =>
      app.jobQueue.define("job", () => void (ran += 1));
    let ran = 0;
    await first.app.jobQueue.runOnce(define(first), "1m");
    await first.app.shutdown();
    await first.clock.jump(HOUR);
    const tool = makeJobApp(
      { persistence: new SqlitePersistence({ path: first.path, ownerTimeout: 0, durability: "os" }) },
      first.clock,
    );
    define(tool);
    await tool.app.initialize();
    await tool.app.transaction({}, () => {});
    await tool.clock.advance(HOUR);
    expect(ran).toBe(0);
    await tool.app.jobQueue.start();
    await tool.app.jobQueue.start();
    await tool.clock.advance(0);
    expect(ran).toBe(1);
  });

  test("postInit runs before the jobs", async () => {
    const order: string[] = [];
    const first = await startJobApp();
    const define = ({ app }: JobApp): ReturnType<typeof app.jobQueue.define> =>
      app.jobQueue.define("job", () => void order.push("job"));
    await first.app.jobQueue.runOnce(define(first), "1m");
    await first.app.shutdown();
    await first.clock.jump(HOUR);
    await first.again(define, {
      postInit: async () => {
        await settled();
        order.push("postInit");
      },
    });
    expect(order).toEqual(["postInit", "job"]);
  });

  test("a stop begins no more runs, waits for those that go on, and leaves what lasts longer", async () => {
    const made = await startJobApp({ concurrency: 4 });
    const gates = new Map<string, PromiseWithResolvers<void>>();
    const began: string[] = [];
    const define = ({ app }: JobApp): ReturnType<typeof app.jobQueue.define> =>
      app.jobQueue.define("job", async (ctx) => {
        began.push(ctx.job.id);
        const gate = Promise.withResolvers<void>();
        gates.set(ctx.job.id, gate);
        await gate.promise;
        await ctx.updateBotData((data) => (data.n += 1));
      });
    const job = define(made);
    for (const id of ["a", "b", "c"]) await made.app.jobQueue.runOnce(job, "1m", { id });
    await made.clock.advance(MINUTE);
    expect(began).toEqual(["a", "b"]);
    const stopping = made.app.shutdown();
    await settled();
    gates.get("a")?.resolve();
    await made.clock.advance(10_000);
    await stopping;
    expect(began).toEqual(["a", "b"]);
    expect(made.warnings.join()).toMatch(/Stopped while jobs were running. They run again: b\./);
    expect(readTable(made.path, "bot_data").get(1)).toEqual({ n: 1 });
    expect(query(made.path, "select id from job order by id")).toEqual([{ id: "b" }, { id: "c" }]);
    gates.get("b")?.resolve();
    const next = await made.again(define);
    await next.clock.advance(0);
    expect(began).toEqual(["a", "b", "b", "c"]);
    for (const id of ["b", "c"]) gates.get(id)?.resolve();
    await next.clock.advance(0);
    expect(readTable(made.path, "bot_data").get(1)).toEqual({ n: 3 });
  });

  test("a plain class: jobs run, in memory, which one warning says", async () => {
    const made = await startJobApp({ persistence: new PlainMemory(new Shelf()) as never });
    let ran = 0;
    const job = made.app.jobQueue.define("job", () => void (ran += 1));
    await made.app.jobQueue.runOnce(job, "1m");
    await made.clock.advance(MINUTE);
    expect(ran).toBe(1);
    expect(made.warnings).toEqual([expect.stringMatching(/[Jj]obs/)]);
  });
});

describe("whose jobs they are", () => {
  test("a group that becomes a supergroup takes them along", async () => {
    const { app, clock, path, bot } = await startJobApp();
    const ran: unknown[] = [];
    const job = app.jobQueue.define("job", (ctx) => {
      ctx.chatData.log.push("job");
      ran.push(ctx.job.chatId);
    });
    await app.jobQueue.runOnce(job, "1m", { chatId: -1 });
    await bot.handleUpdate({
      update_id: 999_999,
      message: { message_id: 1, date: 0, chat: { id: -1, type: "group", title: "" }, migrate_to_chat_id: -1001 },
    } as never);
    expect(query(path, "select chat_id from job")).toEqual([{ chat_id: -1001 }]);
    expect((await app.jobQueue.runOnce(job, "1h", { chatId: -1, id: "late" })).chatId).toBe(-1001);
    expect(await all(app.jobQueue.jobs({ chatId: -1 }))).toHaveLength(2);
    await clock.advance(MINUTE);
    expect(ran).toEqual([-1001]);
    expect(readTable(path, "chat_data")).toEqual(new Map([[-1001, { log: ["job"] }]]));
  });

  test("a group that moves while its job waits for its turn", async () => {
    const { app, clock, path } = await startJobApp();
    const ran: unknown[] = [];
    const job = app.jobQueue.define("job", (ctx) => {
      ctx.chatData.log.push("job");
      ran.push(ctx.job.chatId);
    });
    await app.jobQueue.runOnce(job, "1m", { chatId: -1 });
    const gate = Promise.withResolvers<void>();
    const moving = app.transaction({ chats: [-1, -1001] }, async () => {
      await gate.promise;
      await app.migrateChatData({ from: -1, to: -1001 });
    });
    await clock.advance(MINUTE);
    expect(ran).toEqual([]);
    gate.resolve();
    await moving;
    await clock.advance(0);
    expect(ran).toEqual([-1001]);
    expect(readTable(path, "chat_data")).toEqual(new Map([[-1001, { log: ["job"] }]]));
  });

  test("a group that moves while one is being scheduled for it elsewhere", async () => {
    const { app, clock } = await startJobApp();
    const ran: unknown[] = [];
    const job = app.jobQueue.define("job", (ctx) => void ran.push(ctx.job.chatId));
    const gate = Promise.withResolvers<void>();
    const scheduling = app.transaction({ chats: [5] }, async (tx) => {
      for (const id of ["runs", "is listed", "is moved"]) await tx.jobQueue.runOnce(job, "1m", { id, chatId: -1 });
      await tx.jobQueue.runOnce(job, "2m", { id: "is forgotten", chatId: -1, userId: 7 });
      await gate.promise;
      return [await all(tx.jobQueue.jobs({ chatId: -1 })), await all(tx.jobQueue.jobs({ chatId: -1001 }))];
    });
    await app.migrateChatData({ from: -1, to: -1001 });
    gate.resolve();
    const [old, fresh] = await scheduling;
    expect([old?.length, fresh?.length]).toEqual([4, 4]);
    const listed = async (chatId: number): Promise<Record<string, unknown>> =>
      Object.fromEntries((await all(app.jobQueue.jobs({ chatId }))).map((each) => [each.id, each.chatId]));
    const expected = { "is forgotten": -1001, "is listed": -1001, "is moved": -1001, runs: -1001 };
    expect(await listed(-1001)).toEqual(expected);
    expect(await listed(-1)).toEqual(expected);
    expect((await app.jobQueue.getJob("is listed"))?.chatId).toBe(-1001);
    await app.forgetUser(7);
    await app.migrateChatData({ from: -1001, to: -1002 });
    expect(await listed(-1002)).toEqual({ "is listed": -1002, "is moved": -1002, runs: -1002 });
    await clock.advance(MINUTE);
    expect(ran).toEqual([-1002, -1002, -1002]);
  });

  test("a user who is forgotten leaves none", async () => {
    const { app } = await startJobApp();
    const job = app.jobQueue.define("job", () => {});
    await app.jobQueue.runOnce(job, "1m", { userId: 7, chatId: -1 });
    await app.jobQueue.runOnce(job, "1m", { chatId: 7 });
    await app.jobQueue.runOnce(job, "1m", { id: "stays", userId: 8 });
    await app.forgetUser(7);
    expect((await all(app.jobQueue.jobs())).map(({ id }) => id)).toEqual(["stays"]);
  });
});
