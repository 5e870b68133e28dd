import { describe, expect, test } from "vitest";
import { isSettled, settled } from "./support/driven-clock.ts";
import { makeApp, textUpdate } from "./support/made-app.ts";
import { readTable } from "./support/read-file.ts";
import { withCode } from "./support/with-code.ts";

const chats = (path: string): unknown => Object.fromEntries(readTable(path, "chat_data"));
const users = (path: string): unknown => Object.fromEntries(readTable(path, "user_data"));

describe("app.dropChatData and app.dropUserData", () => {
  test("remove outside of updates in a commit of their own; an unknown id does nothing (PTB 15, 102)", async () => {
    const { bot, app, path } = makeApp();
    bot.on("message", (ctx) => {
      ctx.chatData.log.push("x");
      ctx.userData.n += 1;
    });
    await bot.handleUpdate(textUpdate("x", { chat: -1, user: 1 }));
    await bot.handleUpdate(textUpdate("x", { chat: -2, user: 2 }));
    await app.dropChatData(-1);
    await app.dropUserData(2);
    await app.dropChatData(-404);
    await app.dropUserData(404);
    expect([chats(path), users(path)]).toEqual([{ [-2]: { log: ["x"] } }, { 1: { n: 1 } }]);
  });

  test("outside of updates take their turn in the order of the calls, awaited or not", async () => {
    const { app } = makeApp();
    const push = (text: string): Promise<string> =>
      app.transaction({ chats: [1] }, (tx) => {
        tx.chatData(1).log.push(text);
        return tx.chatData(1).log.join(" ");
      });
    const before = [push("a"), app.dropChatData(1), push("b"), push("c")];
    expect(await Promise.all(before)).toEqual(["a", undefined, "b", "b c"]);
    const after = [push("d"), app.dropChatData(1), push("e"), push("f")];
    expect(await Promise.all(after)).toEqual(["b c d", undefined, "e", "e f"]);
  });

  test("in a handler are part of its update: rolled back with it, and what is written later counts (PTB 103)", async () => {
    const { bot, app, path } = makeApp();
    bot.hears("write", (ctx) => {
      ctx.chatData.log.push("x");
      ctx.userData.n += 1;
    });
    bot.hears("throw", async (ctx) => {
      await ctx.application.dropChatData(-1);
      expect(ctx.chatData).toEqual({ log: [] });
      throw new Error("no");
    });
    bot.hears("drop", async () => {
      await app.dropChatData(-1);
      await app.dropUserData(7);
    });
    bot.hears("anew", async (ctx) => {
      const before = ctx.chatData;
      before.log.push("lost with the drop");
      await app.dropChatData(-1);
      ctx.chatData.log.push("anew");
    });
    await bot.handleUpdate(textUpdate("write"));
    await expect(bot.handleUpdate(textUpdate("throw"))).rejects.toThrow("no");
    expect([chats(path), users(path)]).toEqual([{ [-1]: { log: ["x"] } }, { 7: { n: 1 } }]);
    await bot.handleUpdate(textUpdate("drop"));
    expect([chats(path), users(path)]).toEqual([{}, {}]);
    await bot.handleUpdate(textUpdate("write"));
    await bot.handleUpdate(textUpdate("anew"));
    expect(chats(path)).toEqual({ [-1]: { log: ["anew"] } });
  });

  test("of another chat wait for its updates, and its later updates for them", async () => {
    const { bot, app, path } = makeApp();
    const gate = Promise.withResolvers<void>();
    const order: string[] = [];
    bot.hears("slow", async (ctx) => {
      await gate.promise;
      ctx.chatData.log.push("slow");
      order.push("slow");
    });
    bot.hears("drop", async () => {
      await app.dropChatData(-1);
      order.push("drop");
    });
    bot.hears("late", (ctx) => {
      order.push(`late sees ${ctx.chatData.log.length}`);
    });
    const slow = bot.handleUpdate(textUpdate("slow", { chat: -1, user: 1 }));
    const drop = bot.handleUpdate(textUpdate("drop", { chat: -2, user: 2 }));
    await new Promise((resolve) => setImmediate(resolve));
    const late = bot.handleUpdate(textUpdate("late", { chat: -1, user: 3 }));
    gate.resolve();
    await Promise.all([slow, drop, late]);
    expect(order.indexOf("slow")).toBeLessThan(order.indexOf("drop"));
    expect(chats(path)).toEqual(order.at(-1) === "late sees 0" ? {} : { [-1]: { log: ["slow"] } });
    expect(chats(path)).toEqual({});
  });

  test("of a chat that moves while they wait for it remove its data under the new id", async () => {
    const { bot, app, path } = makeApp();
    const gate = Promise.withResolvers<void>();
    bot.hears("write", (ctx) => void ctx.chatData.log.push("x"));
    bot.hears("move", async () => {
      await app.migrateChatData({ from: -1, to: -100 });
      await gate.promise;
    });
    bot.hears("drop", () => app.dropChatData(-1));
    await bot.handleUpdate(textUpdate("write", { chat: -1 }));
    const move = bot.handleUpdate(textUpdate("move", { chat: -5, user: 5 }));
    await settled();
    const drop = bot.handleUpdate(textUpdate("drop", { chat: -6, user: 6 }));
    expect(await isSettled(drop)).toBe(false);
    gate.resolve();
    await Promise.all([move, drop]);
    expect(chats(path)).toEqual({});
  });

  test("of what is no id are refused, and a handler that catches that is not rolled back", async () => {
    const { bot, app, path } = makeApp();
    const wrong = [
      () => app.dropChatData(Number.NaN),
      () => app.dropUserData(1.5),
      () => app.forgetUser("7" as never),
    ] as const;
    bot.on("message", async (ctx) => {
      ctx.chatData.log.push("kept");
      for (const call of wrong) await expect(call()).rejects.toThrow(TypeError);
    });
    await bot.handleUpdate(textUpdate("x"));
    for (const call of wrong) await expect(call()).rejects.toThrow("is a whole number, not");
    expect(chats(path)).toEqual({ [-1]: { log: ["kept"] } });
  });
});

