// python-telegram-bot's conversationbot2: a conversation that goes in circles.
import { Bot, Keyboard, type Context } from "grammy";
import { Application, command, END, hears, on, SqlitePersistence, type PersistentContext } from "perdure";

interface Kept {
  user: { choice?: string; facts: Record<string, string> };
}
type MyContext = PersistentContext<Context, Kept>;

const {
  BOT_TOKEN = "",
  BOT_FILE = "conversation-bot-2.sqlite",
  BOT_API_ROOT = "https://api.telegram.org",
} = process.env;

const bot = new Bot<MyContext>(BOT_TOKEN, { client: { apiRoot: BOT_API_ROOT } });
const app = new Application(bot, {
  persistence: new SqlitePersistence({ path: BOT_FILE }),
  initial: { user: () => ({ facts: {} }) },
});

const keyboard = new Keyboard()
  .text("Age")
  .text("Favourite colour")
  .row()
  .text("Something else...")
  .text("Done")
  .oneTime();

function told({ userData }: MyContext): string {
  return Object.entries(userData.facts)
    .map(([topic, fact]) => `${topic} - ${fact}`)
    .join("\n");
}

const facts = app.conversation({
  name: "facts",
  persistent: true,
  entryPoints: [
    command("start", async (ctx) => {
      await ctx.reply("Hi! My name is Doctor Botter. Why don't you tell me something about yourself?", {
        reply_markup: keyboard,
      });
      return "CHOOSING";
    }),
  ],
  states: {
    CHOOSING: [
      hears(/^(Age|Favourite colour)$/, async (ctx) => {
        ctx.userData.choice = String(ctx.match[0]);
        await ctx.reply(`Your ${ctx.userData.choice.toLowerCase()}? Yes, I would love to hear about that!`);
        return "TYPING_REPLY";
      }),
      hears("Something else...", async (ctx) => {
        await ctx.reply('Alright, please send me the category first, for example "Most impressive skill"');
        return "TYPING_CHOICE";
      }),
    ],
    TYPING_CHOICE: [
      on("message:text", async (ctx) => {
        ctx.userData.choice = ctx.msg.text;
        await ctx.reply(`Your ${ctx.msg.text.toLowerCase()}? Yes, I would love to hear about that!`);
        return "TYPING_REPLY";
      }),
    ],
    TYPING_REPLY: [
      on("message:text", async (ctx) => {
        const { choice = "" } = ctx.userData;
        ctx.userData.facts[choice] = ctx.msg.text;
        delete ctx.userData.choice;
        await ctx.reply(`Neat! Just so you know, this is what you already told me:\n${told(ctx)}`, {
          reply_markup: keyboard,
        });
        return "CHOOSING";
      }),
    ],
  },
  fallbacks: [
    hears("Done", async (ctx) => {
      await ctx.reply(`I learned these facts about you:\n${told(ctx)}\nUntil next time!`, {
        reply_markup: { remove_keyboard: true },
      });
      ctx.userData.facts = {};
      return END;
    }),
  ],
});

bot.use(facts);
await app.run();
