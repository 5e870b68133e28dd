import { join } from "node:path";
import { Bot, webhookCallback, type Context } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import { Application, hears, SqlitePersistence, type AppWebhookOptions, type PersistentContext } from "../src/index.ts";
import { isSettled } from "./support/driven-clock.ts";
import { FailingPersistence } from "./support/failing-persistence.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

type MyContext = PersistentContext<Context, { chat: { texts: string[] } }>;

const ME = { id: 1, is_bot: true, first_name: "bot", username: "test_bot" };

function make(path = join(temporaryFolder(), "bot.sqlite")) {
  const bot = new Bot<MyContext>("1:x", { botInfo: ME as never });
  const persistence = new FailingPersistence(new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }));
  const app = new Application(bot, {
    persistence,
    initial: { chat: () => ({ texts: [] }) },
    logger: silentLogger,
    stopTimeout: 100,
  });
  const reported: unknown[] = [];
  app.onError((error, { update }) => void reported.push([error, update?.update_id]));
  const gate = Promise.withResolvers<void>();
  bot.on("message:text", async (ctx, next) => {
    if (ctx.msg.text === "ask") return next();
    if (ctx.msg.text.startsWith("slow")) await gate.promise;
    ctx.chatData.texts.push(ctx.msg.text);
    if (ctx.msg.text === "fail") throw new Error("on purpose");
  });
  bot.catch(({ error }) => {
    throw error;
  });
  onTestFinished(() => app.shutdown());
  const texts = (chat: number): Promise<string[]> =>
    app.transaction({ chats: [chat] }, (tx) => structuredClone(tx.chatData(chat).texts));
  return { bot, app, persistence, path, gate, reported, texts };
}

type Answer = (request: Request) => Promise<Response>;

function callback(app: Application<MyContext>, options?: AppWebhookOptions): Answer {
  return app.webhookCallback("std/http", options) as unknown as Answer;
}

function request(id: number, text: string, chat = 1, headers: Record<string, string> = {}): Request {
  const from = { id: 7, is_bot: false, first_name: "Ann" };
  const message = { message_id: id, date: 0, text, from, chat: { id: chat, type: "group", title: "Club" } };
  return new Request("http://localhost/", {
    method: "POST",
    headers,
    body: JSON.stringify({ update_id: id, message }),
  });
}

describe('app.webhookCallback, acknowledge "accepted"', () => {
  test("answers as soon as the update is in the inbox, and runs it afterwards", async () => {
    const { app, gate, texts, persistence } = make();
    const answer = callback(app);
    expect((await answer(request(1, "slow"))).status).toBe(200);
    expect(await persistence.openUpdates({ limit: 10 })).toHaveLength(1);
    gate.resolve();
    expect(await texts(1)).toEqual(["slow"]);
  });

  test.each(["accept", "sync"])("does not answer before the update is durable: %s", async (slow) => {
    const { app, persistence } = make();
    await app.initialize();
    const gate = Promise.withResolvers<void>();
    persistence.before = (operation) => (operation === slow ? gate.promise : undefined);
    const answering = callback(app)(request(1, "hello"));
    expect(await isSettled(answering)).toBe(false);
    gate.resolve();
    expect((await answering).status).toBe(200);
  });

  test.each(["accept", "sync"])("nor a redelivery of what is not durable yet: %s", async (slow) => {
    const { app, bot, persistence } = make();
    await app.initialize();
    const gate = Promise.withResolvers<void>();
    persistence.before = (operation) => (operation === slow ? gate.promise : undefined);
    const stock = webhookCallback(bot, "std/http");
    const answering = [callback(app), callback(app), stock, stock].map((answer) => answer(request(1, "hello")));
    for (const each of answering) expect(await isSettled(each)).toBe(false);
    gate.resolve();
    for (const each of answering) expect((await each).status).toBe(200);
  });

  test("a redelivery gets 200 at once and runs nothing", async () => {
    const { app, gate, texts } = make();
    const answer = callback(app);
    for (let times = 0; times < 3; times += 1) expect((await answer(request(1, "slow"))).status).toBe(200);
    gate.resolve();
    expect(await texts(1)).toEqual(["slow"]);
    expect((await answer(request(1, "slow"))).status).toBe(200);
    expect(await texts(1)).toEqual(["slow"]);
  });

  test("a handler's error is for bot.catch, and what that throws for onError", async () => {
    const { app, reported, texts } = make();
    expect((await callback(app)(request(5, "fail"))).status).toBe(200);
    expect(await texts(1)).toEqual([]);
    expect(reported).toEqual([[expect.objectContaining({ message: "on purpose" }), 5]]);
  });

  test("a request without the secret token is turned away", async () => {
    const { app, texts } = make();
    const answer = callback(app, { secretToken: "s3cret" });
    expect((await answer(request(1, "no"))).status).toBe(401);
    const headers = { "X-Telegram-Bot-Api-Secret-Token": "s3cret" };
    expect((await answer(request(2, "yes", 1, headers))).status).toBe(200);
    expect(await texts(1)).toEqual(["yes"]);
  });

  test("a body that is no update is an error and does no harm", async () => {
    const { app, texts } = make();
    const answer = callback(app);
    const garbage = new Request("http://localhost/", { method: "POST", body: JSON.stringify({ message: null }) });
    await expect(answer(garbage)).rejects.toThrow("This is no update");
    await answer(request(1, "fine"));
    expect(await texts(1)).toEqual(["fine"]);
  });
});

