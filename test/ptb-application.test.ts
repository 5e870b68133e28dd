import { Bot } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import { Application, DictPersistence } from "../src/index.ts";
import { all, makeApp, textUpdate, type Kept, type MyContext, type MyOptions } from "./support/made-app.ts";
import { setUp } from "./support/setting.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { withCode } from "./support/with-code.ts";

const from = { id: 7, is_bot: false, first_name: "Ann" };

/** An update of another kind than a message. */
let nextId = 800_000;
const update = (content: object): never => ({ update_id: nextId++, ...content }) as never;

/** An application on a `DictPersistence`, which is written in intervals, with a handler that writes in all scopes. */
function makeDict(options: Partial<MyOptions> = {}, persistence = new DictPersistence<Kept>()) {
  const made = makeApp({ persistence, ...options });
  made.bot.hears("write", async (ctx) => {
    ctx.chatData.log.push("w");
    ctx.userData.n += 1;
    await ctx.updateBotData((data) => (data.n += 1));
  });
  return { ...made, persistence };
}

/** One whose writing of chat data fails. */
class FailingChats extends DictPersistence<Kept> {
  override async updateChatData(): Promise<void> {
    throw new Error("no room");
  }
}

describe("starting", () => {
  test("what postInit writes stands beside what was stored, which is loaded before (PTB 85, 88)", async () => {
    const stored = { chatDataJson: '{"-1": {"log": ["stored"]}}', botDataJson: '{"n": 41}' };
    const persistence = new DictPersistence<Kept>(stored);
    const postInit: MyOptions["postInit"] = (app) =>
      app.transaction({ chats: [-1, -2] }, async (tx) => {
        tx.chatData(-1).log.push("init");
        tx.chatData(-2).log.push("init");
        await tx.updateBotData((data) => (data.n += 1));
      });
    const { app } = makeDict({ postInit }, persistence);
    await app.shutdown();
    await app.initialize();
    await app.shutdown();
    expect(persistence.chatDataJson).toBe('{"-1": {"log": ["stored", "init"]}, "-2": {"log": ["init"]}}');
    expect(persistence.botDataJson).toBe('{"n": 42}');
  });

  test("the first update waits until everything is loaded (PTB 84, 89)", async () => {
    const gate = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    class Slow extends DictPersistence<Kept> {
      override async getChatData(): ReturnType<DictPersistence<Kept>["getChatData"]> {
        asked.resolve();
        await gate.promise;
        return super.getChatData();
      }
    }
    const { bot, persistence, app } = makeDict({}, new Slow({ chatDataJson: '{"-1": {"log": ["stored"]}}' }));
    let handled = false;
    const handling = bot.handleUpdate(textUpdate("write")).then(() => (handled = true));
    await asked.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect(handled).toBe(false);
    gate.resolve();
    await handling;
    await app.updatePersistence();
    expect(persistence.chatDataJson).toBe('{"-1": {"log": ["stored", "w"]}}');
  });

  test("initialize twice is one opening; a stop or shutdown of what does not run does nothing (PTB 90)", async () => {
    let opened = 0;
    const { app } = makeDict({ postInit: () => (opened += 1) });
    await app.stop();
    await app.shutdown();
    await Promise.all([app.initialize(), app.initialize()]);
    await app.initialize();
    expect(opened).toBe(1);
    await app.shutdown();
    await app.shutdown();
    await app.initialize();
    expect(opened).toBe(2);
  });
});

