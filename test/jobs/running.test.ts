import { expect, test } from "vitest";
import { settled } from "../support/driven-clock.ts";
import { makeJobApp, MONDAY, SECOND } from "../support/job-app.ts";
import { textUpdate } from "../support/made-app.ts";

test("a job that was scheduled in a handler runs at its time", async () => {
  const { app, clock, bot } = makeJobApp();
  const ran: unknown[] = [];
  const remind = app.jobQueue.define<{ text: string }>("remind", (ctx) => {
    ran.push([clock.now() - MONDAY, ctx.job.data.text, ctx.scheduledTime.getTime() - MONDAY]);
    ctx.chatData.log.push(ctx.job.data.text);
  });
  bot.command("set", (ctx) => ctx.jobQueue.runOnce(remind, "30s", { data: { text: "tea" }, chatId: ctx.chat.id }));
  await bot.handleUpdate(textUpdate("/set"));
  await clock.advance(29 * SECOND);
  expect(ran).toEqual([]);
  await clock.advance(SECOND);
  expect(ran).toEqual([[30_000, "tea", 30_000]]);
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
  expect(reported).toEqual([expect.objectContaining({ code: "PERDURE_UNKNOWN_DEFINITION" })]);
});
