import { DatabaseSync } from "node:sqlite";
import { conversations, createConversation, type ConversationFlavor } from "@grammyjs/conversations";
import { Bot, session, type Context, type SessionFlavor } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import { Application, SqlitePersistence, type PersistentContext } from "../src/index.ts";
import { all, makeApp, textUpdate } from "./support/made-app.ts";
import { query } from "./support/read-file.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { setUp } from "./support/setting.ts";
import { withCode } from "./support/with-code.ts";

interface Order {
  items: string[];
  paid?: boolean;
}

describe("app.collection", () => {
  test("keeps what a handler sets, changes in place and deletes with its update", async () => {
    const { bot, app, path } = makeApp();
    const orders = app.collection<Order>("orders");
    bot.hears("first", async (ctx) => {
      await orders.set("a", { items: ["tea"] });
      await orders.set("b", { items: ["milk"] });
      ctx.chatData.log.push("ordered");
    });
    bot.hears("second", async () => {
      const order = await orders.get("a");
      order?.items.push("cake");
      expect(await orders.delete("b")).toBe(true);
      expect(await orders.delete("unknown")).toBe(false);
      expect([await orders.has("a"), await orders.has("b")]).toEqual([true, false]);
    });
    await bot.handleUpdate(textUpdate("first"));
    await bot.handleUpdate(textUpdate("second"));
    expect(query(path, "select collection, id, data from entry")).toEqual([
      { collection: "orders", id: "a", data: '{"items":["tea","cake"]}' },
    ]);
    expect(await orders.get("a")).toEqual({ items: ["tea", "cake"] });
  });

  test("and leaves nothing of a handler that throws", async () => {
    const { bot, app, path } = makeApp();
    const orders = app.collection<Order>("orders");
    await orders.set("a", { items: [] });
    bot.on("message", async (ctx) => {
      (await orders.get("a"))?.items.push("never");
      await orders.set("b", { items: [] });
      ctx.chatData.log.push("never");
      throw new Error("no");
    });
    await expect(bot.handleUpdate(textUpdate("x"))).rejects.toThrow("no");
    expect(await all(orders.entries())).toEqual([["a", { items: [] }]]);
    expect(query(path, "select * from chat_data")).toEqual([]);
  });

  test("lists and deletes again what a handler has set and nothing can keep", async () => {
    const { bot, app } = makeApp();
    const orders = app.collection<unknown>("orders");
    bot.on("message", async (ctx) => {
      await orders.set("a", { items: () => {} });
      expect(await all(orders.keys())).toEqual(["a"]);
      expect(await orders.delete("a")).toBe(true);
      expect(await all(orders.keys())).toEqual([]);
      ctx.chatData.log.push("kept");
    });
    await bot.handleUpdate(textUpdate("x"));
    expect(await all(orders.keys())).toEqual([]);
  });

  test("reads its own changes, in a handler before any commit", async () => {
    const { bot, app } = makeApp();
    const orders = app.collection<Order>("orders");
    await orders.set("old", { items: ["1"] });
    await orders.set("gone", { items: ["2"] });
    const seen: unknown[] = [];
    bot.on("message", async () => {
      await orders.delete("gone");
      await orders.set("new", { items: ["3"] });
      (await orders.get("old"))?.items.push("4");
      seen.push((await all(orders.keys())).sort(), Object.fromEntries(await all(orders.entries())));
    });
    await bot.handleUpdate(textUpdate("x"));
    expect(seen).toEqual([["new", "old"], { new: { items: ["3"] }, old: { items: ["1", "4"] } }]);
  });

  test("a read alone, an unchanged value and a deleted unknown entry write nothing", async () => {
    const { bot, app, path } = makeApp();
    const orders = app.collection<Order>("orders");
    await orders.set("a", { items: [] });
    const before = query(path, "select * from entry");
    bot.on("message", async () => {
      await orders.get("a");
      await orders.get("b");
      await orders.set("a", { items: [] });
      await orders.delete("c");
    });
    await bot.handleUpdate(textUpdate("x"));
    expect(query(path, "select * from entry")).toEqual(before);
  });

  test("an entry is owned from first touch to commit: the next unit sees what the first has left", async () => {
    const { bot, app } = makeApp();
    const counters = app.collection<{ n: number }>("counters");
    bot.on("message", async () => {
      const counter = (await counters.get("all")) ?? { n: 0 };
      await new Promise((resolve) => setImmediate(resolve));
      await counters.set("all", { n: counter.n + 1 });
    });
    const updates = Array.from({ length: 20 }, (_, index) => textUpdate("x", { chat: -index - 1, user: index + 1 }));
    await Promise.all(updates.map((update) => bot.handleUpdate(update)));
    expect(await counters.get("all")).toEqual({ n: 20 });
  });

  test("units that would wait for each other's entries: one is rolled back with PERDURE_DEADLOCK, the other one goes on", async () => {
    const { bot, app } = makeApp();
    const orders = app.collection<string>("orders");
    const both = Promise.withResolvers<void>();
    let began = 0;
    bot.on("message", async (ctx) => {
      const [first, second] = ctx.msg.text === "ab" ? ["a", "b"] : ["b", "a"];
      await orders.set(first as string, ctx.msg.text as string);
      began += 1;
      if (began === 2) both.resolve();
      await both.promise;
      await orders.set(second as string, ctx.msg.text as string);
    });
    const results = await Promise.allSettled([
      bot.handleUpdate(textUpdate("ab", { chat: -1, user: 1 })),
      bot.handleUpdate(textUpdate("ba", { chat: -2, user: 2 })),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [rejected] = results.filter((result) => result.status === "rejected");
    expect(rejected?.reason.error).toEqual(withCode("PERDURE_DEADLOCK"));
    const entries = Object.fromEntries(await all(orders.entries()));
    expect(entries).toEqual(results[0]?.status === "fulfilled" ? { a: "ab", b: "ab" } : { a: "ba", b: "ba" });
  });

  test("a missing await rolls the update back and says what was under way", async () => {
    const { bot, app } = makeApp();
    const orders = app.collection<Order>("orders");
    bot.on("message", () => void orders.set("a", { items: [] }));
    await expect(bot.handleUpdate(textUpdate("x"))).rejects.toThrow(/orders\.a was still under way: missing await/);
    expect(await orders.get("a")).toBeUndefined();
  });

  test("joins app.transaction, and works in postInit and after a commit", async () => {
    const seen: unknown[] = [];
    const { bot, app } = makeApp({ postInit: (made) => made.collection<string>("x").set("init", "1") });
    const texts = app.collection<string>("x");
    await expect(
      app.transaction({}, async () => {
        await texts.set("never", "2");
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    bot.on("message", (ctx) =>
      ctx.afterCommit(async () => void seen.push(await texts.get("init"), texts.set("after", "3"))),
    );
    await bot.handleUpdate(textUpdate("x"));
    expect(seen[0]).toBe("1");
    await seen[1];
    expect(Object.fromEntries(await all(texts.entries()))).toEqual({ init: "1", after: "3" });
  });

  test("refuses what is no entry, and ids and names that are no text", async () => {
    const { app } = makeApp();
    const texts = app.collection<unknown>("x");
    await expect(texts.set("a", undefined)).rejects.toThrow(TypeError);
    await expect(texts.get(42 as never)).rejects.toThrow("an entry's id is a string");
    await expect(texts.get("a\0b")).rejects.toThrow(withCode("PERDURE_CANNOT_KEEP"));
    await expect(texts.get("\ud800")).rejects.toThrow(withCode("PERDURE_CANNOT_KEEP"));
    await expect(texts.set("f", () => 1)).rejects.toThrow(/x\.f: a function cannot be kept/);
    for (const name of ["", "a\0b", "\ud800", 42 as never]) {
      expect(() => app.collection(name)).toThrow("A collection's name is a text");
    }
    await texts.set("", 1);
    await texts.set("a:b/../%😀", 2);
    expect(Object.fromEntries(await all(texts.entries()))).toEqual({ "": 1, "a:b/../%😀": 2 });
  });

  test("an entry whose text a person has broken is an error to who reads it, and can be replaced and removed", async () => {
    const { bot, app, path } = makeApp();
    const texts = app.collection<string>("x");
    for (const id of ["replaced", "removed", "read"]) await texts.set(id, "whole");
    const database = new DatabaseSync(path);
    database.exec(`update entry set data = '{"$":"nonsense"}'`);
    database.close();
    bot.on("message", async (ctx) => {
      ctx.chatData.log.push("x");
      await texts.set("replaced", "new");
      expect(await texts.delete("removed")).toBe(true);
    });
    await bot.handleUpdate(textUpdate("x"));
    expect([await texts.get("replaced"), await texts.has("removed")]).toEqual(["new", false]);
    await expect(texts.get("read")).rejects.toThrow(withCode("PERDURE_CANNOT_DECODE"));
    expect(await texts.delete("read")).toBe(true);
    expect(query(path, "select id, data from entry")).toEqual([{ id: "replaced", data: '"new"' }]);
  });

  test("a listing shows what its unit has changed since it began", async () => {
    const { app } = makeApp();
    const counters = app.collection<number>("counters");
    for (const id of ["a", "b", "c"]) await counters.set(id, 1);
    const seen: unknown[] = [];
    await app.transaction({}, async () => {
      for await (const [id, n] of counters.entries()) {
        seen.push([id, n]);
        if (id !== "a") continue;
        await counters.delete("b");
        await counters.set("c", 2);
        await counters.set("d", 3);
      }
    });
    expect(seen).toEqual([
      ["a", 1],
      ["c", 2],
      ["d", 3],
    ]);
  });

  test.each([
    ["in its middle", ["a", "b"]],
    ["at its end", ["a"]],
  ])(
    "a listing that goes on after its unit has ended throws, %s: what it would show may be rolled back",
    async (_, ids) => {
      const { bot, app } = makeApp();
      const counters = app.collection<number>("counters");
      for (const id of ids) await counters.set(id, 1);
      const listings: AsyncGenerator[] = [];
      bot.on("message:text", async (ctx) => {
        const begun = [counters.entries(), counters.keys()];
        for (const listing of begun) expect(await listing.next()).toMatchObject({ done: false });
        listings.push(...begun);
        if (ctx.msg.text === "throw") throw new Error("no");
      });
      await expect(bot.handleUpdate(textUpdate("throw"))).rejects.toThrow("no");
      await bot.handleUpdate(textUpdate("x"));
      expect(listings.length).toBe(4);
      for (const listing of listings) await expect(listing.next()).rejects.toThrow(withCode("PERDURE_UNIT_OVER"));
    },
  );

  test("many entries are listed completely, and only those of its name", async () => {
    const { app } = makeApp();
    const many = app.collection<number>("many");
    await app.collection<number>("man").set("x", -1);
    await app.collection<number>("many2").set("x", -1);
    await app.transaction({}, async () => {
      for (let n = 0; n < 2345; n += 1) await many.set(`k${n}`, n);
    });
    const found = await all(many.entries());
    expect(new Set(found.map(([, n]) => n)).size).toBe(2345);
    expect((await all(many.keys())).length).toBe(2345);
  });
});

type SessionContext = PersistentContext<Context, { chat: { n: number } }> & SessionFlavor<{ n: number }>;

describe("app.storageAdapter under grammY's session()", () => {
  function make(path: string) {
    const bot = new Bot<SessionContext>("1:x", {
      botInfo: { id: 1, is_bot: true, first_name: "b", username: "b" } as never,
    });
    const app = new Application(bot, {
      persistence: new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }),
      initial: { chat: () => ({ n: 0 }) },
      logger: silentLogger,
    });
    onTestFinished(() => app.shutdown());
    bot.use(session({ initial: () => ({ n: 0 }), storage: app.storageAdapter<{ n: number }>("session") }));
    bot.on("message:text", (ctx) => {
      ctx.session.n += 1;
      ctx.chatData.n += 1;
      if (ctx.msg.text === "throw") throw new Error("no");
    });
    return { bot, app };
  }

  test("session and chat data roll back together, and are there after a restart", async () => {
    const { path } = await setUp();
    const first = make(path);
    await first.bot.handleUpdate(textUpdate("a"));
    await expect(first.bot.handleUpdate(textUpdate("throw"))).rejects.toThrow("no");
    await first.bot.handleUpdate(textUpdate("b"));
    await first.app.shutdown();
    expect(query(path, "select id, data from entry")).toEqual([{ id: "-1", data: '{"n":2}' }]);
    expect(query(path, "select id, data from chat_data")).toEqual([{ id: -1, data: '{"n":2}' }]);
    const second = make(path);
    await second.bot.handleUpdate(textUpdate("c"));
    expect(query(path, "select data from entry")).toEqual([{ data: '{"n":3}' }]);
  });

  test("50 concurrent updates of one chat count to 50", async () => {
    const { path } = await setUp();
    const { bot } = make(path);
    await Promise.all(Array.from({ length: 50 }, () => bot.handleUpdate(textUpdate("x"))));
    expect(query(path, "select data from entry")).toEqual([{ data: '{"n":50}' }]);
  });

  test("is a whole StorageAdapter: copies out, copies in", async () => {
    const { path } = await setUp();
    const { app } = make(path);
    const storage = app.storageAdapter<{ n: number }>("other");
    await app.transaction({}, async () => {
      const value = { n: 1 };
      await storage.write("a", value);
      value.n = 99;
      const read = await storage.read("a");
      if (read !== undefined) read.n = 98;
    });
    expect(await storage.read("a")).toEqual({ n: 1 });
    expect([await storage.has?.("a"), await storage.has?.("b"), await storage.read("b")]).toEqual([
      true,
      false,
      undefined,
    ]);
    expect(await all(storage.readAllKeys?.() as AsyncIterable<string>)).toEqual(["a"]);
    expect(await all(storage.readAllValues?.() as AsyncIterable<unknown>)).toEqual([{ n: 1 }]);
    expect(await all(storage.readAllEntries?.() as AsyncIterable<unknown>)).toEqual([["a", { n: 1 }]]);
    await storage.delete("a");
    expect(await all(app.collection("other").keys())).toEqual([]);
  });
});

type TalkingContext = ConversationFlavor<PersistentContext<Context, { chat: { names: string[] } }>>;

describe("app.storageAdapter under @grammyjs/conversations", () => {
  function make(path: string, token: string, apiRoot: string) {
    const bot = new Bot<TalkingContext>(token, { client: { apiRoot } });
    const app = new Application(bot, {
      persistence: new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }),
      initial: { chat: () => ({ names: [] }) },
      logger: silentLogger,
    });
    onTestFinished(() => app.shutdown());
    bot.catch(() => {});
    bot.use(conversations({ storage: app.storageAdapter("conversations") }));
    bot.use(
      createConversation<TalkingContext, Context>(async (conversation, ctx) => {
        await ctx.reply("Your name?");
        const answer = await conversation.waitFor("message:text");
        await conversation.external((outer) => void outer.chatData.names.push(answer.msg.text));
        await answer.reply(`Hello ${answer.msg.text}`);
        if (answer.msg.text === "throw") throw new Error("no");
      }, "greeting"),
    );
    bot.command("start", (ctx) => ctx.conversation.enter("greeting"));
    return { bot, app };
  }

  test("a conversation goes on after a restart, and rolls back together with the chat's data", async () => {
    const { emulator, token, ann, path } = await setUp();
    const first = make(path, token, emulator.url);
    const running = first.app.run();
    await ann.send("/start");
    expect(await ann.nextReply()).toMatchObject({ text: "Your name?" });
    await first.app.stop();
    await running;
    const second = make(path, token, emulator.url);
    const again = second.app.run();
    await ann.send("throw");
    expect(await ann.nextReply()).toMatchObject({ text: "Hello throw" });
    await ann.send("Ann");
    expect(await ann.nextReply()).toMatchObject({ text: "Hello Ann" });
    await second.app.stop();
    await again;
    expect(query(path, "select data from chat_data")).toEqual([{ data: '{"names":["Ann"]}' }]);
  });
});
