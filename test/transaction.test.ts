import { join } from "node:path";
import { Bot, type Context } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import { Application, SqlitePersistence, type PersistentContext } from "../src/index.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";
import { withCode } from "./support/with-code.ts";

interface Kept {
  bot: { n: number };
  chat: { log: string[] };
  user: { n: number };
}
type MyContext = PersistentContext<Context, Kept>;

const ME = { id: 1, is_bot: true, first_name: "bot", username: "test_bot" };

async function makeApp(path = join(temporaryFolder(), "bot.sqlite"), options: { concurrency?: number } = {}) {
  const bot = new Bot<MyContext>("1:x", { botInfo: ME as never });
  const reported: unknown[] = [];
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }),
    initial: { bot: () => ({ n: 0 }), chat: () => ({ log: [] }), user: () => ({ n: 0 }) },
    logger: silentLogger,
    ...options,
  });
  app.onError((error) => void reported.push(error));
  await app.initialize();
  onTestFinished(() => app.shutdown());
  return { bot, app, path, reported };
}

function message(id: number, chat: number, user: number, text = "hi"): never {
  const from = { id: user, is_bot: false, first_name: "Ann" };
  return {
    update_id: id,
    message: { message_id: id, date: 0, text, from, chat: { id: chat, type: "group", title: "" } },
  } as never;
}

async function all(ids: AsyncIterable<number>): Promise<number[]> {
  const found: number[] = [];
  for await (const id of ids) found.push(id);
  return found;
}

