// python-telegram-bot's nestedconversationbot: a family is told of, member by member, each in conversations of its own.
import { Bot, InlineKeyboard, type Context } from "grammy";
import { Application, callbackQuery, command, END, on, SqlitePersistence, type PersistentContext } from "perdure";

interface Person {
  role: string;
  name?: string;
  age?: string;
}
interface Kept {
  user: { family: Person[]; draft?: Person; feature?: "name" | "age" };
}
type MyContext = PersistentContext<Context, Kept>;

const { BOT_TOKEN = "", BOT_FILE = "nested-conversation-bot.sqlite" } = process.env;
const { BOT_API_ROOT = "https://api.telegram.org" } = process.env;

const bot = new Bot<MyContext>(BOT_TOKEN, { client: { apiRoot: BOT_API_ROOT } });
const app = new Application(bot, {
  persistence: new SqlitePersistence({ path: BOT_FILE }),
  initial: { user: () => ({ family: [] }) },
});

const stop = command("stop", async (ctx: MyContext) => {
  await ctx.reply("Okay, bye.");
  return "STOPPING";
});

/** What is asked at the first level. */
async function askAction(ctx: MyContext): Promise<"ACTION"> {
  const keyboard = new InlineKeyboard().text("Add parent", "parent").text("Add child", "child").row();
  keyboard.text("Show data", "show").text("Done", "end");
  await ctx.reply("You may choose to add a family member, show the gathered data, or end the conversation.", {
    reply_markup: keyboard,
  });
  return "ACTION";
}

/** What is asked at the third level, about one person. */
async function askFeature(ctx: MyContext): Promise<"FEATURE"> {
  const keyboard = new InlineKeyboard().text("Name", "name").text("Age", "age").text("Done", "done");
  await ctx.reply("Please select a feature to update.", { reply_markup: keyboard });
  return "FEATURE";
}

function told({ userData }: MyContext): string {
  const lines = userData.family.map(({ role, name = "-", age = "-" }) => `${role}: ${name}, ${age}`);
  return lines.join("\n") || "No information yet.";
}

/** The third level: name and age of one person. */
const description = app.conversation({
  name: "description",
  persistent: true,
  entryPoints: [
    callbackQuery(["mother", "father", "son", "daughter"], async (ctx) => {
      await ctx.answerCallbackQuery();
      ctx.userData.draft = { role: ctx.callbackQuery.data };
      return askFeature(ctx);
    }),
  ],
  states: {
    FEATURE: [
      callbackQuery(["name", "age"], async (ctx) => {
        await ctx.answerCallbackQuery();
        ctx.userData.feature = ctx.callbackQuery.data === "name" ? "name" : "age";
        await ctx.reply("Okay, tell me.");
        return "TYPING";
      }),
    ],
    TYPING: [
      on("message:text", async (ctx) => {
        const { draft, feature = "name" } = ctx.userData;
        if (draft !== undefined) draft[feature] = ctx.msg.text;
        return askFeature(ctx);
      }),
    ],
  },
  fallbacks: [
    callbackQuery("done", async (ctx) => {
      await ctx.answerCallbackQuery();
      const { draft } = ctx.userData;
      if (draft !== undefined) ctx.userData.family.push(draft);
      delete ctx.userData.draft;
      await askAction(ctx);
      return END;
    }),
    stop,
  ],
  mapToParent: { [END]: "DONE", STOPPING: "STOPPING" },
});

/** The second level: which member of the family. */
const member = app.conversation({
  name: "member",
  persistent: true,
  entryPoints: [
    callbackQuery("parent", async (ctx) => {
      await ctx.answerCallbackQuery();
      const keyboard = new InlineKeyboard().text("Mother", "mother").text("Father", "father");
      await ctx.reply("Please choose whom to add.", { reply_markup: keyboard });
      return "WHOM";
    }),
    callbackQuery("child", async (ctx) => {
      await ctx.answerCallbackQuery();
      const keyboard = new InlineKeyboard().text("Son", "son").text("Daughter", "daughter");
      await ctx.reply("Please choose whom to add.", { reply_markup: keyboard });
      return "WHOM";
    }),
  ],
  states: { WHOM: [description] },
  fallbacks: [stop],
  mapToParent: { DONE: "ACTION", STOPPING: END },
});

/** The first level: what to do. */
const family = app.conversation({
  name: "family",
  persistent: true,
  entryPoints: [command("start", askAction)],
  states: {
    ACTION: [
      member,
      callbackQuery("show", async (ctx) => {
        await ctx.answerCallbackQuery();
        await ctx.reply(told(ctx));
        return askAction(ctx);
      }),
      callbackQuery("end", async (ctx) => {
        await ctx.answerCallbackQuery();
        await ctx.reply("See you around!");
        return END;
      }),
    ],
  },
  fallbacks: [
    command("stop", async (ctx) => {
      await ctx.reply("Okay, bye.");
      return END;
    }),
  ],
});

bot.use(family);
await app.run();
