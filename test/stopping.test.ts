import { Bot, type Context } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import { JsonFolderPersistence } from "../examples/json-folder-persistence.ts";
import {
  Application,
  DictPersistence,
  SqlitePersistence,
  StorageAdapterPersistence,
  type BasePersistence,
  type PersistentContext,
} from "../src/index.ts";
import type { EmulatedUser } from "../src/testing/index.ts";
import { settled } from "./support/driven-clock.ts";
import { FailingPersistence } from "./support/failing-persistence.ts";
import { makeApp, textUpdate, type MyOptions } from "./support/made-app.ts";
import { setUp, type Setting } from "./support/setting.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";
import { WAYS_TO_RUN } from "./support/ways-to-run.ts";

interface Kept {
  chat: { texts: string[] };
}
type Handler = (text: string) => Promise<void> | void;

function make(setting: Setting, handler: Handler = () => {}) {
  const sqlite = new SqlitePersistence({ path: setting.path, ownerTimeout: 0, durability: "os" });
  return makeWith(new FailingPersistence(sqlite), setting, handler);
}

function makeWith<P extends BasePersistence<Kept> | BasePersistence>(
  persistence: P,
  { emulator, token }: Setting,
  handler: Handler = () => {},
) {
  const bot = new Bot<PersistentContext<Context, Kept>>(token, { client: { apiRoot: emulator.url } });
  const app = new Application(bot, {
    persistence,
    initial: { chat: () => ({ texts: [] }) },
    logger: silentLogger,
    stopTimeout: "5s",
  });
  bot.catch(() => {});
  bot.command("list", (ctx) => ctx.reply(ctx.chatData.texts.join(" ")));
  bot.on("message:text", async (ctx) => {
    await handler(ctx.msg.text);
    ctx.chatData.texts.push(ctx.msg.text);
  });
  onTestFinished(() => app.shutdown());
  return { bot, app, persistence };
}

/** Runs the bot anew, by polling, until it has answered what it has noted. */
async function listAfterRestart(setting: Setting, again = () => make(setting).app): Promise<string | undefined> {
  await setting.emulator.unreachable(false);
  const app = again();
  const running = app.run();
  await setting.ann.send("/list");
  const { text } = await setting.ann.nextReply();
  await app.stop();
  await running;
  return text;
}

async function send(ann: EmulatedUser, ...texts: string[]): Promise<void> {
  for (const text of texts) await ann.send(text);
}

describe.each(Object.keys(WAYS_TO_RUN))("%s stops in order", (name) => {
  const begin = WAYS_TO_RUN[name] as (typeof WAYS_TO_RUN)[string];

  test("when it is idle", async () => {
    const setting = await setUp();
    const running = await begin(make(setting));
    await send(setting.ann, "1", "/list");
    expect((await setting.ann.nextReply()).text).toBe("1");
    await running.stop();
    expect(await listAfterRestart(setting)).toBe("1");
  });

  test("in the middle of a batch: what runs is done, the rest stays, nothing is lost or repeated", async () => {
    const setting = await setUp();
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const running = await begin(
      make(setting, async (text) => {
        if (text !== "3") return;
        reached.resolve();
        await gate.promise;
      }),
    );
    await send(setting.ann, "1", "2", "3", "4", "5", "6");
    await reached.promise;
    const stopped = running.stop();
    gate.resolve();
    await stopped;
    expect(await listAfterRestart(setting)).toBe("1 2 3 4 5 6");
  });

  test("from inside a handler, which is done with it", async () => {
    const setting = await setUp();
    const stopped = Promise.withResolvers<void>();
    const made = make(setting, (text) => {
      if (text === "2") running.stop().then(stopped.resolve, stopped.reject);
    });
    const running = await begin(made);
    await send(setting.ann, "1", "2", "3");
    await stopped.promise;
    // In a handler a stop does not wait for the handler; here it does.
    await made.app.shutdown();
    expect(await listAfterRestart(setting)).toBe("1 2 3");
  });

  test("during a commit, which is completed", async () => {
    const setting = await setUp();
    const made = make(setting);
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    made.persistence.before = async (operation) => {
      if (operation !== "commit") return;
      reached.resolve();
      await gate.promise;
    };
    const running = await begin(made);
    await send(setting.ann, "1", "2");
    await reached.promise;
    const stopped = running.stop();
    gate.resolve();
    await stopped;
    expect(made.persistence.commits.length).toBeGreaterThan(0);
    expect(await listAfterRestart(setting)).toBe("1 2");
  });

  test("while Telegram is unreachable", async () => {
    const setting = await setUp();
    const running = await begin(make(setting));
    await send(setting.ann, "1", "/list");
    await setting.ann.nextReply();
    await setting.emulator.unreachable(true);
    await running.stop();
    expect(await listAfterRestart(setting)).toBe("1");
  });
});

