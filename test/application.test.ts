import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "@grammyjs/runner";
import { Api, Bot, webhookCallback, type Context, type PollingOptions } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  Application,
  SqlitePersistence,
  type ApplicationOptions,
  type KeptOf,
  type PersistentContext,
} from "../src/index.ts";
import { settled } from "./support/driven-clock.ts";
import { query, readTable } from "./support/read-file.ts";
import { setUp, type Setting } from "./support/setting.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";
import { withCode } from "./support/with-code.ts";

interface Kept {
  bot: { n: number };
  chat: { texts: string[] };
  user: { n: number; api?: unknown };
}
type MyContext = PersistentContext<Context, Kept>;
type MyOptions = ApplicationOptions<KeptOf<MyContext>, Application<MyContext>>;

/** A bot that appends each text to its chat's data, counts, and answers how many there are. */
function makeBot({ emulator, token, path }: Setting, options: Partial<MyOptions> = {}) {
  const bot = new Bot<MyContext>(token, { client: { apiRoot: emulator.url } });
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }),
    initial: { bot: () => ({ n: 0 }), chat: () => ({ texts: [] }), user: () => ({ n: 0 }) },
    logger: silentLogger,
    ...options,
  });
  bot.command("fail", async (ctx) => {
    ctx.chatData.texts.push("never");
    ctx.userData.n += 100;
    await ctx.updateBotData((data) => (data.n += 100));
    throw new Error("on purpose");
  });
  bot.on("message:text", async (ctx) => {
    ctx.chatData.texts.push(ctx.msg.text);
    ctx.userData.n += 1;
    await ctx.updateBotData((data) => (data.n += 1));
    await ctx.reply(String(ctx.chatData.texts.length));
  });
  onTestFinished(() => app.shutdown());
  return { bot, app };
}

/** What the file says, as a person would read it. */
function read(path: string, table: string, id: number): unknown {
  return readTable(path, table).get(id);
}

function openUpdates(path: string): number {
  return Number(query(path, "select count(*) as n from inbox")[0]?.["n"]);
}

/** Each way of polling: begins, and returns what ends it. */
const WAYS: Record<string, (made: ReturnType<typeof makeBot>, options?: PollingOptions) => () => Promise<void>> = {
  "app.run()": ({ app }, options = {}) => {
    const running = app.run({ polling: options });
    return async () => {
      await app.stop();
      await running;
    };
  },
  "bot.start()": ({ bot, app }, options = {}) => {
    const running = bot.start(options);
    return async () => {
      await bot.stop();
      await running;
      await app.shutdown();
    };
  },
  "run(bot) of the runner": ({ bot, app }, options = {}) => {
    const { allowed_updates } = options;
    const handle = run(bot, {
      runner: { fetch: allowed_updates === undefined ? {} : { allowed_updates }, silent: true },
    });
    return async () => {
      await handle.stop();
      await app.shutdown();
    };
  },
};

