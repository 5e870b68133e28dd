// The bot of `crash-bot.ts` with grammY's own means: session() with its file storage, as its documentation has it. It keeps
// nothing for the bot as a whole, since sessions that all chats share are no safe use of it.
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { run, sequentialize } from "@grammyjs/runner";
import { FileAdapter } from "@grammyjs/storage-file";
import { Bot, session, type Context, type SessionFlavor } from "grammy";
import type { CrashPlan } from "./crash-plan.ts";
import { DeadlyPlaces } from "./deadly-places.ts";

interface Session {
  chat: { texts: string[] };
  user: { n: number };
}

flushCompileCache();
const plan = JSON.parse(process.env["CRASH_PLAN"] ?? "{}") as CrashPlan;
const places = new DeadlyPlaces(plan);

/** The storage, with places to die at. */
class CrashingStorage<T> extends FileAdapter<T> {
  readonly #folder: string;

  constructor(folder: string) {
    super({ dirName: folder });
    this.#folder = folder;
  }

  override async write(key: string, value: T): Promise<void> {
    places.pass("before a commit");
    const path = join(this.#folder, key.slice(-2), `${key}.json`);
    await places.within("during a commit", () => super.write(key, value), path);
    places.pass("after a commit");
  }
}

const chatKey = (ctx: Context): string | undefined => ctx.chatId?.toString();
const userKey = (ctx: Context): string | undefined => ctx.from?.id.toString();

const bot = new Bot<Context & SessionFlavor<Session>>(plan.token, { client: { apiRoot: plan.apiRoot } });
if (plan.mode === "runner") bot.use(sequentialize((ctx) => [`chat ${chatKey(ctx)}`, `user ${userKey(ctx)}`]));
// Answered also when a session cannot be read.
bot.command("done", (ctx) => ctx.reply("done"));
bot.use(
  session({
    type: "multi",
    chat: {
      initial: () => ({ texts: [] }),
      getSessionKey: chatKey,
      storage: new CrashingStorage(join(plan.file, "chat")),
    },
    user: { initial: () => ({ n: 0 }), getSessionKey: userKey, storage: new CrashingStorage(join(plan.file, "user")) },
  }),
);
bot.on("message:text", async (ctx) => {
  ctx.session.chat.texts.push(ctx.msg.text);
  places.pass("in a handler");
  if (ctx.update.update_id % 4 === 0) await ctx.replyWithChatAction("typing");
  ctx.session.user.n += 1;
});
bot.catch(() => {});

if (plan.mode === "runner") {
  const runner = run(bot, { runner: { silent: true } });
  process.once("SIGTERM", () => void runner.stop());
} else {
  process.once("SIGTERM", () => void bot.stop());
  await bot.start();
}
