// A bot that remembers what it is told. `npm start` shows it; with BOT_TOKEN set it runs on Telegram.
import { Bot, type Context } from "grammy";
import { Application, SqlitePersistence, type PersistentContext } from "perdure";

interface Kept {
  bot: { notes: number };
  chat: { notes: string[] };
  user: { notes: number };
}

const { BOT_TOKEN = "", BOT_FILE = "notes-bot.sqlite", BOT_API_ROOT = "https://api.telegram.org" } = process.env;

const bot = new Bot<PersistentContext<Context, Kept>>(BOT_TOKEN, { client: { apiRoot: BOT_API_ROOT } });
const app = new Application(bot, {
  persistence: new SqlitePersistence({ path: BOT_FILE }),
  initial: { bot: () => ({ notes: 0 }), chat: () => ({ notes: [] }), user: () => ({ notes: 0 }) },
});

bot.command("start", (ctx) => ctx.reply("Tell me something, and I will note it. /notes shows all notes of this chat."));
bot.command("notes", (ctx) => ctx.reply(ctx.chatData.notes.join(", ") || "There are no notes yet."));

bot.on("message:text", async (ctx) => {
  ctx.chatData.notes.push(ctx.msg.text);
  ctx.userData.notes += 1;
  await ctx.reply(`Note ${ctx.chatData.notes.length} of this chat, ${ctx.userData.notes} of yours.`);
  await ctx.updateBotData((data) => (data.notes += 1));
});

await app.run();