describe("app.forgetUser", () => {
  test("removes the user's data and the private chat's, in one commit, and nothing else", async () => {
    const { bot, app, path } = makeApp();
    bot.on("message", (ctx) => {
      ctx.chatData.log.push("x");
      ctx.userData.n += 1;
    });
    await bot.handleUpdate(textUpdate("x", { chat: 5, user: 5 }));
    await bot.handleUpdate(textUpdate("x", { chat: -5, user: 5 }));
    await bot.handleUpdate(textUpdate("x", { chat: 6, user: 6 }));
    await app.forgetUser(5);
    expect([chats(path), users(path)]).toEqual([{ [-5]: { log: ["x"] }, 6: { log: ["x"] } }, { 6: { n: 1 } }]);
  });

  test("in the user's own update forgets with the update", async () => {
    const { bot, app, path } = makeApp();
    bot.hears("write", (ctx) => void (ctx.userData.n = 1));
    bot.hears("forget", async (ctx) => {
      ctx.userData.n = 99;
      await app.forgetUser(ctx.from?.id ?? 0);
    });
    await bot.handleUpdate(textUpdate("write", { chat: 5, user: 5 }));
    await bot.handleUpdate(textUpdate("forget", { chat: 5, user: 5 }));
    expect([chats(path), users(path)]).toEqual([{}, {}]);
  });

  test("in a group forgets a user whose private update waits for this one: no deadlock, and that one begins anew", async () => {
    const { bot, app, path } = makeApp();
    const gate = Promise.withResolvers<void>();
    bot.hears("write", (ctx) => {
      ctx.chatData.log.push("x");
      ctx.userData.n += 1;
    });
    bot.hears("forget", async () => {
      await gate.promise;
      await app.forgetUser(5);
    });
    await bot.handleUpdate(textUpdate("write", { chat: 5, user: 5 }));
    const forget = bot.handleUpdate(textUpdate("forget", { chat: -1, user: 5 }));
    const later = bot.handleUpdate(textUpdate("write", { chat: 5, user: 5 }));
    await settled();
    gate.resolve();
    await Promise.all([forget, later]);
    expect([chats(path), users(path)]).toEqual([{ 5: { log: ["x"] } }, { 5: { n: 1 } }]);
  });

  test.each([
    ["its handler does not wait for it", "missing await"],
    ["its handler fails meanwhile", "no"],
  ])("that is still under way when %s holds nobody up afterwards", async (_, error) => {
    const { bot, app } = makeApp();
    const gate = Promise.withResolvers<void>();
    bot.hears("slow", () => gate.promise);
    bot.hears("forget", async () => {
      const forgetting = app.forgetUser(99);
      if (error === "no") await Promise.all([forgetting, Promise.reject(new Error(error))]);
    });
    const slow = bot.handleUpdate(textUpdate("slow", { chat: 99, user: 1 }));
    await settled();
    await expect(bot.handleUpdate(textUpdate("forget", { chat: -2, user: 2 }))).rejects.toThrow(error);
    gate.resolve();
    await slow;
    await settled();
    expect(await isSettled(bot.handleUpdate(textUpdate("hello", { chat: -3, user: 99 })))).toBe(true);
  });
});

