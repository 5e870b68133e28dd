import { Bot, type Context } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import { Application, SqlitePersistence, type PersistentContext } from "../src/index.ts";
import type { EmulatedUser } from "../src/testing/index.ts";
import { FailingPersistence } from "./support/failing-persistence.ts";
import { setUp, type Setting } from "./support/setting.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { WAYS_TO_RUN } from "./support/ways-to-run.ts";

interface Kept {
  chat: { texts: string[] };
}
type Handler = (text: string) => Promise<void> | void;

function make({ emulator, token, path }: Setting, handler: Handler = () => {}) {
  const bot = new Bot<PersistentContext<Context, Kept>>(token, { client: { apiRoot: emulator.url } });
  const persistence = new FailingPersistence(new SqlitePersistence({ path, ownerTimeout: 0 }));
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
async function listAfterRestart(setting: Setting): Promise<string | undefined> {
  await setting.emulator.unreachable(false);
  const { app } = make(setting);
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
