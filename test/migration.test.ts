import { join } from "node:path";
import { Bot, type Context } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  Application,
  SqlitePersistence,
  type ApplicationOptions,
  type KeptOf,
  type PersistentContext,
} from "../src/index.ts";
import { TelegramEmulator } from "../src/testing/index.ts";
import { isSettled, settled } from "./support/driven-clock.ts";
import { notedWarnings } from "./support/noted-warnings.ts";
import { readTable } from "./support/read-file.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

interface Kept {
  chat: { texts: string[] };
}
type MyContext = PersistentContext<Context, Kept>;
type MyOptions = ApplicationOptions<KeptOf<MyContext>, Application<MyContext>>;

const ME = { id: 1, is_bot: true, first_name: "bot", username: "test_bot" };
const OLD = -4001;
const NEW = -1_001_234_567_890;

function make(path: string, options: Partial<MyOptions> = {}, client?: { apiRoot: string; token: string }) {
  const config = client === undefined ? { botInfo: ME as never } : { client: { apiRoot: client.apiRoot } };
  const bot = new Bot<MyContext>(client?.token ?? "1:x", config);
  const { logger, warnings } = notedWarnings();
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }),
    initial: { chat: () => ({ texts: [] }) },
    logger,
    ...options,
  });
  const gate = Promise.withResolvers<void>();
  bot.hears("slow", async (ctx) => {
    await gate.promise;
    ctx.chatData.texts.push("slow");
  });
  bot.hears("done", (ctx) => ctx.reply("done"));
  bot.on("message:text", (ctx) => void ctx.chatData.texts.push(ctx.msg.text));
  onTestFinished(() => app.shutdown());
  return { bot, app, warnings, gate };
}

let nextId = 1;
function update(chat: number, content: object, user = 7): never {
  const from = { id: user, is_bot: false, first_name: "Ann" };
  const message = { message_id: nextId, date: 0, from, chat: { id: chat, type: "group", title: "Club" }, ...content };
  return { update_id: nextId++, message } as never;
}
const text = (chat: number, content: string, user?: number): never => update(chat, { text: content }, user);
const announcements = {
  inOldChat: () => update(OLD, { migrate_to_chat_id: NEW }),
  inNewChat: () => update(NEW, { migrate_from_chat_id: OLD }),
};

function chatsIn(path: string): Record<string, unknown> {
  return Object.fromEntries(readTable(path, "chat_data"));
}

