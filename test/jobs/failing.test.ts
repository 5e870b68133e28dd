import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PerdureError, SqlitePersistence, type ErrorOrigin } from "../../src/index.ts";
import { DrivenClock } from "../support/driven-clock.ts";
import { FailingPersistence } from "../support/failing-persistence.ts";
import { HOUR, MINUTE, MONDAY, SECOND, startJobApp } from "../support/job-app.ts";
import { all } from "../support/made-app.ts";
import { readTable } from "../support/read-file.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("a run that fails", () => {
  test("is rolled back and reported with its job, and a one-time job is kept as failed", async () => {
    const { app, clock, path, reported } = await startJobApp();
    const origins: ErrorOrigin[] = [];
    app.onError((_error, origin) => void origins.push(origin));
    const job = app.jobQueue.define<string>("job", async (ctx) => {
      ctx.chatData.log.push("never");
      await ctx.jobQueue.runOnce(job, "1m", { id: "never", data: "" });
      throw new TypeError("broken");
    });
    await app.jobQueue.runOnce(job, "1m", { id: "a", name: "tea", data: "x", chatId: -1, userId: 7 });
    await clock.advance(HOUR);
    expect(reported).toEqual([new TypeError("broken")]);
    expect(origins[0]?.update).toBeUndefined();
    expect(origins[0]?.job).toMatchObject({
      id: "a",
      definition: "job",
      name: "tea",
      data: "x",
      chatId: -1,
      userId: 7,
    });
    expect(readTable(path, "chat_data").size).toBe(0);
    const [failed, ...others] = await all(app.jobQueue.jobs());
    expect(others).toEqual([]);
    expect([failed?.state, failed?.nextRunTime]).toEqual(["failed", undefined]);
    expect(failed?.failure).toEqual({
      error: "TypeError: broken",
      at: new Date(MONDAY + MINUTE),
      scheduledTime: new Date(MONDAY + MINUTE),
      attempts: 1,
    });
  });

  test("of a job that repeats: it goes on, and has failed until a run succeeds", async () => {
    const { app, clock } = await startJobApp();
    let runs = 0;
    const job = app.jobQueue.define("job", () => {
      runs += 1;
      if (runs < 3) throw new Error(`broken ${runs}`);
    });
    await app.jobQueue.runRepeating(job, "1m", { id: "a" });
    await clock.advance(2 * MINUTE);
    const [failed] = await all(app.jobQueue.jobs({ state: "failed" }));
    expect([failed?.failure?.error, failed?.nextRunTime]).toEqual(["Error: broken 2", new Date(MONDAY + 3 * MINUTE)]);
    await clock.advance(MINUTE);
    expect(await all(app.jobQueue.jobs({ state: "failed" }))).toEqual([]);
    expect(runs).toBe(3);
  });

  test("can be made again by job.run(), as often as it takes; then the job is over", async () => {
    const { app, clock } = await startJobApp();
    let isBroken = true;
    const ran: number[] = [];
    const job = app.jobQueue.define("job", ({ scheduledTime }) => {
      ran.push(scheduledTime.getTime() - MONDAY);
      if (isBroken) throw new Error("broken");
    });
    await app.jobQueue.runOnce(job, "1m", { id: "a" });
    await clock.advance(HOUR);
    for (let i = 0; i < 2; i += 1) {
      await (await app.jobQueue.getJob("a"))?.run();
      await clock.advance(0);
    }
    expect((await app.jobQueue.getJob("a"))?.state).toBe("failed");
    isBroken = false;
    await (await app.jobQueue.getJob("a"))?.run();
    await clock.advance(HOUR);
    expect(ran).toEqual([MINUTE, MINUTE, MINUTE, MINUTE]);
    expect(await all(app.jobQueue.jobs())).toEqual([]);
  });

  test.each([
    ["nothing", undefined],
    ["what has no text", Object.create(null) as unknown],
  ])("by throwing %s: it has failed all the same", async (_what, thrown) => {
    const { app, clock } = await startJobApp();
    const job = app.jobQueue.define("job", () => {
      throw thrown;
    });
    await app.jobQueue.runOnce(job, "1m", { id: "a" });
    await clock.advance(MINUTE);
    expect((await app.jobQueue.getJob("a"))?.state).toBe("failed");
  });

  test("can be removed, and does not stand in the way of others", async () => {
    const { app, clock } = await startJobApp();
    const ran: string[] = [];
    const job = app.jobQueue.define<string>("job", ({ job: { data } }) => {
      ran.push(data);
      if (data === "bad") throw new Error("broken");
    });
    await app.jobQueue.runOnce(job, "1m", { id: "bad", data: "bad" });
    await app.jobQueue.runOnce(job, "2m", { data: "good" });
    await clock.advance(HOUR);
    expect(ran).toEqual(["bad", "good"]);
    for await (const failed of app.jobQueue.jobs({ state: "failed" })) await failed.scheduleRemoval();
    expect(await all(app.jobQueue.jobs())).toEqual([]);
  });

  test("leaves what cannot be kept: that is an error of the run", async () => {
    const { app, clock, reported } = await startJobApp();
    const job = app.jobQueue.define<{ call?: unknown }>("job", (ctx) => {
      ctx.job.data.call = () => {};
    });
    await app.jobQueue.runRepeating(job, "1m", { id: "a", data: {} });
    await clock.advance(MINUTE);
    expect(String(reported[0])).toMatch(/job.a.data.call: a function cannot be kept/);
    expect((await app.jobQueue.getJob("a"))?.state).toBe("failed");
  });

  test("and of which nothing can be noted: it rests for a minute, and a stop does not wait for that", async () => {
    const persistence = new FailingPersistence(
      new SqlitePersistence({ path: join(temporaryFolder(), "bot.sqlite"), ownerTimeout: 0, durability: "os" }),
    );
    const clock = new DrivenClock({ now: MONDAY });
    const { app, reported, warnings } = await startJobApp({ persistence }, clock);
    const job = app.jobQueue.define("job", (ctx) => void (ctx.chatData.log.length += 1));
    await app.jobQueue.runOnce(job, "1m", { chatId: -1 });
    const refused = new PerdureError("PERDURE_REFUSED", "on purpose");
    persistence.before = (operation) => {
      if (operation === "commit") throw refused;
    };
    await clock.advance(MINUTE);
    expect(reported).toEqual([refused, refused]);
    await clock.advance(30 * SECOND);
    expect(reported).toHaveLength(2);
    await clock.advance(30 * SECOND);
    expect(reported).toHaveLength(4);
    await app.shutdown();
    expect(clock.waiting).toBe(0);
    expect(warnings).toEqual([]);
  });

  test("an error of a call after the commit is reported with its job, and is no failure of it", async () => {
    const { app, clock, reported } = await startJobApp();
    const jobs: unknown[] = [];
    app.onError((_error, { job }) => void jobs.push(job?.id));
    const job = app.jobQueue.define("job", (ctx) => {
      ctx.afterCommit(() => {
        throw new Error("later");
      });
    });
    await app.jobQueue.runOnce(job, "1m", { id: "a" });
    await clock.advance(MINUTE);
    expect([reported, jobs]).toEqual([[new Error("later")], ["a"]]);
    expect(await all(app.jobQueue.jobs())).toEqual([]);
  });
});

