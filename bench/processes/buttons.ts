// Measures a bot that answers a command with a keyboard, and presses of it: with data buttons, or with plain ones.
import { join } from "node:path";
import { Bot, InlineKeyboard, type Context } from "grammy";
import { Application, dataButton, SqlitePersistence, type PersistentContext } from "../../src/index.ts";
import { answer } from "./answer.ts";
import type { ButtonsFigures, ButtonsJob } from "./job.ts";
import { WrittenCount } from "./written-count.ts";

const ME = { id: 1, is_bot: true, first_name: "bot", username: "bench_bot" };
const CHATS = 100;

/** A Telegram that takes every message, and remembers the data of its buttons. */
class Messages {
  readonly data: string[] = [];
  readonly fetch = async (_url: string, { body }: { body: string }): Promise<{ json(): unknown }> => {
    const { chat_id: id, reply_markup: markup } = JSON.parse(body) as {
      chat_id: number;
      reply_markup: { inline_keyboard: { callback_data: string }[][] };
    };
    this.data.push(markup.inline_keyboard[0]?.[0]?.callback_data ?? "");
    return { json: () => ({ ok: true, result: { message_id: this.data.length, date: 0, chat: { id } } }) };
  };
}

await answer(async ({ contender, folder, kept, updates }: ButtonsJob): Promise<ButtonsFigures> => {
  const count = new WrittenCount();
  const messages = new Messages();
  const bot = new Bot<PersistentContext<Context, { chat: { pressed: number } }>>("1:x", {
    botInfo: ME as never,
    client: { fetch: messages.fetch as never },
  });
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path: join(folder, "bot.sqlite") }),
    initial: { chat: () => ({ pressed: 0 }) },
  });
  const keyboardOf = (n: number): InlineKeyboard => {
    const button = (text: string): ReturnType<typeof dataButton> =>
      contender === "data buttons"
        ? dataButton(text, { item: text, id: n, sizes: ["S", "M", "L"] })
        : InlineKeyboard.text(text, `${text}:${n}`);
    return new InlineKeyboard().add(button("tea"), button("coffee"));
  };
  bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf(ctx.update.update_id) }));
  bot.on("callback_query:data", (ctx) => {
    ctx.chatData.pressed += ctx.callbackQuery.data === "" || ctx.callbackData === null ? 0 : 1;
  });
  let id = 0;
  const from = { id: 7, is_bot: false, first_name: "Ann" };
  const chat = (): object => ({ id: -1 - (id % CHATS), type: "group", title: "" });
  const menu = (): Promise<void> => {
    const entities = [{ type: "bot_command", offset: 0, length: 5 }];
    const message = { message_id: ++id, date: 0, text: "/menu", entities, from: { ...from, id }, chat: chat() };
    return bot.handleUpdate({ update_id: id, message } as never);
  };
  const press = (data: string): Promise<void> => {
    const query = {
      id: String(++id),
      from,
      chat_instance: "1",
      data,
      message: { message_id: 1, date: 0, chat: chat() },
    };
    return bot.handleUpdate({ update_id: id, callback_query: query } as never);
  };
  await app.initialize();
  while (id < kept) await Promise.all(Array.from({ length: Math.min(50, kept - id) }, menu));
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  const sample = Array.from({ length: updates }, (_, n) => messages.data[(n * 7919) % messages.data.length] ?? "plain");
  for (const data of sample.slice(0, 200)) await press(data);
  const begin = performance.now();
  for (const data of sample) await press(data);
  const time = ((performance.now() - begin) * 1000) / updates;
  count.begin();
  for (let n = 0; n < updates; n += 1) await menu();
  const written = count.perUpdate(updates);
  await app.shutdown();
  return { time, heap: heapUsed / 2 ** 20, written };
});