/** A place where a handler waits. `reached` resolves when it does. */
function barrier(): {
  readonly reached: Promise<void>;
  readonly wait: () => Promise<void>;
  readonly release: () => void;
} {
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const wait = (): Promise<void> => {
    reached.resolve();
    return gate.promise;
  };
  return { reached: reached.promise, wait, release: gate.resolve };
}

/** Resolves when so many updates were given to a bot. */
function handedIn(bot: Pick<Bot, "handleUpdate">, count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const handle = bot.handleUpdate.bind(bot);
  let left = count;
  bot.handleUpdate = (...update) => {
    left -= 1;
    if (left === 0) resolve();
    return handle(...update);
  };
  return promise;
}

describe("with a class of one's own, whose inbox is in memory, a stop", () => {
  test.each(["app.run()", "bot.start()", "run(bot) of the runner", 'app.webhookCallback, acknowledge "accepted"'])(
    "of %s runs what was accepted and waits for its turn",
    async (name) => {
      const begin = WAYS_TO_RUN[name] as (typeof WAYS_TO_RUN)[string];
      const setting = await setUp();
      const folder = temporaryFolder();
      const kept = (): JsonFolderPersistence<Kept> => new JsonFolderPersistence({ folder });
      const { reached, wait, release } = barrier();
      await send(setting.ann, "1", "2", "3");
      const made = makeWith(kept(), setting, (text) => (text === "1" ? wait() : undefined));
      // `bot.start()` hands in one after the other.
      const allHandedIn = name === "bot.start()" ? undefined : handedIn(made.bot, 3);
      const running = await begin(made);
      await Promise.all([reached, allHandedIn]);
      const stopped = running.stop();
      await settled();
      release();
      await stopped;
      expect(await listAfterRestart(setting, () => makeWith(kept(), setting).app)).toBe("1 2 3");
    },
  );

  test.each<[string, Partial<MyOptions>, string]>([
    ["what is lost", { persistence: new DictPersistence() }, "are lost, since there is no durable inbox"],
    ["what stays, where the inbox is durable,", {}, "stay in the inbox and run again"],
  ])("says after stopTimeout %s by the ids: what runs, and what waits for its turn", async (_, options, fate) => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (text: string) => void warnings.push(text) };
    const { bot, app } = makeApp({ ...options, stopTimeout: 0, logger });
    const { reached, wait, release } = barrier();
    bot.hears("slow", wait);
    const updates = [textUpdate("done", { chat: -2, user: 8 }), textUpdate("slow"), textUpdate("waits")];
    const handled = updates.map((update) => bot.handleUpdate(update));
    await handled[0];
    await reached;
    await app.shutdown();
    release();
    await Promise.all(handled);
    const [, ...left] = updates.map(({ update_id: id }) => id);
    expect(warnings.at(-1)).toBe(`Stopped while handlers were running. These updates ${fate}: ${left.join(", ")}.`);
  });

  test("is not held up by a load that hangs: what was committed is written", { timeout: 5000 }, async () => {
    const stored = new Map<string, unknown>();
    const { reached, wait, release } = barrier();
    const storage = {
      async read(key: string): Promise<unknown> {
        if (key === "chat_-666") await wait();
        return stored.get(key);
      },
      write: async (key: string, value: unknown): Promise<void> => void stored.set(key, value),
      delete: async (key: string): Promise<void> => void stored.delete(key),
    };
    const { bot, app } = makeApp({ persistence: new StorageAdapterPersistence({ storage }), stopTimeout: 0 });
    bot.on("message:text", (ctx) => void ctx.chatData.log.push(ctx.msg.text));
    await bot.handleUpdate(textUpdate("a", { chat: -1, user: 1 }));
    const stuck = bot.handleUpdate(textUpdate("never", { chat: -666, user: 2 }));
    await reached;
    await bot.handleUpdate(textUpdate("b", { chat: -3, user: 3 }));
    await app.shutdown();
    expect([...stored.keys()].sort()).toEqual(["chat_-1", "chat_-3"]);
    release();
    await stuck;
    expect([...stored.keys()].sort()).toEqual(["chat_-1", "chat_-3"]);
  });
});