describe("the data of the context", () => {
  test("reading what is not there creates nothing (PTB 91, 101)", async () => {
    const { app, bot } = makeApp();
    await bot.handleUpdate(textUpdate("nobody hears this", { chat: -1, user: 7 }));
    await app.transaction({ chats: [5], users: [6] }, (tx) => {
      expect([tx.chatData(5), tx.userData(6), tx.botData]).toEqual([{ log: [] }, { n: 0 }, { n: 0 }]);
    });
    expect([await all(app.chatIds()), await all(app.userIds())]).toEqual([[], []]);
  });

  test("belongs to the update's chat and user; where there is none, it says so (PTB 92, 93)", async () => {
    const { bot, app } = makeApp();
    const chat = { id: -5, type: "channel", title: "News" };
    const lacking: unknown[] = [];
    bot.use((ctx) => {
      for (const change of [() => (ctx.chatData.log = ["x"]), () => (ctx.userData.n = 1)]) {
        try {
          change();
        } catch (error) {
          lacking.push([Object.keys(ctx.update)[1], (error as { code?: string }).code]);
        }
      }
    });
    await bot.handleUpdate(update({ channel_post: { message_id: 1, date: 0, chat, text: "x" } }));
    await bot.handleUpdate(update({ inline_query: { id: "q", from, query: "", offset: "" } }));
    await bot.handleUpdate(update({ poll: { id: "p" } }));
    expect(lacking).toEqual([
      ["channel_post", "PERDURE_NO_USER"],
      ["inline_query", "PERDURE_NO_CHAT"],
      ["poll", "PERDURE_NO_CHAT"],
      ["poll", "PERDURE_NO_USER"],
    ]);
    expect([await all(app.chatIds()), await all(app.userIds())]).toEqual([[-5], [7]]);
  });

  test("chat and user data may be assigned anew, the bot's may not (PTB 92)", async () => {
    const { bot, app } = makeApp();
    bot.on("message", (ctx) => {
      ctx.chatData = { log: ["anew"] };
      ctx.userData = { n: 9 };
      expect(() => Object.assign(ctx, { botData: { n: 9 } })).toThrow(/ctx\.updateBotData/);
    });
    await bot.handleUpdate(textUpdate("x"));
    await app.transaction({ chats: [-1], users: [7] }, (tx) =>
      expect([tx.chatData(-1), tx.userData(7), tx.botData]).toEqual([{ log: ["anew"] }, { n: 9 }, { n: 0 }]),
    );
  });

  test("is one object for all handlers of an update; one that does not call next is the last (PTB 94, 123, 124)", async () => {
    const { bot, app } = makeApp();
    const seen: unknown[] = [];
    bot.use(async (ctx, next) => {
      ctx.chatData.log.push("first");
      seen.push(ctx, ctx.chatData);
      await next();
    });
    bot.use((ctx) => void seen.push(ctx, ctx.chatData));
    bot.use((ctx) => void ctx.chatData.log.push("never"));
    await bot.handleUpdate(textUpdate("x"));
    expect([seen[0] === seen[2], seen[1] === seen[3], seen.length]).toEqual([true, true, 4]);
    await app.transaction({ chats: [-1] }, (tx) => expect(tx.chatData(-1)).toEqual({ log: ["first"] }));
  });

  test("a handler that throws ends the chain, and what others of its update changed is rolled back (PTB 99, 123)", async () => {
    const { bot, app } = makeApp();
    bot.use(async (ctx, next) => {
      ctx.chatData.log.push("first");
      await next();
    });
    bot.on("message", () => {
      throw new Error("no");
    });
    bot.on("message", (ctx) => void ctx.chatData.log.push("never"));
    await expect(bot.handleUpdate(textUpdate("x"))).rejects.toThrow("no");
    expect(await all(app.chatIds())).toEqual([]);
  });

  test('onHandlerError: "keep" keeps what was changed before the throw, as PTB does (PTB 99)', async () => {
    const { bot, app, persistence } = makeDict({ onHandlerError: "keep" });
    bot.hears("throw", (ctx) => {
      ctx.chatData.log.push("before");
      throw new Error("no");
    });
    await expect(bot.handleUpdate(textUpdate("throw"))).rejects.toThrow("no");
    await app.shutdown();
    expect(persistence.chatDataJson).toBe('{"-1": {"log": ["before"]}}');
  });

  test("a change counts whoever made it, also where no handler handled the update (PTB 95)", async () => {
    const { bot, app } = makeApp();
    bot.use(async (ctx, next) => {
      ctx.userData.n += 1;
      await next();
    });
    bot.hears("other", () => {});
    await bot.handleUpdate(textUpdate("nobody hears this"));
    await app.transaction({ users: [7] }, (tx) => expect(tx.userData(7)).toEqual({ n: 1 }));
  });

  test("a handler that nobody waits for cannot change it afterwards, and is told so (PTB 96)", async () => {
    const { bot, app } = makeApp();
    const gate = Promise.withResolvers<void>();
    const late = Promise.withResolvers<unknown>();
    bot.on("message", (ctx) => {
      void gate.promise.then(() => ctx.chatData.log.push("late")).catch(late.resolve);
    });
    await bot.handleUpdate(textUpdate("x"));
    gate.resolve();
    expect(await late.promise).toEqual(withCode("PERDURE_UNIT_OVER"));
    expect(await all(app.chatIds())).toEqual([]);
  });

  test("work that goes on after its update changes data by app.transaction, also of other ids (PTB 97, 100)", async () => {
    const { bot, app } = makeApp();
    const gate = Promise.withResolvers<void>();
    let task: Promise<unknown> = Promise.resolve();
    bot.on("message", (ctx) => {
      ctx.chatData.log.push("handler");
      ctx.afterCommit(() => {
        task = gate.promise.then(() =>
          app.transaction({ chats: [-1], users: [99] }, (tx) => {
            tx.chatData(-1).log.push("task");
            tx.userData(99).n = 1;
          }),
        );
      });
    });
    await bot.handleUpdate(textUpdate("x"));
    gate.resolve();
    await task;
    await app.transaction({ chats: [-1], users: [99] }, (tx) =>
      expect([tx.chatData(-1), tx.userData(99)]).toEqual([{ log: ["handler", "task"] }, { n: 1 }]),
    );
  });

  test("what is no handler is refused where it is added, as by grammY alone (PTB 127)", () => {
    const { bot } = makeApp();
    // @ts-expect-error no kind of update
    expect(() => bot.on("no update", () => {})).toThrow("no update");
  });
});

