// A bot with a message that ends the process: `poisonous-bot.ts TOKEN API_ROOT FILE`. It notes every other text in its chat.
import { Bot, type Context } from "grammy";
import { Application, SqlitePersistence, type PersistentContext } from "../../src/index.ts";

const [token = "", apiRoot = "", path = ""] = process.argv.slice(2);
const bot = new Bot<PersistentContext<Context, { chat: { texts: string[] } }>>(token, { client: { apiRoot } });
const app = new Application(bot, {
  persistence: new SqlitePersistence({ path }),
  initial: { chat: () => ({ texts: [] }) },
});

bot.hears("poison", (ctx) => {
  ctx.chatData.texts.push("poison");
  process.abort();
});
bot.command("failed", async (ctx) => {
  const failed = await app.failedUpdates();
  await ctx.reply(failed.map(({ update, attempts }) => `${update.message?.text} after ${attempts}`).join());
});
bot.on("message:text", async (ctx) => {
  ctx.chatData.texts.push(ctx.msg.text);
  await ctx.reply(ctx.chatData.texts.join(" "));
});

await app.run();