describe("app.transaction", () => {
  test("changes chats, users and the bot in one commit, and returns what its function returns", async () => {
    const { app, path } = await makeApp();
    const result = await app.transaction({ chats: [1, 2, 1], users: [3] }, async (tx) => {
      tx.chatData(1).log.push("a");
      tx.chatData(2).log.push("b");
      tx.userData(3).n += 5;
      return tx.updateBotData((data) => (data.n += 1));
    });
    expect(result).toBe(1);
    await app.shutdown();
    const again = await makeApp(path);
    await again.app.transaction({ chats: [1, 2], users: [3] }, (tx) => {
      expect([tx.chatData(1), tx.chatData(2), tx.userData(3), tx.botData]).toEqual([
        { log: ["a"] },
        { log: ["b"] },
        { n: 5 },
        { n: 1 },
      ]);
    });
  });

  test("leaves nothing when its function throws", async () => {
    const { app } = await makeApp();
    const failing = app.transaction({ chats: [1] }, async (tx) => {
      tx.chatData(1).log.push("never");
      await tx.updateBotData((data) => (data.n += 1));
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await app.transaction({ chats: [1] }, (tx) => {
      expect([tx.chatData(1), tx.botData]).toEqual([{ log: [] }, { n: 0 }]);
    });
  });

  test("takes turns with the updates of its chats and users", async () => {
    const { app, bot } = await makeApp();
    const gate = Promise.withResolvers<void>();
    bot.on("message:text", async (ctx) => {
      if (ctx.msg.text === "slow") await gate.promise;
      ctx.chatData.log.push(ctx.msg.text);
    });
    const first = bot.handleUpdate(message(1, 1, 1, "slow"));
    const second = app.transaction({ chats: [1, 2] }, (tx) => tx.chatData(1).log.push("transaction"));
    const third = bot.handleUpdate(message(2, 2, 2, "after"));
    const other = bot.handleUpdate(message(3, 3, 3, "other"));
    await other;
    gate.resolve();
    await Promise.all([first, second, third]);
    await app.transaction({ chats: [1, 2, 3] }, (tx) => {
      expect([1, 2, 3].map((id) => tx.chatData(id).log)).toEqual([["slow", "transaction"], ["after"], ["other"]]);
    });
  });

  test("gives only what it was begun with, and only as long as it lasts", async () => {
    const { app } = await makeApp();
    await app.transaction({ chats: [1] }, (tx) => {
      expect(() => tx.chatData(2)).toThrow(withCode("PERDURE_NO_TURN"));
      expect(() => tx.userData(1)).toThrow(/app\.transaction\(\{ users: \[1\] \}/);
    });
    const late = await app.transaction({ chats: [1] }, (tx) => tx);
    expect(() => late.chatData(1)).toThrow(withCode("PERDURE_UNIT_OVER"));
  });

  test("inside of a handler or another transaction it is refused, after the commit it is not", async () => {
    const { app, bot, reported } = await makeApp();
    bot.on("message", async (ctx) => {
      await expect(app.transaction({}, () => {})).rejects.toThrow(withCode("PERDURE_NESTED"));
      ctx.afterCommit(() => app.transaction({ chats: [5] }, (tx) => void tx.chatData(5).log.push("after commit")));
      ctx.chatData.log.push("handler");
    });
    await bot.handleUpdate(message(1, 1, 1));
    await app.transaction({ chats: [1, 5] }, async (tx) => {
      await expect(app.transaction({}, () => {})).rejects.toThrow(withCode("PERDURE_NESTED"));
      expect([tx.chatData(1).log, tx.chatData(5).log]).toEqual([["handler"], ["after commit"]]);
    });
    expect(reported).toEqual([]);
  });

  test("after the commit it finds a slot, also when all updates at once call for one", async () => {
    const { app, bot } = await makeApp(undefined, { concurrency: 1 });
    bot.on("message", (ctx) => {
      const id = ctx.update.update_id;
      ctx.chatData.log.push("handler");
      ctx.afterCommit(() =>
        app.transaction({ chats: [100 + id] }, (tx) => void tx.chatData(100 + id).log.push("after")),
      );
    });
    await Promise.all(Array.from({ length: 20 }, (_, id) => bot.handleUpdate(message(id, id + 1, id + 1))));
    expect(await all(app.chatIds())).toHaveLength(40);
  });

  test("bot.handleUpdate in a handler is refused, where it would wait for itself", async () => {
    const { bot } = await makeApp();
    bot.on("message", async (ctx) => {
      const nested = bot.handleUpdate(message(ctx.update.update_id + 1, 1, 1));
      await expect(nested).rejects.toMatchObject({ error: { code: "PERDURE_NESTED" } });
    });
    await bot.handleUpdate(message(1, 1, 1));
  });

  test("a stopped application refuses", async () => {
    const { app } = await makeApp();
    await app.stop();
    await expect(app.transaction({}, () => {})).rejects.toThrow(withCode("PERDURE_STOPPED"));
    await app.shutdown();
    await expect(app.transaction({}, () => {})).rejects.toThrow(withCode("PERDURE_CLOSED"));
  });
});

test("chatIds and userIds go through all that have data, page by page", async () => {
  const { app } = await makeApp();
  const chats = Array.from({ length: 2500 }, (_, index) => (index - 1000) * 7);
  for (let begin = 0; begin < chats.length; begin += 500) {
    const some = chats.slice(begin, begin + 500);
    await app.transaction({ chats: some, users: [begin + 1] }, (tx) => {
      for (const id of some) tx.chatData(id).log.push("x");
      tx.userData(begin + 1).n = 1;
    });
  }
  expect(await all(app.chatIds())).toEqual(chats);
  expect(await all(app.userIds())).toEqual([1, 501, 1001, 1501, 2001]);
});

test("app.stop() in a handler does not wait for the handler, whose update is done", async () => {
  const { app, bot, path } = await makeApp();
  bot.on("message", async (ctx) => {
    ctx.chatData.log.push("stop");
    await app.stop();
    await app.shutdown();
    ctx.chatData.log.push("stopped");
  });
  await bot.handleUpdate(message(1, 1, 1));
  await app.shutdown();
  const again = await makeApp(path);
  await again.app.transaction({ chats: [1] }, (tx) => {
    expect(tx.chatData(1).log).toEqual(["stop", "stopped"]);
  });
});

test("app.stop() in afterCommit does not wait for its caller", async () => {
  const { app, bot } = await makeApp();
  bot.on("message", (ctx) => {
    ctx.afterCommit(() => app.shutdown());
    ctx.chatData.log.push("stop");
  });
  await bot.handleUpdate(message(1, 1, 1));
  await app.shutdown();
  await app.initialize();
  expect(await all(app.chatIds())).toEqual([1]);
});

test.each(["postInit", "postStop", "postShutdown"] as const)(
  "app.stop() and app.shutdown() in %s do not wait for it",
  async (hook) => {
    let calls = 0;
    const bot = new Bot<MyContext>("1:x", { botInfo: ME as never });
    const app: Application<MyContext> = new Application(bot, {
      persistence: new SqlitePersistence({ path: join(temporaryFolder(), "bot.sqlite"), durability: "os" }),
      initial: { bot: () => ({ n: 0 }), chat: () => ({ log: [] }), user: () => ({ n: 0 }) },
      [hook]: async () => {
        calls += 1;
        await app.stop();
        await app.shutdown();
      },
    });
    await app.initialize().catch(() => {});
    await app.shutdown();
    expect(calls).toBe(1);
  },
);

test("2000 updates of 100 chats and 60 users at once: every log is what order demands", async () => {
  const { app, bot } = await makeApp();
  bot.catch(() => {});
  bot.on("message:text", async (ctx) => {
    const { text } = ctx.msg;
    if (Number(text) % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    ctx.chatData.log.push(text);
    if (Number(text) % 50 === 49) throw new Error("on purpose");
    await ctx.updateBotData((data) => (data.n += 1));
    ctx.userData.n = ctx.userData.n * 31 + Number(text);
  });
  const byChat = new Map<number, string[]>();
  const byUser = new Map<number, number>();
  let kept = 0;
  const runs: Promise<unknown>[] = [];
  for (let id = 1; id <= 2000; id += 1) {
    const chat = -1 - ((id * 7919) % 100);
    const user = 1 + ((id * 104729) % 60);
    runs.push(bot.handleUpdate(message(id, chat, user, String(id))).catch((error: unknown) => error));
    if (id % 50 === 49) continue;
    kept += 1;
    byChat.set(chat, [...(byChat.get(chat) ?? []), String(id)]);
    byUser.set(user, (byUser.get(user) ?? 0) * 31 + id);
  }
  const errors = (await Promise.all(runs)).filter((error) => error !== undefined);
  expect(errors).toHaveLength(2000 - kept);
  await app.transaction({ chats: [...byChat.keys()], users: [...byUser.keys()] }, (tx) => {
    for (const [chat, log] of byChat) expect(tx.chatData(chat).log).toEqual(log);
    for (const [user, n] of byUser) expect(tx.userData(user).n).toBe(n);
    expect(tx.botData.n).toBe(kept);
  });
});