describe.each(Object.keys(WAYS))("%s", (name) => {
  const begin = WAYS[name] as (typeof WAYS)[string];

  test("keeps bot, chat and user data over a restart", async () => {
    const setting = await setUp();
    const { ann, path } = setting;
    for (const [index, text] of ["milk", "eggs"].entries()) {
      const end = begin(makeBot(setting));
      await ann.send(text);
      expect((await ann.nextReply()).text).toBe(String(index + 1));
      await end();
    }
    expect(read(path, "chat_data", ann.id)).toEqual({ texts: ["milk", "eggs"] });
    expect(read(path, "user_data", ann.id)).toEqual({ n: 2 });
    expect(read(path, "bot_data", 1)).toEqual({ n: 2 });
    expect(openUpdates(path)).toBe(0);
  });

  test("what was accepted before a crash is handled by the next start, and what is delivered again is recognised", async () => {
    const setting = await setUp();
    const { emulator, token, ann, path } = setting;
    const made = makeBot(setting);
    // Accepted, not handled, and not confirmed either: what a crash right after the accepting commit leaves.
    await ann.send("one");
    await ann.send("two");
    const delivered = await made.bot.api.getUpdates({ timeout: 1 });
    expect(delivered).toHaveLength(2);
    await made.app.shutdown();
    await ann.send("three");
    const end = begin(makeBot(setting));
    for (const expected of ["1", "2", "3"]) expect((await ann.nextReply()).text).toBe(expected);
    await emulator.untilConfirmed(token);
    await end();
    expect(read(path, "chat_data", ann.id)).toEqual({ texts: ["one", "two", "three"] });
    expect([...(await emulator.deliveries(token)).values()]).toEqual([2, 2, 1]);
  });

  test("a handler's error rolls its update back, bot.catch hears it, and the bot goes on", async () => {
    const setting = await setUp();
    const { ann, path } = setting;
    const made = makeBot(setting);
    const caught: unknown[] = [];
    made.bot.catch(({ error }) => void caught.push(error));
    const end = begin(made);
    for (const text of ["one", "/fail", "two"]) await ann.send(text);
    expect((await ann.nextReply()).text).toBe("1");
    expect((await ann.nextReply()).text).toBe("2");
    await end();
    expect(caught).toEqual([expect.objectContaining({ message: "on purpose" })]);
    expect(read(path, "chat_data", ann.id)).toEqual({ texts: ["one", "two"] });
    expect(read(path, "user_data", ann.id)).toEqual({ n: 2 });
    expect(read(path, "bot_data", 1)).toEqual({ n: 2 });
  });

  test("allowed_updates reach Telegram although the first call is answered from the inbox", async () => {
    const setting = await setUp();
    const { emulator, token, ann } = setting;
    const first = makeBot(setting);
    await ann.send("one");
    await first.bot.api.getUpdates({ timeout: 1 });
    await first.app.shutdown();
    const end = begin(makeBot(setting), { allowed_updates: ["message", "poll"] });
    await ann.nextReply();
    await emulator.untilConfirmed(token);
    const calls = (await emulator.transcript({ method: "getUpdates" })).map(
      (entry) => entry as { payload?: Record<string, unknown> },
    );
    expect(calls.map(({ payload }) => payload?.["allowed_updates"])).toContainEqual(["message", "poll"]);
    await end();
  });
});

describe("a persistence that does not open", () => {
  const WAYS_TO_FAIL: Record<string, (made: ReturnType<typeof makeBot>) => Promise<unknown>> = {
    "app.run()": ({ app }) => app.run(),
    "bot.start()": ({ bot }) => bot.start(),
    "bot.init()": ({ bot }) => bot.init(),
    "run(bot) of the runner": ({ bot }) => run(bot, { runner: { silent: true } }).task() as Promise<unknown>,
    "a request to app.webhookCallback": async ({ app }) => {
      const answer = app.webhookCallback("std/http") as unknown as (request: Request) => Promise<Response>;
      await answer(new Request("http://localhost/", { method: "POST", body: JSON.stringify({ update_id: 1 }) }));
    },
    "a webhook request": async ({ bot }) => {
      const answer = webhookCallback(bot, "std/http");
      await answer(new Request("http://localhost/", { method: "POST", body: JSON.stringify({ update_id: 1 }) }));
    },
  };

  test.each(Object.keys(WAYS_TO_FAIL))("fails %s at once, with our error", async (name) => {
    const setting = await setUp();
    writeFileSync(setting.path, "");
    const fail = WAYS_TO_FAIL[name] as (typeof WAYS_TO_FAIL)[string];
    await expect(fail(makeBot(setting))).rejects.toThrow(withCode("PERDURE_EMPTY_FILE"));
  });

  test("may work at the second try", async () => {
    const setting = await setUp();
    const { app } = makeBot(setting);
    const holder = new SqlitePersistence({ path: setting.path, durability: "os" });
    await holder.open({ botId: 1, now: Date.now });
    await expect(app.initialize()).rejects.toThrow(withCode("PERDURE_OWNED"));
    holder.close();
    await app.initialize();
    expect(read(setting.path, "bot_data", 1)).toBeUndefined();
  });
});

