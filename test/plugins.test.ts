import { join } from "node:path";
import { autoRetry } from "@grammyjs/auto-retry";
import { hydrate } from "@grammyjs/hydrate";
import { Menu } from "@grammyjs/menu";
import { apiThrottler } from "@grammyjs/transformer-throttler";
import { Bot, type Context } from "grammy";
import { expect, onTestFinished, test } from "vitest";
import { Application, SqlitePersistence, type PersistentContext } from "../src/index.ts";
import { TelegramEmulator } from "../src/testing/index.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

type MyContext = PersistentContext<Context, { chat: { votes: number }; user: { name: string } }>;

/** HydrateFlavor does not compile under `exactOptionalPropertyTypes`. */
interface Hydrated {
  editText(text: string): Promise<unknown>;
}

test("autoRetry, apiThrottler, hydrate and menu work in the chain, each update with its own data", async () => {
  const emulator = await TelegramEmulator.start();
  onTestFinished(() => emulator.stop());
  const { token } = await emulator.createBot({ username: "test_bot" });
  const bot = new Bot<MyContext>(token, { client: { apiRoot: emulator.url } });
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path: join(temporaryFolder(), "bot.sqlite"), durability: "os" }),
    initial: { chat: () => ({ votes: 0 }), user: () => ({ name: "" }) },
  });
  bot.api.config.use(autoRetry());
  bot.api.config.use(apiThrottler());
  bot.use(hydrate() as never);
  const menu = new Menu<MyContext>("vote")
    .dynamic((ctx, range) => {
      range.text(`Votes: ${ctx.chatData.votes}`, async (pressed) => {
        pressed.chatData.votes += 1;
        pressed.menu.update();
      });
    })
    .row();
  bot.use(menu);
  bot.command("menu", (ctx) => ctx.reply("Vote!", { reply_markup: menu }));
  bot.on("message:text", async (ctx) => {
    ctx.userData.name = ctx.msg.text;
    const sent = (await ctx.reply("wait")) as unknown as Hydrated;
    await sent.editText(`${ctx.userData.name} in chat ${ctx.chat.id}`);
  });
  const running = app.run();
  // What autoRetry is for: the first call of each kind is refused for a moment.
  await emulator.fault({ method: "sendMessage", kind: "error", code: 429, retryAfter: 0 });

  const users = await Promise.all(
    ["Ann", "Bob", "Cem"].map((firstName) => emulator.createUser({ firstName, bot: token })),
  );
  await Promise.all(users.map((user) => user.send(user.user.first_name)));
  for (const user of users) expect((await user.nextEdit()).text).toBe(`${user.user.first_name} in chat ${user.id}`);

  const [ann, bob] = users;
  if (ann === undefined || bob === undefined) throw new Error("no users");
  for (const user of [ann, bob]) {
    await user.nextReply();
    await user.send("/menu");
  }
  const keyboards = await Promise.all([ann.nextReply(), bob.nextReply()]);
  await ann.press(keyboards[0], "Votes: 0");
  await ann.press(await ann.nextEdit(), "Votes: 1");
  expect(JSON.stringify((await ann.nextEdit()).reply_markup)).toContain("Votes: 2");
  await bob.press(keyboards[1], "Votes: 0");
  expect(JSON.stringify((await bob.nextEdit()).reply_markup)).toContain("Votes: 1");
  await app.stop();
  await running;
});
