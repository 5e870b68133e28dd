// Buttons that carry objects, as in python-telegram-bot's example of the same name. They go on working when the bot is started again, and
// those whose values are gone are answered. With BOT_TOKEN set it runs on Telegram.
import { Bot, InlineKeyboard, type Context } from "grammy";
import {
  Application,
  SqlitePersistence,
  callbackData,
  dataButton,
  InvalidCallbackData,
  type PersistentContext,
} from "perdure";

interface Choice {
  number: number;
  /** What was chosen before. */
  numbers: number[];
}

const { BOT_TOKEN = "", BOT_FILE = "buttons.sqlite", BOT_API_ROOT = "https://api.telegram.org" } = process.env;

const bot = new Bot<PersistentContext<Context, object>>(BOT_TOKEN, { client: { apiRoot: BOT_API_ROOT } });
const app = new Application(bot, {
  persistence: new SqlitePersistence({ path: BOT_FILE }),
  callbackData: { maxKeyboards: 10_000, ttl: "30d" },
});

function buildKeyboard(numbers: number[]): InlineKeyboard {
  const choices = [1, 2, 3, 4, 5].map((number): Choice => ({ number, numbers }));
  return new InlineKeyboard().row(...choices.map((choice) => dataButton(String(choice.number), choice)));
}

const isChoice = (data: unknown): data is Choice => typeof data === "object" && data !== null && "numbers" in data;
const isInvalid = (data: unknown): data is InvalidCallbackData => data instanceof InvalidCallbackData;

bot.command("start", (ctx) => ctx.reply("Please choose:", { reply_markup: buildKeyboard([]) }));
bot.command("help", (ctx) =>
  ctx.reply("Use /start to test this bot, and /clear to see what happens when the data of a button is not there."),
);
bot.command("clear", async (ctx) => {
  await app.clearCallbackData();
  await ctx.reply("All clear!");
});

bot.use(
  callbackData(isChoice, async (ctx, { number, numbers }) => {
    const chosen = [...numbers, number];
    await ctx.answerCallbackQuery();
    // The new keyboard takes the place of the old one, whose values go with this update.
    await ctx.editMessageText(`So far you've selected ${chosen.join(", ")}. Choose the next item:`, {
      reply_markup: buildKeyboard(chosen),
    });
  }),
  callbackData(isInvalid, async (ctx) => {
    await ctx.answerCallbackQuery();
    await ctx.editMessageText(
      "Sorry, I could not process this button click. Please send /start to get a new keyboard.",
    );
  }),
);

await app.run();