describe("writing", () => {
  test("a failing write goes to onError without an update, and to the log where nobody listens (PTB 114, 115, 117)", async () => {
    const logged: unknown[] = [];
    const logger = { ...silentLogger, error: (_: string, error: unknown) => void logged.push(error) };
    const failure = withCode("PERDURE_IO");
    // Without makeApp, which listens itself.
    const bot = new Bot<MyContext>("1:x", {
      botInfo: { id: 1, is_bot: true, first_name: "b", username: "b" } as never,
    });
    const app = new Application(bot, {
      persistence: new FailingChats(),
      initial: { bot: () => ({ n: 0 }), chat: () => ({ log: [] }), user: () => ({ n: 0 }) },
      logger,
    });
    onTestFinished(() => app.shutdown().catch(() => {}));
    bot.on("message", (ctx) => void ctx.chatData.log.push("x"));
    await bot.handleUpdate(textUpdate("x"));
    await app.updatePersistence();
    expect(logged).toEqual([failure]);
    const heard: unknown[] = [];
    app.onError((error, origin) => void heard.push(error, origin));
    await app.updatePersistence();
    expect([heard, logged.length]).toEqual([[failure, {}], 1]);
  });

  test("a listener that throws is logged, and the others hear the error (PTB 116)", async () => {
    const logged: unknown[] = [];
    const logger = { ...silentLogger, error: (_: string, error: unknown) => void logged.push(error) };
    const { bot, app, reported } = makeApp({ logger });
    const unheard = new Error("the listener fails");
    app.onError(() => {
      throw unheard;
    });
    const heard: unknown[] = [];
    app.onError((error) => void heard.push(error));
    const failure = new Error("after the commit");
    bot.on("message", (ctx) =>
      ctx.afterCommit(() => {
        throw failure;
      }),
    );
    await bot.handleUpdate(textUpdate("x"));
    expect([reported, heard, logged]).toEqual([[failure], [failure], [unheard, failure]]);
  });

  test("a value that cannot be kept fails its own update, and nothing else (PTB 118)", async () => {
    const { bot, app, persistence, reported } = makeDict();
    bot.hears("spoil", (ctx) => {
      ctx.chatData.log.push("spoilt");
      Object.assign(ctx.chatData, { lock: new WeakMap() });
    });
    await bot.handleUpdate(textUpdate("write", { chat: -1 }));
    const spoiling = bot.handleUpdate(textUpdate("spoil", { chat: -1 }));
    await expect(spoiling).rejects.toMatchObject({ error: withCode("PERDURE_CANNOT_KEEP") });
    await expect(spoiling).rejects.toThrow("chatData.-1.lock");
    await bot.handleUpdate(textUpdate("write", { chat: -1 }));
    await bot.handleUpdate(textUpdate("write", { chat: -2 }));
    await app.shutdown();
    expect(persistence.chatDataJson).toBe('{"-1": {"log": ["w", "w"]}, "-2": {"log": ["w"]}}');
    expect(reported).toEqual([]);
  });
});

describe("ending", () => {
  test("everything is written and flushed although postStop throws (PTB 119, 120)", async () => {
    let flushed = 0;
    class Flushed extends DictPersistence<Kept> {
      override flush(): void {
        flushed += 1;
      }
    }
    const postStop = (): never => {
      throw new Error("postStop");
    };
    const { bot, app, persistence } = makeDict({ postStop }, new Flushed());
    await bot.handleUpdate(textUpdate("write"));
    await expect(app.shutdown()).rejects.toThrow("postStop");
    expect([persistence.chatDataJson, flushed]).toEqual(['{"-1": {"log": ["w"]}}', 1]);
  });

  test("an initialize that fails leaves nothing to end, and flushes nothing (PTB 33, 121)", async () => {
    const calls: string[] = [];
    class Unreadable extends DictPersistence<Kept> {
      override async getBotData(): Promise<never> {
        calls.push("getBotData");
        throw new Error("unreadable");
      }
      override flush(): void {
        calls.push("flush");
      }
    }
    const { app } = makeDict({}, new Unreadable());
    await expect(app.initialize()).rejects.toThrow("unreadable");
    await app.shutdown();
    expect(calls).toEqual(["getBotData"]);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s ends app.run() with everything written (PTB 122)", async (signal) => {
    const { emulator, token, ann } = await setUp();
    const bot = new Bot<MyContext>(token, { client: { apiRoot: emulator.url } });
    const persistence = new DictPersistence<Kept>();
    const app = new Application(bot, {
      persistence,
      initial: { bot: () => ({ n: 0 }), chat: () => ({ log: [] }), user: () => ({ n: 0 }) },
      logger: silentLogger,
    });
    onTestFinished(() => app.shutdown());
    bot.on("message:text", async (ctx) => {
      ctx.userData.n += 1;
      await ctx.reply("kept");
    });
    const running = app.run();
    await ann.send("hello");
    await ann.nextReply();
    process.emit(signal, signal);
    await running;
    expect(persistence.userDataJson).toBe(`{"${ann.id}": {"n": 1}}`);
  });
});
