// A timer that survives a restart: /set 30 rings in half a minute, /unset stops it. With BOT_TOKEN set it runs on Telegram.
import { Bot, type Context } from "grammy";
import { Application, SqlitePersistence, type PersistentContext } from "perdure";

const { BOT_TOKEN = "", BOT_FILE = "timer.sqlite", BOT_API_ROOT = "https://api.telegram.org" } = process.env;

const bot = new Bot<PersistentContext<Context, { chat: { rung?: number } }>>(BOT_TOKEN, {
  client: { apiRoot: BOT_API_ROOT },
});
const app = new Application(bot, { persistence: new SqlitePersistence({ path: BOT_FILE }) });

const alarm = app.jobQueue.define<{ seconds: number }>("alarm", async (ctx) => {
  ctx.chatData.rung = (ctx.chatData.rung ?? 0) + 1;
  await ctx.api.sendMessage(Number(ctx.job.chatId), `Beep! ${ctx.job.data.seconds} seconds are over!`);
});

/** One timer for each chat: its id names it. */
const timerOf = (chat: { id: number }): string => `timer of ${chat.id}`;

bot.command(["start", "help"], (ctx) => ctx.reply("Hi! Use /set <seconds> to set a timer"));

bot.command("set", async (ctx) => {
  const seconds = Number(ctx.match);
  if (ctx.match === "" || !Number.isFinite(seconds)) return ctx.reply("Usage: /set <seconds>");
  if (seconds < 0) return ctx.reply("Sorry we can not go back to future!");
  const old = await ctx.jobQueue.getJob(timerOf(ctx.chat));
  await ctx.jobQueue.runOnce(alarm, `${seconds}s`, { id: timerOf(ctx.chat), chatId: ctx.chat.id, data: { seconds } });
  return ctx.reply(`Timer successfully set!${old === undefined ? "" : " Old one was removed."}`);
});

bot.command("unset", async (ctx) => {
  const timer = await ctx.jobQueue.getJob(timerOf(ctx.chat));
  await timer?.scheduleRemoval();
  return ctx.reply(timer === undefined ? "You have no active timer." : "Timer successfully cancelled!");
});

await app.run();
