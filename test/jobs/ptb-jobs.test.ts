import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SqlitePersistence } from "../../src/index.ts";
import { DAY, HOUR, MINUTE, MONDAY, SECOND, startJobApp, type JobApp } from "../support/job-app.ts";
import { all } from "../support/made-app.ts";
import { readTable } from "../support/read-file.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { withCode } from "../support/with-code.ts";

const next = ({ nextRunTime }: { nextRunTime: Date | undefined }): number | undefined =>
  nextRunTime && (nextRunTime.getTime() - MONDAY) / SECOND;

describe("python-telegram-bot's JobQueue, by the numbers of its statements", () => {
  test("179: runOnce takes a time span, a date and a time of day, which is tomorrow's if it is past", async () => {
    const { app } = await startJobApp();
    const job = app.jobQueue.define("job", () => {});
    expect(next(await app.jobQueue.runOnce(job, 30_000))).toBe(30);
    expect(next(await app.jobQueue.runOnce(job, "30s"))).toBe(30);
    expect(next(await app.jobQueue.runOnce(job, new Date(MONDAY + MINUTE)))).toBe(60);
    expect(next(await app.jobQueue.runOnce(job, "11:00"))).toBe(3600);
    expect(next(await app.jobQueue.runOnce(job, { hour: 9 }))).toBe(23 * 3600);
  });

  test("180: runRepeating begins one interval from now; `last` before `first` is refused", async () => {
    const { app } = await startJobApp();
    const job = app.jobQueue.define("job", () => {});
    expect(next(await app.jobQueue.runRepeating(job, "10s", { id: "a" }))).toBe(10);
    expect(next(await app.jobQueue.runRepeating(job, "10s", { id: "b", first: 0 }))).toBe(0);
    const wrong = app.jobQueue.runRepeating(job, "10s", { id: "c", first: "10s", last: "5s" });
    await expect(wrong).rejects.toThrow("'last' must not be before 'first'!");
  });

  test("181: days count from Sunday; months without the day are skipped; -1 is the last", async () => {
    const { app } = await startJobApp();
    const job = app.jobQueue.define("job", () => {});
    const date = async (made: Promise<{ nextRunTime: Date | undefined }>): Promise<string | undefined> =>
      (await made).nextRunTime?.toISOString().slice(0, 10);
    expect(await date(app.jobQueue.runDaily(job, "12:00", { id: "sunday", days: [0] }))).toBe("2026-06-07");
    expect(await date(app.jobQueue.runDaily(job, "12:00", { id: "saturday", days: [6] }))).toBe("2026-06-06");
    expect(await date(app.jobQueue.runMonthly(job, "12:00", 31, { id: "31" }))).toBe("2026-07-31");
    expect(await date(app.jobQueue.runMonthly(job, "12:00", -1, { id: "last" }))).toBe("2026-06-30");
    expect(await date(app.jobQueue.runCron(job, "0 12 2 6 *", { id: "custom" }))).toBe("2026-06-02");
  });

  test("182: names are the definition's by default, found by text or by pattern, and not unique", async () => {
    const { app } = await startJobApp();
    const job = app.jobQueue.define("remind", () => {});
    await app.jobQueue.runOnce(job, "1m");
    await app.jobQueue.runOnce(job, "1m", { name: "tea" });
    await app.jobQueue.runOnce(job, "1m", { name: "tea" });
    const names = async (name: string | RegExp): Promise<string[]> =>
      (await app.jobQueue.getJobsByName(name)).map((found) => found.name);
    expect(await names("remind")).toEqual(["remind"]);
    expect(await names("tea")).toEqual(["tea", "tea"]);
    expect(await names("te")).toEqual([]);
    expect(await names(/te|remi/)).toHaveLength(3);
  });

  test("183: chatId and userId give the data of the chat and the user, brought up to date before", async () => {
    const refreshed: string[] = [];
    class Refreshing extends SqlitePersistence {
      override refreshChatData(id: number): void {
        refreshed.push(`chat ${id}`);
      }
      override refreshUserData(id: number): void {
        refreshed.push(`user ${id}`);
      }
      override refreshBotData(): void {
        refreshed.push("bot");
      }
    }
    const persistence = new Refreshing({ path: join(temporaryFolder(), "bot.sqlite") });
    const { app, clock } = await startJobApp({ persistence });
    let seen: unknown;
    const job = app.jobQueue.define("job", ({ chatData, userData }) => {
      seen = [chatData.log, userData.n];
    });
    await app.transaction({ chats: [-1], users: [7] }, (tx) => {
      tx.chatData(-1).log.push("x");
      tx.userData(7).n = 5;
    });
    refreshed.length = 0;
    await app.jobQueue.runOnce(job, "1m", { chatId: -1, userId: 7 });
    await clock.advance(MINUTE);
    expect(seen).toEqual([["x"], 5]);
    expect(refreshed).toEqual(["bot", "chat -1", "user 7"]);
  });

  test("184: an error of a job is heard with the job and without an update", async () => {
    const { app, clock } = await startJobApp();
    const heard: unknown[] = [];
    app.onError((error, { job, update }) => void heard.push([String(error), job?.name, job?.chatId, update]));
    const job = app.jobQueue.define("job", () => {
      throw new Error("broken");
    });
    await app.jobQueue.runOnce(job, "1m", { chatId: -1 });
    await clock.advance(MINUTE);
    expect(heard).toEqual([["Error: broken", "job", -1, undefined]]);
  });

  test("98, 185: what a job changes is written with its run", async () => {
    const { app, clock, path } = await startJobApp();
    const job = app.jobQueue.define("job", ({ chatData }) => void chatData.log.push("x"));
    await app.jobQueue.runOnce(job, "1m", { chatId: -1 });
    await clock.advance(MINUTE);
    expect(readTable(path, "chat_data").get(-1)).toEqual({ log: ["x"] });
  });

  test("186: a second removal does nothing; a job is enabled until it is paused", async () => {
    const { app } = await startJobApp();
    const definition = app.jobQueue.define("job", () => {});
    const job = await app.jobQueue.runOnce(definition, "1m");
    expect([job.enabled, job.removed]).toEqual([true, false]);
    await job.setEnabled(false);
    expect([job.enabled, job.nextRunTime]).toEqual([false, undefined]);
    await job.scheduleRemoval();
    await job.scheduleRemoval();
    expect(job.removed).toBe(true);
  });

  test("187: a job runs however late it is; misfireGrace, coalesce and maxInstances are the definition's to choose", async () => {
    const { app, clock } = await startJobApp();
    let ran = 0;
    const job = app.jobQueue.define("job", () => void (ran += 1));
    await app.jobQueue.runOnce(job, new Date(MONDAY - DAY));
    await clock.advance(0);
    expect(ran).toBe(1);
    const strict = app.jobQueue.define("strict", () => void (ran += 1), { misfireGrace: "1s" });
    await app.jobQueue.runOnce(strict, new Date(MONDAY - DAY));
    await clock.advance(0);
    expect(ran).toBe(1);
  });

  test("188, 189: a job is kept as the name of its definition and its data; what cannot be kept is refused", async () => {
    const { app, path } = await startJobApp();
    const job = app.jobQueue.define<{ call: unknown }>("job", () => {});
    await app.jobQueue.runOnce(job, "1m", { data: { call: "text" }, chatId: -1 });
    const [kept] = readTable(path, "job").values();
    expect(kept).toMatchObject({ definition: "job", name: "job", data: { call: "text" } });
    const refused = app.jobQueue.runOnce(job, "1m", { data: { call: () => {} } });
    await expect(refused).rejects.toThrow(withCode("PERDURE_CANNOT_KEEP"));
  });

  test("190: a job that is scheduled at each start is one job", async () => {
    const begin = async ({ app }: JobApp): Promise<void> => {
      await app.jobQueue.runDaily(
        app.jobQueue.define("job", () => {}),
        "12:00",
        { id: "daily" },
      );
    };
    let made = await startJobApp();
    await begin(made);
    for (let start = 0; start < 2; start += 1) made = await made.again(begin);
    expect(await all(made.app.jobQueue.jobs())).toHaveLength(1);
  });

  test("191: a job that was due while the bot was down runs once at the start", async () => {
    let ran = 0;
    const define = ({ app }: JobApp): ReturnType<typeof app.jobQueue.define> =>
      app.jobQueue.define("job", () => void (ran += 1));
    const first = await startJobApp();
    await first.app.jobQueue.runOnce(define(first), "3s");
    await first.app.shutdown();
    await first.clock.jump(HOUR);
    await first.again(define);
    expect(ran).toBe(1);
  });
});