describe("the life cycle", () => {
  test("postInit runs when the persistence is open and before the first update, postStop and postShutdown after (PTB 88)", async () => {
    const setting = await setUp();
    const log: string[] = [];
    const { app, bot } = makeBot(setting, {
      postInit: (given) => void log.push(`postInit ${String(given === app)}`),
      postStop: () => void log.push("postStop"),
      postShutdown: () => void log.push("postShutdown"),
    });
    bot.on("edited_message", () => void log.push("update"));
    const running = app.run();
    const note = await setting.ann.send("hello");
    await setting.ann.edit(note, "hello!");
    await setting.ann.send("goodbye");
    await setting.ann.nextReply();
    await setting.ann.nextReply();
    await app.stop();
    await running;
    await app.shutdown();
    expect(log).toEqual(["postInit true", "update", "postStop", "postShutdown"]);
  });

  test("a postInit that fails closes the file; the next update may open it again", async () => {
    const setting = await setUp();
    let calls = 0;
    const { app, bot } = makeBot(setting, {
      postInit: () => {
        calls += 1;
        if (calls === 1) throw new Error("not yet");
      },
    });
    bot.botInfo = { id: 1, is_bot: true, first_name: "b", username: "b" } as never;
    const chat = { id: setting.ann.id, type: "private", first_name: "Ann" };
    const update = (id: number) =>
      ({ update_id: id, message: { message_id: id, date: 0, text: "x", chat, from: chat } }) as never;
    await expect(bot.handleUpdate(update(1))).rejects.toMatchObject({ error: { message: "not yet" } });
    await bot.handleUpdate(update(2));
    expect(calls).toBe(2);
    await app.shutdown();
    expect(read(setting.path, "chat_data", setting.ann.id)).toEqual({ texts: ["x"] });
  });

  test("an update that comes while postInit runs waits for its end", async () => {
    const setting = await setUp();
    const gate = Promise.withResolvers<void>();
    const log: string[] = [];
    const { app, bot } = makeBot(setting, {
      postInit: async () => {
        log.push("postInit begins");
        await gate.promise;
        log.push("postInit ends");
      },
    });
    bot.on("edited_message", () => void log.push("update"));
    bot.botInfo = { id: 1, is_bot: true, first_name: "b", username: "b" } as never;
    const opening = app.initialize();
    const message = {
      message_id: 1,
      date: 0,
      edit_date: 1,
      text: "x",
      chat: { id: 5, type: "private", first_name: "A" },
    };
    const handling = bot.handleUpdate({ update_id: 1, edited_message: message } as never);
    await settled();
    gate.resolve();
    await Promise.all([opening, handling]);
    expect(log).toEqual(["postInit begins", "postInit ends", "update"]);
  });

  test("a second run is refused and harms the first not", async () => {
    const setting = await setUp();
    const { app } = makeBot(setting);
    const running = app.run();
    await expect(app.run()).rejects.toThrow(withCode("PERDURE_LIFE_CYCLE"));
    await setting.ann.send("hello");
    expect((await setting.ann.nextReply()).text).toBe("1");
    await app.stop();
    await running;
  });

  test("after a shutdown it can begin anew", async () => {
    const setting = await setUp();
    const { app } = makeBot(setting);
    for (const expected of ["1", "2"]) {
      const running = app.run();
      await setting.ann.send("hello");
      expect((await setting.ann.nextReply()).text).toBe(expected);
      await app.stop();
      await running;
    }
  });

  test("a handler's error that nobody catches ends app.run() with it, as it ends bot.start()", async () => {
    const setting = await setUp();
    const { app, bot } = makeBot(setting);
    bot.catch((error) => {
      throw error;
    });
    const running = app.run();
    await setting.ann.send("/fail");
    await expect(running).rejects.toMatchObject({ error: { message: "on purpose" } });
    const again = makeBot(setting);
    const next = again.app.run();
    await setting.ann.send("hello");
    expect((await setting.ann.nextReply()).text).toBe("1");
    await again.app.stop();
    await next;
  });

  test("a wrong token ends app.run(); an unreachable Telegram does not", async () => {
    const setting = await setUp();
    const wrong = makeBot({ ...setting, token: "999:wrong" });
    await expect(wrong.app.run()).rejects.toMatchObject({ error_code: 401 });
    const { app, bot } = makeBot(setting);
    // The last reply's answer may be lost with the connection.
    bot.catch(() => {});
    await setting.emulator.fault({ method: "getUpdates", kind: "error", code: 502, times: 2 });
    const running = app.run();
    await setting.ann.send("hello");
    expect((await setting.ann.nextReply()).text).toBe("1");
    await setting.emulator.unreachable(true);
    await app.stop();
    await running;
  });

  test("drop_pending_updates drops what waits in the inbox too", async () => {
    const setting = await setUp();
    const first = makeBot(setting);
    await setting.ann.send("one");
    await first.bot.api.getUpdates({ timeout: 1 });
    await first.app.shutdown();
    await setting.ann.send("two");
    const { app } = makeBot(setting);
    const running = app.run({ polling: { drop_pending_updates: true } });
    await setting.emulator.untilPolling(setting.token);
    await setting.ann.send("three");
    expect((await setting.ann.nextReply()).text).toBe("1");
    await app.stop();
    await running;
    expect(read(setting.path, "chat_data", setting.ann.id)).toEqual({ texts: ["three"] });
  });

  test("update ids that start anew, lower, are handled", async () => {
    const setting = await setUp();
    const { app } = makeBot(setting);
    const running = app.run();
    for (const [index, text] of ["one", "two", "three"].entries()) {
      await setting.ann.send(text);
      expect((await setting.ann.nextReply()).text).toBe(String(index + 1));
      if (index === 0) await setting.emulator.restartUpdateIds(setting.token, 5);
    }
    await app.stop();
    await running;
  });
});