describe("app.migrateChatData", () => {
  const OLD = -1;
  const NEW = -100;
  const write = textUpdate.bind(undefined, "write");

  function make(options: Parameters<typeof makeApp>[0] = {}) {
    const made = makeApp(options);
    made.bot.hears("write", (ctx) => void ctx.chatData.log.push(`in ${ctx.chat.id}`));
    return made;
  }

  test("moves the data outside of updates; the old id stands for the new one, also after a restart (PTB 104)", async () => {
    const { bot, app, path } = make();
    await bot.handleUpdate(write({ chat: OLD }));
    await app.migrateChatData({ from: OLD, to: NEW });
    await bot.handleUpdate(write({ chat: OLD }));
    expect(chats(path)).toEqual({ [NEW]: { log: ["in -1", "in -1"] } });
    await app.shutdown();
    await app.initialize();
    await bot.handleUpdate(write({ chat: OLD }));
    expect(chats(path)).toEqual({ [NEW]: { log: ["in -1", "in -1", "in -1"] } });
  });

  test("twice, or by each of the two service messages, is once (PTB 106)", async () => {
    const { bot, app, path } = make();
    await bot.handleUpdate(write({ chat: OLD }));
    const inOld = { chat: { id: OLD }, migrate_to_chat_id: NEW } as never;
    const inNew = { chat: { id: NEW }, migrate_from_chat_id: OLD } as never;
    for (const message of [inOld, inNew, inOld]) await app.migrateChatData({ message });
    await app.migrateChatData({ from: OLD, to: NEW });
    expect(chats(path)).toEqual({ [NEW]: { log: ["in -1"] } });
  });

  test("merges by onMigrate where both have data; an id without data overwrites nothing (PTB 104, 106)", async () => {
    const onMigrate = (old: { log: string[] }, fresh: { log: string[] }) => ({ log: [...old.log, ...fresh.log] });
    const { bot, app, path } = make({ onMigrate });
    await bot.handleUpdate(write({ chat: OLD }));
    await bot.handleUpdate(write({ chat: NEW }));
    await app.migrateChatData({ from: OLD, to: NEW });
    await app.migrateChatData({ from: -77, to: NEW });
    expect(chats(path)).toEqual({ [NEW]: { log: ["in -1", "in -100"] } });
  });

  test("in a handler is part of its update: what it changed moves along, and nothing moves if it throws", async () => {
    const { bot, app, path } = make();
    bot.hears("throw", async () => {
      await app.migrateChatData({ from: OLD, to: NEW });
      throw new Error("no");
    });
    bot.hears("move", async (ctx) => {
      ctx.chatData.log.push("before");
      await app.migrateChatData({ from: OLD, to: NEW });
      ctx.chatData.log.push("after");
    });
    await bot.handleUpdate(write({ chat: OLD }));
    await expect(bot.handleUpdate(textUpdate("throw", { chat: OLD }))).rejects.toThrow("no");
    expect(chats(path)).toEqual({ [OLD]: { log: ["in -1"] } });
    const moving = bot.handleUpdate(textUpdate("move", { chat: OLD }));
    const waiting = bot.handleUpdate(write({ chat: OLD, user: 8 }));
    await Promise.all([moving, waiting]);
    expect(chats(path)).toEqual({ [NEW]: { log: ["in -1", "before", "after", "in -1"] } });
  });

  test("twice at once in a handler is once (PTB 106)", async () => {
    const { bot, app, path } = make();
    bot.hears("move", async () => {
      const twice = [1, 2].map(() => app.migrateChatData({ from: OLD, to: NEW }));
      await Promise.all(twice);
    });
    await bot.handleUpdate(write({ chat: OLD }));
    await bot.handleUpdate(textUpdate("move", { chat: -5 }));
    await bot.handleUpdate(write({ chat: OLD }));
    expect(chats(path)).toEqual({ [NEW]: { log: ["in -1", "in -1"] } });
  });

  test("of a second chat in one handler is refused before anything has changed; the first one is kept", async () => {
    const { bot, app, path } = make();
    bot.hears("move", async () => {
      await app.migrateChatData({ from: OLD, to: NEW });
      await expect(app.migrateChatData({ from: -2, to: -200 })).rejects.toThrow(TypeError);
    });
    await bot.handleUpdate(write({ chat: OLD }));
    await bot.handleUpdate(write({ chat: -2 }));
    await bot.handleUpdate(textUpdate("move", { chat: -5 }));
    await bot.handleUpdate(write({ chat: -2 }));
    expect(chats(path)).toEqual({ [-2]: { log: ["in -2", "in -2"] }, [NEW]: { log: ["in -1"] } });
  });

  test("to a chat that moves while this one waits for it goes where that one went", async () => {
    const onMigrate = (old: { log: string[] }, fresh: { log: string[] }) => ({ log: [...fresh.log, ...old.log] });
    const { bot, app, path } = make({ onMigrate });
    const gate = Promise.withResolvers<void>();
    bot.hears("move on", async () => {
      await app.migrateChatData({ from: OLD, to: NEW });
      await gate.promise;
    });
    bot.hears("move", () => app.migrateChatData({ from: -9, to: OLD }));
    await bot.handleUpdate(write({ chat: OLD }));
    await bot.handleUpdate(write({ chat: -9 }));
    const movingOn = bot.handleUpdate(textUpdate("move on", { chat: -2, user: 2 }));
    await settled();
    const moving = bot.handleUpdate(textUpdate("move", { chat: -3, user: 3 }));
    expect(await isSettled(moving)).toBe(false);
    gate.resolve();
    await Promise.all([movingOn, moving]);
    await bot.handleUpdate(write({ chat: -9 }));
    expect(chats(path)).toEqual({ [NEW]: { log: ["in -1", "in -9", "in -9"] } });
  });

  test("makes no cycle of waits: who runs goes before who only waits in the new chat", async () => {
    const { bot, app, path } = make();
    const [counting, moved] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    bot.hears("count", async (ctx) => {
      await counting.promise;
      await ctx.updateBotData((data) => void (data.n += 1));
    });
    bot.hears("move", async () => {
      await app.migrateChatData({ from: OLD, to: NEW });
      await moved.promise;
    });
    bot.hears("count and drop", async (ctx) => {
      await ctx.updateBotData((data) => void (data.n += 1));
      await app.dropChatData(OLD);
    });
    await bot.handleUpdate(write({ chat: OLD }));
    const runs = [
      bot.handleUpdate(textUpdate("count", { chat: -3, user: 5 })),
      bot.handleUpdate(textUpdate("move", { chat: OLD, user: 1 })),
    ];
    await settled();
    // Waits for the user's turn and for the new chat's, in which the one that drops will wait too.
    runs.push(bot.handleUpdate(write({ chat: NEW, user: 5 })));
    runs.push(bot.handleUpdate(textUpdate("count and drop", { chat: -4, user: 4 })));
    await settled();
    counting.resolve();
    await settled();
    moved.resolve();
    expect(await isSettled(Promise.all(runs))).toBe(true);
    await Promise.all(runs);
    expect(chats(path)).toEqual({ [NEW]: { log: ["in -100"] } });
    await app.transaction({}, (tx) => expect(tx.botData.n).toBe(2));
  });

  test("refuses in PTB's words what is no migration (PTB 105)", async () => {
    const { app } = make();
    const message = { chat: { id: OLD }, migrate_to_chat_id: NEW } as never;
    const wrong: [object, string][] = [
      [{ message, from: 1, to: 2 }, "Message and chat_id pair are mutually exclusive"],
      [{}, "chat_id pair or message must be passed"],
      [{ from: 0, to: 0 }, "chat_id pair or message must be passed"],
      [{ from: 0, to: 5 }, "must be integers"],
      [{ message: { chat: { id: OLD } } }, "Invalid message instance."],
      [{ from: 1 }, "must be integers"],
      [{ from: 1.5, to: "2" }, "must be integers"],
    ];
    for (const [migration, words] of wrong) {
      await expect(app.migrateChatData(migration as never)).rejects.toThrow(words);
    }
  });
});

describe("the application's methods after its end", () => {
  test("are refused", async () => {
    const { app } = makeApp();
    await app.initialize();
    await app.shutdown();
    await expect(app.dropChatData(1)).rejects.toThrow(withCode("PERDURE_CLOSED"));
    await expect(app.collection("x").get("a")).rejects.toThrow(withCode("PERDURE_CLOSED"));
    await expect(app.updatePersistence()).rejects.toThrow(withCode("PERDURE_CLOSED"));
  });
});
