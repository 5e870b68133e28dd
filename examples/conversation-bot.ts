// python-telegram-bot's conversationbot: a few questions one after the other. Killed at any moment, it goes on where it was.
import { Bot, Keyboard, type Context } from "grammy";
import { Application, command, END, hears, on, SqlitePersistence, type PersistentContext } from "perdure";

interface Kept {
  user: { gender?: string; photo?: string; location?: { latitude: number; longitude: number }; bio?: string };
}

const { BOT_TOKEN = "", BOT_FILE = "conversation-bot.sqlite", BOT_API_ROOT = "https://api.telegram.org" } = process.env;

const bot = new Bot<PersistentContext<Context, Kept>>(BOT_TOKEN, { client: { apiRoot: BOT_API_ROOT } });
const app = new Application(bot, { persistence: new SqlitePersistence({ path: BOT_FILE }) });

const interview = app.conversation({
  name: "interview",
  persistent: true,
  entryPoints: [
    command("start", async (ctx) => {
      const keyboard = new Keyboard().text("Boy").text("Girl").text("Other").oneTime();
      await ctx.reply("Hi! My name is Professor Bot. Send /cancel to stop talking to me. Are you a boy or a girl?", {
        reply_markup: keyboard,
      });
      return "GENDER";
    }),
  ],
  states: {
    GENDER: [
      hears(/^(Boy|Girl|Other)$/, async (ctx) => {
        ctx.userData.gender = String(ctx.match[0]);
        await ctx.reply("I see! Please send me a photo of yourself, or send /skip if you don't want to.", {
          reply_markup: { remove_keyboard: true },
        });
        return "PHOTO";
      }),
    ],
    PHOTO: [
      on("message:photo", async (ctx) => {
        const file = ctx.msg.photo.at(-1)?.file_id;
        if (file !== undefined) ctx.userData.photo = file;
        await ctx.reply("Gorgeous! Now, send me your location please, or send /skip.");
        return "LOCATION";
      }),
      command("skip", async (ctx) => {
        await ctx.reply("I bet you look great! Now, send me your location please, or send /skip.");
        return "LOCATION";
      }),
    ],
    LOCATION: [
      on("message:location", async (ctx) => {
        const { latitude, longitude } = ctx.msg.location;
        ctx.userData.location = { latitude, longitude };
        await ctx.reply("Maybe I can visit you sometime! At last, tell me something about yourself.");
        return "BIO";
      }),
      command("skip", async (ctx) => {
        await ctx.reply("You seem a bit paranoid! At last, tell me something about yourself.");
        return "BIO";
      }),
    ],
    BIO: [
      on("message:text", async (ctx) => {
        ctx.userData.bio = ctx.msg.text;
        await ctx.reply("Thank you! I hope we can talk again some day.");
        return END;
      }),
    ],
  },
  fallbacks: [
    command("cancel", async (ctx) => {
      await ctx.reply("Bye! I hope we can talk again some day.", { reply_markup: { remove_keyboard: true } });
      return END;
    }),
  ],
});

bot.use(interview);
await app.run();
