import { DatabaseSync } from "node:sqlite";
import { run } from "@grammyjs/runner";
import { Bot, webhookCallback, type Context } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  Application,
  PerdureError,
  SqlitePersistence,
  type ApplicationOptions,
  type KeptOf,
  type PersistentContext,
} from "../src/index.ts";
import { Child } from "./support/child.ts";
import { query } from "./support/read-file.ts";
import { setUp, type Setting } from "./support/setting.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { withCode } from "./support/with-code.ts";

interface Kept {
  bot: { bot?: unknown };
  chat: { texts: string[] };
}
type MyContext = PersistentContext<Context, Kept>;
type MyOptions = ApplicationOptions<KeptOf<MyContext>, Application<MyContext>>;

interface MakeOptions extends Partial<MyOptions> {
  /** How long to wait for the file. */
  ownerTimeout?: string;
  /** Adds handlers before the one that notes every text and answers with their number. */
  handlers?: (bot: Bot<MyContext>) => void;
}

function makeBot({ emulator, token, path }: Setting, { ownerTimeout = "0", handlers, ...options }: MakeOptions = {}) {
  const bot = new Bot<MyContext>(token, { client: { apiRoot: emulator.url } });
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path, ownerTimeout: ownerTimeout as never, durability: "os" }),
    initial: { chat: () => ({ texts: [] }) },
    logger: silentLogger,
    stopTimeout: 50,
    ...options,
  });
  const reported: unknown[] = [];
  const onReport = Promise.withResolvers<void>();
  app.onError((error) => {
    reported.push(error);
    onReport.resolve();
  });
  handlers?.(bot);
  bot.on("message:text", async (ctx) => {
    ctx.chatData.texts.push(ctx.msg.text);
    await ctx.reply(String(ctx.chatData.texts.length));
  });
  onTestFinished(() => app.shutdown().catch(() => {}));
  return { bot, app, reported, untilReported: onReport.promise };
}

/** Opens the file as another bot process would; throws when somebody has it. */
async function takeFile(path: string): Promise<SqlitePersistence> {
  const persistence = new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" });
  await persistence.open({ botId: 1, now: Date.now });
  onTestFinished(() => persistence.close());
  return persistence;
}

/** Throws when somebody has the file. */
async function requireFree(path: string): Promise<void> {
  (await takeFile(path)).close();
}

function inbox(path: string): number[] {
  return query(path, "select update_id from inbox").map((row) => Number(row["update_id"]));
}

/** Keeps others from writing to the file, until the test takes it back. */
function lock(path: string): () => void {
  const database = new DatabaseSync(path);
  database.exec("begin immediate");
  return () => database.close();
}

/** A webhook's request with a text from this chat. */
function request(id: number, text: string, chat: number): Request {
  const from = { id: chat, is_bot: false, first_name: "Ann" };
  const message = { message_id: id, date: 0, text, from, chat: { id: chat, type: "private", first_name: "Ann" } };
  return new Request("http://localhost/", { method: "POST", body: JSON.stringify({ update_id: id, message }) });
}

const fail = (message: string) => () => {
  throw new Error(message);
};
const signals = (): number[] => ["SIGINT", "SIGTERM"].map((signal) => process.listenerCount(signal));

