import { conversations, createConversation, type Conversation, type ConversationFlavor } from "@grammyjs/conversations";
import { apiThrottler } from "@grammyjs/transformer-throttler";
import type { Message } from "@grammyjs/types";
import { Bot, InlineKeyboard, type Context } from "grammy";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  Application,
  DictPersistence,
  InvalidCallbackData,
  SqlitePersistence,
  dataButton,
  type BasePersistence,
  type PersistentContext,
} from "../src/index.ts";
import { Child } from "./support/child.ts";
import { query } from "./support/read-file.ts";
import { setUp } from "./support/setting.ts";
import { silentLogger } from "./support/silent-logger.ts";

const EXAMPLE = new URL("../examples/arbitrary-callback-data.ts", import.meta.url).pathname;

type MyContext = PersistentContext<Context, { chat: { log: unknown[] } }>;

function running<C extends MyContext>(bot: Bot<C>, persistence: BasePersistence, options: object = {}): Application<C> {
  const app = new Application(bot, {
    persistence,
    initial: { chat: () => ({ log: [] }) },
    logger: silentLogger,
    ...options,
  } as never) as Application<C>;
  onTestFinished(() => app.shutdown());
  return app;
}

/** Resolves when a message's keyboard is committed: it is sent before. */
function committed(path: string, { reply_markup: markup }: Message): Promise<void> {
  const [button] = markup?.inline_keyboard.flat() ?? [];
  const id = String((button as { callback_data?: string }).callback_data).slice(0, 32);
  return vi.waitFor(() => expect(query(path, "select id from keyboard")).toEqual([{ id }]), 5000);
}

test("the example: buttons with objects survive a kill, and stale ones are answered", async () => {
  const { emulator, token, ann, path } = await setUp();
  const NODE_OPTIONS = `--import=${new URL("support/perdure-from-source.ts", import.meta.url).href}`;
  const env = { ...process.env, NODE_OPTIONS, BOT_TOKEN: token, BOT_FILE: path, BOT_API_ROOT: emulator.url };
  const start = (): Child => new Child(EXAMPLE, [], { env });
  let bot = start();
  await ann.send("/start");
  const message = await ann.nextReply();
  expect(message.text).toBe("Please choose:");
  await committed(path, message);
  await bot.kill();
  bot = start();
  await ann.press(message, "3");
  const chosen = await ann.nextEdit();
  expect(chosen.text).toBe("So far you've selected 3. Choose the next item:");
  await committed(path, chosen);
  await bot.kill();
  bot = start();
  await ann.press(chosen, "5");
  const next = await ann.nextEdit();
  expect(next.text).toBe("So far you've selected 3, 5. Choose the next item:");
  await ann.send("/clear");
  expect(await ann.nextReply()).toMatchObject({ text: "All clear!" });
  const press = await ann.press(next, "1");
  expect(await press.answer()).toBeDefined();
  expect((await ann.nextEdit()).text).toContain("Sorry, I could not process this button click.");
  bot.process.kill("SIGTERM");
  expect(await bot.exited).toMatchObject({ code: 0 });
  expect(query(path, "select id from keyboard")).toEqual([]);
});

test("stopped before the commit: the replay sends another keyboard, which works, and the first one is answered", async () => {
  const { emulator, token, ann, path } = await setUp();
  const run = async (isFirst: boolean): Promise<void> => {
    const bot = new Bot<MyContext>(token, { client: { apiRoot: emulator.url } });
    const app = running(bot, new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }), { stopTimeout: 0 });
    bot.command("menu", async (ctx) => {
      await ctx.reply("Menu", { reply_markup: new InlineKeyboard().add(dataButton("Go", { id: 1 })) });
      if (!isFirst) return;
      void app.stop();
      // As in a kill, it is given up, and its update stays in the inbox.
      await new Promise(() => {});
    });
    bot.on("callback_query", async (ctx) => {
      if (ctx.callbackData instanceof InvalidCallbackData) return;
      await ctx.editMessageText(JSON.stringify(ctx.callbackData));
      void app.stop();
    });
    await app.run();
  };
  await ann.send("/menu");
  await run(true);
  const lost = await ann.nextReply();
  const running2 = run(false);
  const press = await ann.press(lost, "Go");
  expect(await press.answer()).toMatchObject({ text: "This button is no longer valid." });
  await ann.press(await ann.nextReply(), "Go");
  expect((await ann.nextEdit()).text).toBe('{"id":1}');
  await running2;
});

