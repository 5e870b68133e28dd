// A bot to be killed: `counting-bot.ts run|start TOKEN API_ROOT FILE`. It notes every text in its chat, in order, and
// counts it for its user and for the bot. "/done" is answered.
import { Bot, type Context } from "grammy";
import { Application, SqlitePersistence, type PersistentContext } from "../../src/index.ts";

interface Kept {
  bot: { n: number };
  chat: { texts: string[] };
  user: { n: number };
}

const [way, token = "", apiRoot = "", path = ""] = process.argv.slice(2);
const bot = new Bot<PersistentContext<Context, Kept>>(token, { client: { apiRoot } });
const app = new Application(bot, {
  persistence: new SqlitePersistence({ path }),
  initial: { bot: () => ({ n: 0 }), chat: () => ({ texts: [] }), user: () => ({ n: 0 }) },
});

bot.command("done", (ctx) => ctx.reply("done"));
bot.on("message:text", async (ctx) => {
  ctx.chatData.texts.push(ctx.msg.text);
  await ctx.replyWithChatAction("typing");
  ctx.userData.n += 1;
  await ctx.updateBotData((data) => (data.n += 1));
});

if (way === "run") {
  await app.run();
} else {
  process.once("SIGTERM", () => void bot.stop());
  await bot.start();
  await app.shutdown();
}