describe("a stop", () => {
  test("by SIGTERM ends app.run() while the inbox cannot be written, and what was not accepted comes again", async () => {
    const setting = await setUp();
    const { app, untilReported } = makeBot(setting);
    const running = app.run();
    await setting.emulator.untilPolling(setting.token);
    const unlock = lock(setting.path);
    await setting.ann.send("hello");
    await untilReported;
    process.emit("SIGTERM", "SIGTERM");
    await running;
    unlock();
    expect(await setting.emulator.pending(setting.token)).toHaveLength(1);
    const next = makeBot(setting).app;
    const again = next.run();
    expect((await setting.ann.nextReply()).text).toBe("1");
    await next.stop();
    await again;
  });

  test("of bot.start() by bot.stop() works then too", async () => {
    const setting = await setUp();
    const { bot, untilReported } = makeBot(setting);
    const running = bot.start();
    await setting.emulator.untilPolling(setting.token);
    const unlock = lock(setting.path);
    await setting.ann.send("hello");
    await untilReported;
    await bot.stop();
    await running;
    unlock();
    expect(await setting.emulator.pending(setting.token)).toHaveLength(1);
  });

  test("by a signal while waiting for the file's owner ends app.run() at once, which is no failure", async () => {
    const setting = await setUp();
    const owner = await takeFile(setting.path);
    const before = signals();
    const { app } = makeBot(setting, { ownerTimeout: "1h" });
    const running = app.run();
    process.emit("SIGINT", "SIGINT");
    await running;
    expect(signals()).toEqual(before);
    owner.close();
    const again = app.run();
    await setting.ann.send("hello");
    expect((await setting.ann.nextReply()).text).toBe("1");
    await app.stop();
    await again;
  });

  test("by shutdown() while the file is being opened, too", async () => {
    const setting = await setUp();
    const owner = await takeFile(setting.path);
    const { app } = makeBot(setting, { ownerTimeout: "1h" });
    const running = app.run();
    await Promise.all([app.shutdown(), running]);
    owner.close();
    await requireFree(setting.path);
    expect(await setting.emulator.transcript({ method: "getMe" })).toEqual([]);
  });

  test("of an opening that failed is no stop of the next one", async () => {
    const setting = await setUp();
    const owner = await takeFile(setting.path);
    const log: string[] = [];
    const { app, bot } = makeBot(setting, { postStop: () => void log.push("postStop") });
    const opening = app.initialize();
    const stopping = app.stop();
    await expect(opening).rejects.toThrow(PerdureError);
    await stopping;
    owner.close();
    await bot.init();
    await app.shutdown();
    expect(log).toEqual(["postStop"]);
  });

  test("before the beginning does nothing", async () => {
    const setting = await setUp();
    const { app, bot } = makeBot(setting);
    await app.stop();
    const running = bot.start();
    await setting.ann.send("hello");
    expect((await setting.ann.nextReply()).text).toBe("1");
    await bot.stop();
    await running;
  });

  test("tells Telegram what was accepted", async () => {
    const setting = await setUp();
    const { app } = makeBot(setting);
    // The second call, which would tell it as well, does not arrive.
    const fault = await setting.emulator.fault({ method: "getUpdates", kind: "hang", after: 1 });
    const running = app.run();
    await setting.ann.send("hello");
    await setting.ann.nextReply();
    await fault.hit();
    expect(await setting.emulator.pending(setting.token)).toHaveLength(1);
    await app.stop();
    await running;
    expect(await setting.emulator.pending(setting.token)).toEqual([]);
  });

  test("of the application stops a bot that bot.start() has started", async () => {
    const setting = await setUp();
    const { app, bot } = makeBot(setting);
    const running = bot.start();
    await setting.emulator.untilPolling(setting.token);
    await app.stop();
    expect(bot.isRunning()).toBe(false);
    await running;
  });

  test("without a shutdown: bot.start() says that it is too early, and swallows nothing", async () => {
    const setting = await setUp();
    const { app, bot } = makeBot(setting);
    await app.initialize();
    await app.stop();
    await setting.ann.send("hello");
    await expect(bot.start()).rejects.toThrow(withCode("PERDURE_LIFE_CYCLE"));
    expect(await setting.emulator.pending(setting.token)).toHaveLength(1);
  });

  test("leaves no listener for signals behind", async () => {
    const setting = await setUp();
    const before = signals();
    const { app } = makeBot(setting);
    const running = app.run();
    expect(signals()).not.toEqual(before);
    await setting.emulator.untilPolling(setting.token);
    process.emit("SIGTERM", "SIGTERM");
    await running;
    expect(signals()).toEqual(before);
  });
});