describe('app.webhookCallback, acknowledge "done"', () => {
  test("answers when the update is committed", async () => {
    const { app, gate, texts } = make();
    const answering = callback(app, { acknowledge: "done" })(request(1, "slow"));
    expect(await isSettled(answering)).toBe(false);
    gate.resolve();
    expect((await answering).status).toBe(200);
    expect(await texts(1)).toEqual(["slow"]);
  });

  test("answers when it is, also after a callback that does not block", async () => {
    const { app, bot, gate, persistence } = make();
    const asking = hears("ask", () => gate.promise.then(() => "ASKED" as const), { block: false });
    const states = { ASKED: [] };
    bot.use(app.conversation({ name: "asking", persistent: true, entryPoints: [asking], states, fallbacks: [] }));
    const answering = callback(app, { acknowledge: "done" })(request(1, "ask"));
    expect(await isSettled(answering)).toBe(false);
    gate.resolve();
    expect((await answering).status).toBe(200);
    expect(await persistence.openUpdates({ limit: 10 })).toEqual([]);
  });

  test.each(["accept", "sync"])("does not answer before the update is durable, however long %s takes", async (slow) => {
    const { app, persistence } = make();
    await app.initialize();
    const gate = Promise.withResolvers<void>();
    persistence.before = (operation) => (operation === slow ? gate.promise : undefined);
    const answering = callback(app, { acknowledge: "done", timeoutMilliseconds: 0 })(request(1, "hello"));
    expect(await isSettled(answering)).toBe(false);
    gate.resolve();
    expect((await answering).status).toBe(200);
  });

  test("answers what ends in order while the application stops", async () => {
    const { app, gate, persistence } = make();
    const answering = callback(app, { acknowledge: "done" })(request(1, "slow"));
    await expect.poll(() => persistence.openUpdates({ limit: 10 })).toHaveLength(1);
    const stopping = app.stop();
    gate.resolve();
    expect((await answering).status).toBe(200);
    await stopping;
  });

  test("an error after an early answer is heard, and does not end the process", async () => {
    const { app, gate, reported } = make();
    const answer = callback(app, { acknowledge: "done", timeoutMilliseconds: 0 });
    await answer(request(1, "slow"));
    expect((await answer(request(2, "fail"))).status).toBe(200);
    gate.resolve();
    await expect.poll(() => reported).toEqual([[expect.objectContaining({ message: "on purpose" }), 2]]);
  });

  test("answers when it takes too long all the same: the update is in the inbox and runs on", async () => {
    const { app, gate, texts } = make();
    const answer = callback(app, { acknowledge: "done", timeoutMilliseconds: 10 });
    expect((await answer(request(1, "slow"))).status).toBe(200);
    gate.resolve();
    expect(await texts(1)).toEqual(["slow"]);
  });
});

describe("grammY's webhookCallback", () => {
  test.each(["ask", "hello", "fail"])(
    "does not answer before the update is durable, whatever its handler does: %s",
    async (text) => {
      const { app, bot, persistence } = make();
      await app.initialize();
      const gate = Promise.withResolvers<void>();
      persistence.before = (operation) => (operation === "sync" ? gate.promise : undefined);
      const answer = webhookCallback(bot, "std/http") as unknown as Answer;
      const answering = [1, 1].map((id) =>
        answer(request(id, text)).then(
          () => {},
          () => {},
        ),
      );
      expect(await isSettled(Promise.race(answering))).toBe(false);
      gate.resolve();
      await Promise.all(answering);
    },
  );
});

describe("what an earlier run left in the inbox", () => {
  const WAYS: Record<string, (made: ReturnType<typeof make>) => Answer> = {
    "webhookCallback(bot)": ({ bot }) => webhookCallback(bot, "std/http"),
    "app.webhookCallback": ({ app }) => callback(app),
  };

  test.each(Object.keys(WAYS))(
    "runs with %s before any request, and before what comes later",
    { timeout: 60_000 },
    async (way) => {
      const first = make();
      const answer = callback(first.app);
      for (let id = 1; id <= 250; id += 1) await answer(request(id, `slow ${id}`));
      // Its handlers hang, and are given up.
      await first.app.shutdown();
      const second = make(first.path);
      second.gate.resolve();
      const next = (WAYS[way] as (typeof WAYS)[string])(second);
      expect((await next(request(251, "new"))).status).toBe(200);
      const expected = Array.from({ length: 250 }, (_, index) => `slow ${index + 1}`);
      await expect.poll(() => second.texts(1), { timeout: 10_000 }).toEqual([...expected, "new"]);
    },
  );
});
