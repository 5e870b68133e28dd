import { Bot, InlineKeyboard } from "grammy";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TelegramEmulator, type EmulatedUser } from "../index.ts";

let emulator: TelegramEmulator;
let token: string;
let ann: EmulatedUser;

beforeEach(async () => {
  emulator = await TelegramEmulator.start();
  ({ token } = await emulator.createBot({ username: "memory_bot" }));
  ann = await emulator.createUser({ firstName: "Ann", bot: token });
});
afterEach(() => emulator.stop());

function createBot(): Bot {
  return new Bot(token, { client: { apiRoot: emulator.url } });
}

test("bot.start() answers /start", async () => {
  const bot = createBot();
  bot.command("start", (ctx) => ctx.reply(`Hello, ${ctx.from?.first_name}`));
  const running = bot.start();
  await ann.send("/start");
  expect(await ann.nextReply()).toMatchObject({ text: "Hello, Ann" });
  await emulator.untilConfirmed(token);
  await bot.stop();
  await running;
});

test("buttons: press, answer, edit", async () => {
  const bot = createBot();
  bot.command("vote", (ctx) => ctx.reply("Well?", { reply_markup: new InlineKeyboard().text("Yes", "vote:yes") }));
  bot.callbackQuery(/^vote:(.*)$/, async (ctx) => {
    await ctx.answerCallbackQuery("Thank you");
    await ctx.editMessageText(`You said ${ctx.match[1]}`);
  });
  const running = bot.start();
  await ann.send("/vote");
  const press = await ann.press(await ann.nextReply(), "Yes");
  expect(await press.answer()).toMatchObject({ text: "Thank you" });
  expect(await ann.nextEdit()).toMatchObject({ text: "You said yes" });
  await bot.stop();
  await running;
});

test("an update that a bot fetched and did not confirm comes to the next bot", async () => {
  await ann.send("important");
  expect(await createBot().api.getUpdates()).toHaveLength(1);
  const bot = createBot();
  bot.on("message:text", (ctx) => ctx.reply(`got ${ctx.msg.text}`));
  const running = bot.start();
  expect(await ann.nextReply()).toMatchObject({ text: "got important" });
  await emulator.untilConfirmed(token);
  expect([...(await emulator.deliveries(token)).values()]).toEqual([2]);
  await bot.stop();
  await running;
});

test("an idle bot asks once per timeout", async () => {
  const bot = createBot();
  const running = bot.start({ timeout: 1 });
  await emulator.untilPolling(token);
  await ann.send("x");
  await emulator.untilConfirmed(token);
  await bot.stop();
  await running;
  expect((await emulator.transcript({ method: "getUpdates" })).length).toBeLessThan(5);
});

test("two bots with one token: the first one hears of the conflict", async () => {
  const first = createBot().start();
  first.catch(() => {});
  await emulator.untilPolling(token);
  const second = createBot();
  const running = second.start();
  await expect(first).rejects.toMatchObject({ error_code: 409 });
  await second.stop();
  await running;
});

test("ten thousand updates are no load", async () => {
  const bot = createBot();
  const texts: string[] = [];
  bot.on("message:text", (ctx) => void texts.push(ctx.msg.text));
  for (let count = 0; count < 10_000; count += 1) await ann.send(String(count));
  const running = bot.start();
  await emulator.untilConfirmed(token, { timeout: 20_000 });
  expect(texts).toEqual(Array.from({ length: 10_000 }, (_, count) => String(count)));
  await bot.stop();
  await running;
});