describe("a shutdown", () => {
  test("asked for twice happens once", async () => {
    const setting = await setUp();
    const log: string[] = [];
    const { app } = makeBot(setting, { postShutdown: () => void log.push("postShutdown") });
    await app.initialize();
    await Promise.all([app.shutdown(), app.shutdown()]);
    await app.shutdown();
    expect(log).toEqual(["postShutdown"]);
  });

  test("closes the file although postStop throws, and says so", async () => {
    const setting = await setUp();
    const { app } = makeBot(setting, { postStop: fail("postStop") });
    await app.initialize();
    await expect(app.shutdown()).rejects.toThrow("postStop");
    await requireFree(setting.path);
  });

  test("ends a runner that goes on, and the file stays closed", async () => {
    const setting = await setUp();
    const { app, bot } = makeBot(setting);
    const handle = run(bot, { runner: { silent: true } });
    await setting.emulator.untilPolling(setting.token);
    await app.shutdown();
    await setting.ann.send("hello");
    await handle.task()?.catch(() => {});
    expect(handle.isRunning()).toBe(false);
    await requireFree(setting.path);
    expect(await setting.emulator.pending(setting.token)).toHaveLength(1);
  });

  test("is final for whoever still polls or asks: nothing opens the file by itself", async () => {
    const setting = await setUp();
    const { app, bot } = makeBot(setting);
    await bot.init();
    await app.shutdown();
    await expect(bot.api.getUpdates({ timeout: 1 })).rejects.toThrow(withCode("PERDURE_CLOSED"));
    await expect(app.chatIds().next()).rejects.toThrow(withCode("PERDURE_CLOSED"));
    await requireFree(setting.path);
  });

  test("with a handler that outlives it: what came with its update stays in the inbox, and the file closed", async () => {
    const setting = await setUp();
    const [began, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { app, bot } = makeBot(setting, {
      handlers: (each) =>
        each.hears("slow", () => {
          began.resolve();
          return gate.promise;
        }),
    });
    await setting.ann.send("slow");
    await setting.ann.send("next");
    const running = bot.start();
    await began.promise;
    await app.shutdown();
    gate.resolve();
    await running;
    await requireFree(setting.path);
    expect(inbox(setting.path)).toHaveLength(2);
  });
});

describe("what ends app.run()", () => {
  test("is told by it, also when postStop throws as well, which is reported", async () => {
    const setting = await setUp();
    const { app, reported } = makeBot(setting, { postStop: fail("postStop") });
    await setting.emulator.fault({ method: "getUpdates", kind: "error", code: 409 });
    await expect(app.run()).rejects.toMatchObject({ error_code: 409 });
    expect(reported).toEqual([expect.objectContaining({ message: "postStop" })]);
    await requireFree(setting.path);
  });

  test("is told to onError where app.start() has resolved long ago", async () => {
    const setting = await setUp();
    const { app, reported, untilReported } = makeBot(setting);
    await setting.emulator.fault({ method: "getUpdates", kind: "error", code: 409 });
    await app.start();
    await untilReported;
    expect(reported).toEqual([expect.objectContaining({ error_code: 409 })]);
  });
});

describe("postInit", () => {
  test("may use what waits for the opening otherwise", async () => {
    const setting = await setUp();
    const { app } = makeBot(setting, {
      postInit: async (given) => {
        await given.initialize();
        await given.bot.init();
        await given.bot.api.deleteWebhook();
        await given.transaction({ chats: [5] }, (tx) => tx.chatData(5).texts.push("from postInit"));
      },
    });
    await app.initialize();
    expect(await app.chatIds().next()).toEqual({ done: false, value: 5 });
  });

  test("may drop what waits", async () => {
    const setting = await setUp();
    const earlier = new SqlitePersistence({ path: setting.path, durability: "os" });
    await earlier.open({ botId: Number(setting.token.split(":")[0]), now: Date.now });
    earlier.accept([{ update_id: 1 }]);
    earlier.close();
    const { app } = makeBot(setting, {
      postInit: ({ bot }) => bot.api.setWebhook("http://127.0.0.1:9/", { drop_pending_updates: true }),
    });
    await app.initialize();
    expect(query(setting.path, "select update_id from inbox")).toEqual([]);
  });

  test("may stop a bot that has not begun", async () => {
    const setting = await setUp();
    const { app } = makeBot(setting, { postInit: ({ bot }) => bot.stop() });
    await expect(app.initialize()).resolves.toBeUndefined();
  });

  test("that throws leaves the file closed", async () => {
    const setting = await setUp();
    const { app } = makeBot(setting, { postInit: fail("postInit") });
    await expect(app.initialize()).rejects.toThrow("postInit");
    await requireFree(setting.path);
    await expect(app.run()).rejects.toThrow("postInit");
    await requireFree(setting.path);
  });
});

describe("in the same process, begun again", () => {
  test("bot.start() after an error that nobody caught goes on with what came with it", async () => {
    const setting = await setUp();
    const { bot } = makeBot(setting, { handlers: (each) => each.command("fail", fail("on purpose")) });
    bot.catch((error) => {
      throw error;
    });
    for (const text of ["one", "/fail", "two", "three"]) await setting.ann.send(text);
    await expect(bot.start()).rejects.toMatchObject({ error: { message: "on purpose" } });
    const again = bot.start();
    for (const expected of ["1", "2", "3"]) expect((await setting.ann.nextReply()).text).toBe(expected);
    await bot.stop();
    await again;
  });

  test("the runner goes on", async () => {
    const setting = await setUp();
    const { bot } = makeBot(setting);
    for (const expected of ["1", "2"]) {
      const handle = run(bot, { runner: { silent: true } });
      await setting.ann.send("hello");
      expect((await setting.ann.nextReply()).text).toBe(expected);
      await handle.stop();
    }
  });
});

describe("webhooks of grammY", () => {
  test("a request that comes while stopping is answered with 200, and its update is kept", async () => {
    const setting = await setUp();
    const [began, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { app, bot } = makeBot(setting, {
      stopTimeout: "10s",
      handlers: (each) =>
        each.hears("slow", () => {
          began.resolve();
          return gate.promise;
        }),
    });
    const answer = webhookCallback(bot, "std/http");
    const slow = answer(request(1, "slow", 1));
    await began.promise;
    const stopping = app.stop();
    const second = await answer(request(2, "hello", 2));
    expect([second.status, inbox(setting.path)]).toEqual([200, [1, 2]]);
    gate.resolve();
    expect((await slow).status).toBe(200);
    await stopping;
    expect(inbox(setting.path)).toEqual([2]);
  });

  test("what was answered with 200 and left runs in the next process, before what comes then", async () => {
    const setting = await setUp();
    const [began, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = makeBot(setting, {
      handlers: (each) =>
        each.hears("hang", async () => {
          began.resolve();
          await gate.promise;
        }),
    });
    const hanging = webhookCallback(first.bot, "std/http")(request(1, "hang", setting.ann.id));
    await began.promise;
    await first.app.shutdown();
    gate.resolve();
    expect((await hanging).status).toBe(200);
    const texts: string[] = [];
    const second = makeBot(setting, {
      handlers: (each) =>
        each.on("message:text", (ctx, next) => {
          texts.push(ctx.msg.text);
          return next();
        }),
    });
    await webhookCallback(second.bot, "std/http")(request(2, "next", setting.ann.id));
    await expect.poll(() => texts).toEqual(["hang", "next"]);
  });

  test("a request after the shutdown is an error, and does not open the file", async () => {
    const setting = await setUp();
    const { app, bot } = makeBot(setting);
    const answer = webhookCallback(bot, "std/http");
    await answer(request(1, "hello", setting.ann.id));
    await app.shutdown();
    await expect(answer(request(2, "late", setting.ann.id))).rejects.toMatchObject({
      error: { code: "PERDURE_STOPPED" },
    });
    await requireFree(setting.path);
  });
});

describe("the bot", () => {
  test("stands in the bot's data and goes on working when that is read", async () => {
    const setting = await setUp();
    const { app } = makeBot(setting, {
      handlers: (bot) => {
        bot.command("keep", async (ctx) => {
          await ctx.updateBotData((data) => void (data.bot = bot));
          await ctx.reply("kept");
        });
        bot.command("look", (ctx) => ctx.reply(String(ctx.botData.bot === bot)));
      },
    });
    const running = app.run();
    for (const [command, answer] of [
      ["/keep", "kept"],
      ["/look", "true"],
      ["hello", "1"],
    ] as const) {
      await setting.ann.send(command);
      expect((await setting.ann.nextReply()).text).toBe(answer);
    }
    await app.stop();
    await running;
  });

  test("is told in bot.catch that there is no kept data any more", async () => {
    const setting = await setUp();
    const { app, bot } = makeBot(setting, { handlers: (each) => each.command("fail", fail("on purpose")) });
    const caught = Promise.withResolvers<unknown>();
    bot.catch(({ ctx }) => {
      try {
        void ctx.chatData;
      } catch (error) {
        caught.resolve(error);
      }
    });
    const running = app.run();
    await setting.ann.send("/fail");
    expect(await caught.promise).toMatchObject({
      code: "PERDURE_UNIT_OVER",
      message: expect.stringContaining("rolled back"),
    });
    await app.stop();
    await running;
  });
});

describe("a bot process", () => {
  /** A bot in a process of its own, with these handlers. */
  function spawn({ token, emulator, path }: Setting, handlers: string): Child {
    const script = `
      import { Bot } from "grammy";
      import { Application, SqlitePersistence } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      const [token, apiRoot, path] = process.argv.slice(1);
      const bot = new Bot(token, { client: { apiRoot } });
      const logger = { debug() {}, info: console.log, warn() {}, error() {} };
      const app = new Application(bot, { persistence: new SqlitePersistence({ path, durability: "os" }), logger });
      bot.catch(({ error }) => console.log("caught", String(error)));
      ${handlers}
      await app.run();`;
    const cwd = new URL("..", import.meta.url).pathname;
    return new Child("--input-type=module", ["--eval", script, token, emulator.url, path], { cwd });
  }

  test("is not ended by a missing await of updateBotData, whenever it is called", async () => {
    const setting = await setUp();
    const child = spawn(
      setting,
      `const count = (data) => (data.n = (data.n ?? 0) + 1);
       bot.command("sync", (ctx) => void ctx.updateBotData(count));
       bot.command("throw", (ctx) => {
         void ctx.updateBotData(count);
         throw new Error("on purpose");
       });
       bot.command("late", (ctx) => {
         setTimeout(() => {
           void ctx.updateBotData(count);
           console.log("called late");
         });
       });
       bot.hears("alive?", (ctx) => ctx.reply("yes"));`,
    );
    for (const text of ["/sync", "/throw", "/late"]) await setting.ann.send(text);
    await child.line("called late");
    await setting.ann.send("alive?");
    expect((await setting.ann.nextReply()).text).toBe("yes");
    expect(child.lines).toContain("caught Error: on purpose");
    child.process.kill("SIGTERM");
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.errors).toEqual([]);
  });

  test("is ended at once by a second signal, and its update runs at the next start", async () => {
    const setting = await setUp();
    const child = spawn(setting, `bot.on("message", () => (console.log("hangs"), new Promise(() => {})));`);
    await setting.ann.send("hello");
    await child.line("hangs");
    child.process.kill("SIGTERM");
    await child.line("SIGTERM: stopping.");
    child.process.kill("SIGTERM");
    expect(await child.exited).toEqual({ code: null, signal: "SIGTERM" });
    const { app } = makeBot(setting);
    const running = app.run();
    expect((await setting.ann.nextReply()).text).toBe("1");
    await app.stop();
    await running;
  });
});