describe("a group that becomes a supergroup", () => {
  test.each([
    ["old chat first", ["inOldChat", "inNewChat"]],
    ["new chat first", ["inNewChat", "inOldChat"]],
    ["only the old chat's", ["inOldChat"]],
    ["only the new chat's", ["inNewChat"]],
    ["each twice", ["inOldChat", "inOldChat", "inNewChat", "inNewChat"]],
  ] as const)("takes its data along, %s", async (_, order) => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const { bot } = make(path);
    await bot.handleUpdate(text(OLD, "a"));
    for (const [index, announcement] of order.entries()) {
      await bot.handleUpdate(announcements[announcement]());
      await bot.handleUpdate(text(NEW, `n${index}`));
      await bot.handleUpdate(text(OLD, `late${index}`));
    }
    const texts = ["a", ...order.flatMap((__, index) => [`n${index}`, `late${index}`])];
    expect(chatsIn(path)).toEqual({ [NEW]: { texts } });
  });

  test("is remembered over a restart, and app.transaction takes either id", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const first = make(path);
    await first.bot.handleUpdate(text(OLD, "a"));
    await first.bot.handleUpdate(announcements.inOldChat());
    await first.app.shutdown();
    const { bot, app } = make(path);
    await bot.handleUpdate(text(OLD, "late"));
    await app.transaction({ chats: [OLD, NEW] }, (tx) => {
      tx.chatData(OLD).texts.push("transaction");
      expect(tx.chatData(NEW).texts).toEqual(["a", "late", "transaction"]);
    });
    expect(chatsIn(path)).toEqual({ [NEW]: { texts: ["a", "late", "transaction"] } });
  });

  test("whose new chat has talked before: the group's data stands, and a warning tells what was dropped", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const { bot, warnings } = make(path);
    await bot.handleUpdate(text(OLD, "a"));
    await bot.handleUpdate(text(NEW, "early"));
    await bot.handleUpdate(announcements.inNewChat());
    expect(chatsIn(path)).toEqual({ [NEW]: { texts: ["a"] } });
    expect(warnings).toEqual([expect.stringContaining('{"texts":["early"]}')]);
  });

  test("... or onMigrate merges", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const { bot, warnings } = make(path, {
      onMigrate: (old, fresh) => ({ texts: [...old.texts, ...fresh.texts] }),
    });
    await bot.handleUpdate(text(OLD, "a"));
    await bot.handleUpdate(text(NEW, "early"));
    await bot.handleUpdate(announcements.inOldChat());
    await bot.handleUpdate(announcements.inNewChat());
    expect(chatsIn(path)).toEqual({ [NEW]: { texts: ["a", "early"] } });
    expect(warnings).toEqual([]);
  });

  test("whose onMigrate throws, is asynchronous, or returns nothing: the error is heard, and the group's data stands", async () => {
    const wrong = [
      () => {
        throw new Error("cannot merge");
      },
      async () => ({ texts: [] }),
      (old: Kept["chat"], fresh: Kept["chat"]) => void old.texts.push(...fresh.texts),
    ];
    for (const onMigrate of wrong) {
      const path = join(temporaryFolder(), "bot.sqlite");
      const { app, bot, warnings } = make(path, { onMigrate: onMigrate as never });
      const heard: unknown[] = [];
      app.onError((error) => void heard.push(error));
      await bot.handleUpdate(text(OLD, "a"));
      await bot.handleUpdate(text(NEW, "early"));
      await bot.handleUpdate(announcements.inOldChat());
      expect(chatsIn(path)).toEqual({ [NEW]: { texts: ["a"] } });
      expect(heard).toHaveLength(1);
      expect(warnings).toHaveLength(1);
      await bot.handleUpdate(text(NEW, "b"));
      expect(chatsIn(path)).toEqual({ [NEW]: { texts: ["a", "b"] } });
    }
  });

  test("updates of the old chat that wait for their turn go to the new one, in order", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const { bot, gate } = make(path);
    const runs = [
      bot.handleUpdate(text(OLD, "slow")),
      bot.handleUpdate(announcements.inOldChat()),
      bot.handleUpdate(text(OLD, "waiting 1")),
      bot.handleUpdate(text(OLD, "waiting 2")),
      bot.handleUpdate(text(NEW, "new")),
    ];
    gate.resolve();
    await Promise.all(runs);
    const { texts } = chatsIn(path)[String(NEW)] as { texts: string[] };
    expect(texts.filter((each) => each !== "new")).toEqual(["slow", "waiting 1", "waiting 2"]);
    expect(texts).toHaveLength(4);
    expect(chatsIn(path)[String(OLD)]).toBeUndefined();
  });

  test("takes its data along although the handler of the announcement throws", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const { bot } = make(path);
    bot.on("message:migrate_to_chat_id", () => {
      throw new Error("on purpose");
    });
    await bot.handleUpdate(text(OLD, "a"));
    await expect(bot.handleUpdate(announcements.inOldChat())).rejects.toMatchObject({
      error: { message: "on purpose" },
    });
    expect(chatsIn(path)).toEqual({ [NEW]: { texts: ["a"] } });
  });

  test("as Telegram announces it", async () => {
    const emulator = await TelegramEmulator.start();
    onTestFinished(() => emulator.stop());
    const { token } = await emulator.createBot({ username: "test_bot" });
    const ann = await emulator.createUser({ firstName: "Ann", bot: token });
    for (const announce of ["oldFirst", "newFirst"] as const) {
      const group = await emulator.createGroup({ title: "Club", bot: token, members: [ann] });
      const path = join(temporaryFolder(), "bot.sqlite");
      const { app } = make(path, {}, { apiRoot: emulator.url, token });
      const running = app.run();
      await ann.send("a", { chat: group });
      const supergroup = await group.migrate({ announce });
      await ann.send("b", { chat: supergroup });
      await ann.send("done", { chat: supergroup });
      await supergroup.nextReply();
      await app.stop();
      await running;
      expect(chatsIn(path)).toEqual({ [supergroup.id]: { texts: ["a", "b"] } });
    }
  });
});

describe("a group whose new chat has moved on already", () => {
  const NEWEST = -1_009_876_543_210;

  test("takes its data along to the newest chat, where the handler of the announcement has it", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const { bot, app } = make(path);
    bot.on("message:migrate_to_chat_id", (ctx) => void ctx.chatData.texts.push("announced"));
    await bot.handleUpdate(text(OLD, "a"));
    await app.migrateChatData({ from: NEW, to: NEWEST });
    await bot.handleUpdate(announcements.inOldChat());
    expect(chatsIn(path)).toEqual({ [NEWEST]: { texts: ["a", "announced"] } });
  });

  test("takes along the updates that wait in the old chat", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const { bot, app } = make(path);
    await bot.handleUpdate(text(OLD, "a"));
    await app.migrateChatData({ from: NEW, to: NEWEST });
    const moving = bot.handleUpdate(announcements.inOldChat());
    const waiting = bot.handleUpdate(text(OLD, "b", 8));
    expect(await isSettled(Promise.all([moving, waiting]))).toBe(true);
    expect(chatsIn(path)).toEqual({ [NEWEST]: { texts: ["a", "b"] } });
  });

  test("waits for the turn of the newest chat, whose data is not overwritten", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const { bot, app, gate } = make(path, {
      onMigrate: (old, fresh) => ({ texts: [...fresh.texts, ...old.texts] }),
    });
    await bot.handleUpdate(text(OLD, "a"));
    await app.migrateChatData({ from: NEW, to: NEWEST });
    const slow = bot.handleUpdate(text(NEWEST, "slow", 9));
    await settled();
    const moving = bot.handleUpdate(announcements.inOldChat());
    await settled();
    gate.resolve();
    await Promise.all([slow, moving]);
    expect(chatsIn(path)).toEqual({ [NEWEST]: { texts: ["slow", "a"] } });
  });

  test("to where it was: its data stays", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const { bot, app } = make(path);
    await bot.handleUpdate(text(OLD, "a"));
    await app.migrateChatData({ from: NEW, to: OLD });
    await bot.handleUpdate(announcements.inOldChat());
    expect(chatsIn(path)).toEqual({ [OLD]: { texts: ["a"] } });
  });
});