describe("the bot", () => {
  test("with middleware already is refused, without is not", async () => {
    const persistence = new SqlitePersistence({ path: join(temporaryFolder(), "bot.sqlite"), durability: "os" });
    const used = new Bot<PersistentContext<Context, object>>("1:x");
    used.use((_, next) => next());
    expect(() => new Application(used, { persistence })).toThrow(withCode("PERDURE_HAS_MIDDLEWARE"));
    const commanded = new Bot<PersistentContext<Context, object>>("1:x");
    commanded.command("start", () => {});
    expect(() => new Application(commanded, { persistence })).toThrow(withCode("PERDURE_HAS_MIDDLEWARE"));
    class MyBot<C extends Context> extends Bot<C> {}
    const fine = new MyBot<PersistentContext<Context, object>>("1:x");
    fine.catch(() => {});
    fine.api.config.use((prev, method, payload, signal) => prev(method, payload, signal));
    expect(new Application(fine, { persistence }).bot).toBe(fine);
  });

  test("may stand in kept data, and is the current one after loading (PTB 50, 51)", async () => {
    const setting = await setUp();
    const { app, bot } = makeBot(setting);
    bot.on("edited_message", async (ctx) => {
      ctx.userData.api ??= { mine: ctx.api, whole: bot, foreign: new Api("7:other") };
      const { mine, whole, foreign } = ctx.userData.api as Record<string, unknown>;
      await ctx.reply(
        [mine === bot.api || mine === ctx.api, whole === bot, foreign === undefined || foreign === null].join(" "),
      );
    });
    const running = app.run();
    const note = await setting.ann.send("hello");
    await setting.ann.nextReply();
    await setting.ann.edit(note, "hello!");
    await setting.ann.nextReply();
    await setting.ann.edit(note, "hello!!");
    expect((await setting.ann.nextReply()).text).toBe("true true true");
    await app.stop();
    await running;
  });

  test("wrong options are refused with the option's name", async () => {
    const bot = new Bot<MyContext>("1:x");
    const persistence = new SqlitePersistence({ path: join(temporaryFolder(), "bot.sqlite"), durability: "os" });
    const make = (options: object) => () => new Application(bot, { persistence, ...options } as never);
    expect(make({ persistence: {} })).toThrow(/persistence is Object/);
    expect(make({ concurrency: 0 })).toThrow(/concurrency is 0/);
    expect(make({ onHandlerError: "ignore" })).toThrow(/onHandlerError is ignore/);
    expect(make({ stopTimeout: "soon" })).toThrow(/stopTimeout is "soon"/);
    expect(make({ initial: { chat: {} } })).toThrow(/initial.chat/);
    expect(make({ migrations: { chat: [1] } })).toThrow(/migrations.chat/);
    expect(() => new Application(new Bot<MyContext>("no-colon"), { persistence } as never)).not.toThrow();
  });
});

test("a webhook answers when the update is durable; delivered again, it runs nothing", async () => {
  const setting = await setUp();
  const { app, bot } = makeBot(setting);
  const answer = webhookCallback(bot, "std/http");
  const chat = { id: setting.ann.id, type: "private", first_name: "Ann" };
  const message = {
    message_id: 1,
    date: 0,
    text: "hello",
    chat,
    from: { id: setting.ann.id, is_bot: false, first_name: "Ann" },
  };
  const request = (id = 77) =>
    new Request("http://localhost/", { method: "POST", body: JSON.stringify({ update_id: id, message }) });
  const statuses = await Promise.all([answer(request()), answer(request())]);
  expect(statuses.map(({ status }) => status)).toEqual([200, 200]);
  expect((await answer(request())).status).toBe(200);
  expect(read(setting.path, "chat_data", setting.ann.id)).toEqual({ texts: ["hello"] });
  await app.shutdown();
  await expect(answer(request(78))).rejects.toMatchObject({ error: { code: "PERDURE_STOPPED" } });
});