describe("retry", () => {
  test("makes a run again after growing pauses, as often as it says, each attempt on the state as it was", async () => {
    const { app, clock, reported, path } = await startJobApp();
    const ran: unknown[] = [];
    const job = app.jobQueue.define<{ n: number }>(
      "job",
      (ctx) => {
        ctx.job.data.n += 1;
        ctx.chatData.log.push("x");
        ran.push([clock.now() - MONDAY, ctx.attempt, ctx.job.data.n, ctx.scheduledTime.getTime() - MONDAY]);
        if (ctx.attempt < 3) throw new Error("broken");
      },
      { retry: { attempts: 3 } },
    );
    await app.jobQueue.runOnce(job, "1m", { data: { n: 0 }, chatId: -1 });
    await clock.advance(HOUR);
    expect(ran).toEqual([
      [60_000, 1, 1, 60_000],
      [61_000, 2, 1, 60_000],
      [63_000, 3, 1, 60_000],
    ]);
    expect(reported).toHaveLength(2);
    expect(readTable(path, "chat_data").get(-1)).toEqual({ log: ["x"] });
    expect(await all(app.jobQueue.jobs())).toEqual([]);
  });

  test("by a pause or a function; the job shows that it is tried again; at the end it has failed", async () => {
    const { app, clock } = await startJobApp();
    const ran: number[] = [];
    const fail = (): void => {
      ran.push(clock.now() - MONDAY);
      throw new Error("broken");
    };
    const backoff = (failed: number): number => failed * 10_000;
    const job = app.jobQueue.define("job", fail, { retry: { attempts: 3, backoff } });
    await app.jobQueue.runOnce(job, "1m", { id: "a" });
    await clock.advance(MINUTE);
    const waiting = await app.jobQueue.getJob("a");
    expect([waiting?.state, waiting?.nextRunTime, waiting?.failure?.attempts]).toEqual([
      "scheduled",
      new Date(MONDAY + 70_000),
      1,
    ]);
    await clock.advance(HOUR);
    expect(ran).toEqual([60_000, 70_000, 90_000]);
    expect((await app.jobQueue.getJob("a"))?.failure?.attempts).toBe(3);
    const fixed = app.jobQueue.define("fixed", fail, { retry: { attempts: 2, backoff: "5s" } });
    ran.length = 0;
    await app.jobQueue.runOnce(fixed, 0);
    await clock.advance(MINUTE);
    expect(ran).toEqual([HOUR + MINUTE, HOUR + MINUTE + 5 * SECOND]);
  });

  test("of a job that repeats: the runs that come due meanwhile wait, and become one", async () => {
    const { app, clock } = await startJobApp();
    const ran: unknown[] = [];
    const job = app.jobQueue.define(
      "job",
      ({ scheduledTime, attempt }) => {
        ran.push([(clock.now() - MONDAY) / MINUTE, (scheduledTime.getTime() - MONDAY) / MINUTE, attempt]);
        if (attempt === 1 && ran.length === 1) throw new Error("broken");
      },
      { retry: { attempts: 2, backoff: "210s" } },
    );
    await app.jobQueue.runRepeating(job, "1m", { id: "a" });
    await clock.advance(6 * MINUTE);
    expect(ran).toEqual([
      [1, 1, 1],
      [4.5, 1, 2],
      [4.5, 4, 1],
      [5, 5, 1],
      [6, 6, 1],
    ]);
  });

  test("survives a restart", async () => {
    const made = await startJobApp();
    const ran: unknown[] = [];
    const define = ({ app, clock }: typeof made): ReturnType<typeof app.jobQueue.define> =>
      app.jobQueue.define(
        "job",
        ({ attempt }) => {
          ran.push([clock.now() - MONDAY, attempt]);
          if (attempt < 3) throw new Error("broken");
        },
        { retry: { attempts: 3, backoff: "1h" } },
      );
    await made.app.jobQueue.runOnce(define(made), "1m");
    await made.clock.advance(2 * MINUTE);
    const next = await made.again(define);
    await next.clock.advance(2 * HOUR);
    expect(ran).toEqual([
      [MINUTE, 1],
      [HOUR + MINUTE, 2],
      [2 * HOUR + MINUTE, 3],
    ]);
  });

  test("a backoff that fails itself is reported, and the run has failed", async () => {
    const { app, clock, reported } = await startJobApp();
    const backoff = (): number => {
      throw new Error("no pause");
    };
    const job = app.jobQueue.define("job", () => Promise.reject(new Error("broken")), {
      retry: { attempts: 3, backoff },
    });
    await app.jobQueue.runOnce(job, "1m", { id: "a" });
    await clock.advance(HOUR);
    expect(reported).toEqual([new Error("broken"), new Error("no pause")]);
    expect((await app.jobQueue.getJob("a"))?.state).toBe("failed");
  });
});