test("in @grammyjs/conversations: one record for each message, however often the conversation is replayed", async () => {
  type ConversationContext = ConversationFlavor<MyContext>;
  const { emulator, token, ann, path } = await setUp();
  const bot = new Bot<ConversationContext>(token, { client: { apiRoot: emulator.url } });
  const app = running(bot, new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }));
  bot.use(conversations({ storage: app.storageAdapter("conversations"), plugins: [app.dataButtons()] }));
  async function order(conversation: Conversation<ConversationContext>, ctx: Context): Promise<void> {
    const chosen: unknown[] = [];
    for (const question of ["Size?", "Milk?", "Sugar?"]) {
      const keyboard = new InlineKeyboard().add(dataButton("This", { question }), dataButton("That", 2));
      await ctx.reply(question, { reply_markup: keyboard });
      const press = await conversation.waitFor("callback_query:data");
      chosen.push(await conversation.external((outside) => outside.callbackData));
      await press.answerCallbackQuery();
    }
    await ctx.reply(JSON.stringify(chosen));
  }
  bot.use(createConversation(order));
  bot.command("order", (ctx) => ctx.conversation.enter("order"));
  const polling = bot.start();
  await ann.send("/order");
  await ann.press(await ann.nextReply(), "This");
  await ann.press(await ann.nextReply(), "That");
  await ann.press(await ann.nextReply(), "This");
  expect((await ann.nextReply()).text).toBe('[{"question":"Size?"},2,{"question":"Sugar?"}]');
  await bot.stop();
  await polling;
  await app.shutdown();
  expect(query(path, "select id from keyboard")).toHaveLength(3);
  expect(query(path, "select id from callback_query")).toHaveLength(3);
});

test("with apiThrottler, which calls later: each update's keyboards are its own", async () => {
  const { emulator, token, ann, path } = await setUp();
  const bot = new Bot<MyContext>(token, { client: { apiRoot: emulator.url } });
  const app = running(bot, new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }));
  bot.api.config.use(apiThrottler());
  const fixed = new InlineKeyboard().add(dataButton("Go", "fixed"));
  bot.command("fail", async (ctx) => {
    await ctx.reply("Menu", { reply_markup: fixed });
    throw new Error("no");
  });
  bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: fixed }));
  bot.catch(() => {});
  const polling = bot.start();
  const people = await Promise.all(["Bob", "Cem"].map((firstName) => emulator.createUser({ firstName, bot: token })));
  await Promise.all([ann.send("/fail"), ...people.map((person) => person.send("/menu"))]);
  await Promise.all([ann, ...people].map((person) => person.nextReply()));
  await bot.stop();
  await polling;
  await app.shutdown();
  expect(query(path, "select id from keyboard")).toHaveLength(2);
});

test("a plain class keeps them: in PTB's shape, over a restart; and with storeData off in memory only", async () => {
  const { emulator, token, ann } = await setUp();
  let json = "";
  const run = async (persistence: DictPersistence, use: () => Promise<void>): Promise<void> => {
    const bot = new Bot<MyContext>(token, { client: { apiRoot: emulator.url } });
    const app = running(bot, persistence);
    bot.command("menu", (ctx) =>
      ctx.reply("Menu", { reply_markup: new InlineKeyboard().add(dataButton("Go", { id: 1 })) }),
    );
    bot.on("callback_query", (ctx) => ctx.answerCallbackQuery(JSON.stringify(ctx.callbackData)));
    const polling = app.run();
    await use();
    await app.stop();
    await polling;
    json = persistence.callbackDataJson;
  };
  const press = async (message: Message): Promise<unknown> => (await (await ann.press(message, "Go")).answer())?.text;
  let menu: Message | undefined;
  const sendMenu = async (): Promise<void> => {
    await ann.send("/menu");
    menu = await ann.nextReply();
    expect(await press(menu)).toBe('{"id":1}');
  };
  await run(new DictPersistence(), sendMenu);
  const [[[id, time, buttons]]] = JSON.parse(json) as [[[string, number, object]], object];
  expect([id.length, Math.abs(time - Date.now() / 1000) < 60, Object.values(buttons)]).toEqual([32, true, [{ id: 1 }]]);
  await run(new DictPersistence({ callbackDataJson: json }), async () => {
    expect(await press(menu as Message)).toBe('{"id":1}');
  });
  await run(new DictPersistence({ storeData: { callbackData: false } }), sendMenu);
  expect(json).toBe("null");
});
