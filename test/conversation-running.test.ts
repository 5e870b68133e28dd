import { Bot, InlineKeyboard, type Context } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  Application,
  callbackData,
  dataButton,
  command,
  END,
  hears,
  on,
  SqlitePersistence,
  WAITING,
  type PersistentContext,
} from "../src/index.ts";
import { setUp, type Setting } from "./support/setting.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { WAYS_TO_RUN } from "./support/ways-to-run.ts";

type MyContext = PersistentContext<Context, { user: { answers: string[] } }>;

function make({ token, emulator, path }: Setting, options: { concurrency?: number; stopTimeout?: number } = {}) {
  const bot = new Bot<MyContext>(token, { client: { apiRoot: emulator.url } });
  bot.catch(() => {});
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path, durability: "os" }),
    initial: { user: () => ({ answers: [] }) },
    logger: silentLogger,
    ...options,
  });
  onTestFinished(() => app.shutdown());
  return { bot, app };
}

type Made = ReturnType<typeof make>;

/** Asks twice, and tells what it has heard. */
function questions({ app, bot }: Made): void {
  bot.use(
    app.conversation({
      name: "questions",
      persistent: true,
      entryPoints: [command("start", (ctx) => ctx.reply("First?").then(() => "FIRST" as const))],
      states: {
        FIRST: [
          on("message:text", async (ctx) => {
            ctx.userData.answers.push(`first ${ctx.msg.text}`);
            await ctx.reply("Second?");
            return "SECOND";
          }),
        ],
        SECOND: [
          on("message:text", async (ctx) => {
            ctx.userData.answers.push(`second ${ctx.msg.text}`);
            await ctx.reply(ctx.userData.answers.join(", "));
            return END;
          }),
        ],
      },
    }),
  );
}

describe.each(["app.run()", "run(bot) of the runner", "bot.start()", "webhookCallback(bot)"])("%s", (way) => {
  test("164: two answers at the same moment are both handled, in order", async () => {
    const setting = await setUp();
    const { ann } = setting;
    const made = make(setting);
    questions(made);
    const running = await WAYS_TO_RUN[way]?.(made);
    await ann.send("/start");
    expect((await ann.nextReply()).text).toBe("First?");
    await Promise.all([ann.send("red"), ann.send("blue")]);
    expect((await ann.nextReply()).text).toBe("Second?");
    expect((await ann.nextReply()).text).toMatch(/^first (red|blue), second (red|blue)$/);
    await running?.stop();
  });
});

test("a deploy that changes the handlers between two steps loses nothing", async () => {
  const setting = await setUp();
  const { ann } = setting;
  const old = make(setting);
  questions(old);
  const first = await WAYS_TO_RUN["app.run()"]?.(old);
  for (const [text, answer] of [
    ["/start", "First?"],
    ["red", "Second?"],
  ] as const) {
    await ann.send(text);
    expect((await ann.nextReply()).text).toBe(answer);
  }
  await first?.stop();
  await old.app.shutdown();

  const fresh = make(setting);
  fresh.bot.use(
    fresh.app.conversation({
      name: "questions",
      persistent: true,
      version: 1,
      migrate: (state) => (state === "SECOND" ? "COLOUR" : undefined),
      entryPoints: [command("begin", () => "COLOUR")],
      states: {
        COLOUR: [
          hears("blue", async (ctx) => {
            await ctx.api.getMe();
            ctx.userData.answers.push("blue");
            await ctx.reply(ctx.userData.answers.join(", "));
            return "SHADE";
          }),
        ],
        SHADE: [on("message:text", (ctx) => ctx.reply(`A ${ctx.msg.text} blue.`).then(() => END))],
      },
    }),
  );
  const second = await WAYS_TO_RUN["app.run()"]?.(fresh);
  for (const [text, answer] of [
    ["blue", "first red, blue"],
    ["dark", "A dark blue."],
  ] as const) {
    await ann.send(text);
    expect((await ann.nextReply()).text).toBe(answer);
  }
  await second?.stop();
});

test.each(["bot.start()", "app.run()"])(
  "%s goes on polling while a callback with block: false runs; its error goes to bot.catch",
  async (way) => {
    const setting = await setUp();
    const { ann } = setting;
    const made = make(setting, { concurrency: 1 });
    const gate = Promise.withResolvers<void>();
    const caught: unknown[] = [];
    made.bot.catch(({ error, ctx }) => void caught.push([error, ctx.msg?.text]));
    made.bot.use(
      made.app.conversation({
        name: "slow",
        persistent: true,
        entryPoints: [command("start", async () => gate.promise.then(() => "A" as const), { block: false })],
        states: { A: [], [WAITING]: [hears("well?", (ctx) => ctx.reply("A moment."))] },
      }),
    );
    made.bot.on("message", (ctx) => ctx.reply("Something else."));
    const running = await WAYS_TO_RUN[way]?.(made);
    await ann.send("/start");
    await ann.send("well?");
    expect((await ann.nextReply()).text).toBe("A moment.");
    await ann.send("hello");
    expect((await ann.nextReply()).text).toBe("Something else.");
    gate.reject(new Error("on purpose"));
    await expect.poll(() => caught).toEqual([[new Error("on purpose"), "/start"]]);
    await running?.stop();
  },
);

test("a callback with block: false that a stop cuts off runs again at the next start, from the state before it", async () => {
  const setting = await setUp();
  const { ann } = setting;
  const runs: unknown[] = [];
  const install = ({ app, bot }: Made, result: Promise<"B">): void => {
    const handler = app.conversation({
      name: "slow",
      persistent: true,
      entryPoints: [command("start", (ctx) => ctx.reply("Go on.").then(() => "A" as const))],
      states: {
        A: [
          hears(
            "slow",
            async (ctx) => {
              const parties = { chat: ctx.chat.id, user: ctx.from?.id };
              runs.push(await app.transaction({}, () => handler.stateOf(parties)));
              await ctx.reply("Working.");
              return result;
            },
            { block: false },
          ),
        ],
        B: [hears("done?", (ctx) => ctx.reply("Done.").then(() => END))],
      },
    });
    bot.use(handler);
  };
  const first = make(setting, { stopTimeout: 1 });
  install(first, new Promise(() => {}));
  const running = await WAYS_TO_RUN["app.run()"]?.(first);
  for (const [text, answer] of [
    ["/start", "Go on."],
    ["slow", "Working."],
  ] as const) {
    await ann.send(text);
    expect((await ann.nextReply()).text).toBe(answer);
  }
  await running?.stop();
  await first.app.shutdown();
  const second = make(setting);
  install(second, Promise.resolve("B"));
  const again = await WAYS_TO_RUN["app.run()"]?.(second);
  expect((await ann.nextReply()).text).toBe("Working.");
  await ann.send("done?");
  expect((await ann.nextReply()).text).toBe("Done.");
  expect(runs).toEqual(["A", "A"]);
  await again?.stop();
});

test("a data button is a step of a conversation, also from a callback with block: false, and carries a value", async () => {
  const setting = await setUp();
  const { ann } = setting;
  const made = make(setting);
  const isItem = (value: unknown): value is { item: string } => typeof (value as { item?: unknown }).item === "string";
  const menu = (ctx: Context) =>
    ctx.reply("Which?", { reply_markup: new InlineKeyboard().add(dataButton("Tea", { item: "tea" })) });
  const order = made.app.conversation({
    name: "order",
    persistent: true,
    entryPoints: [
      command("order", (ctx) => menu(ctx).then(() => "ITEM" as const)),
      command("later", (ctx) => menu(ctx).then(() => "ITEM" as const), { block: false }),
    ],
    states: {
      ITEM: [
        callbackData(isItem, async (ctx, { item }) => {
          ctx.userData.answers.push(item);
          await ctx.reply(`One ${item}.`);
          return END;
        }),
      ],
    },
  });
  made.bot.use(order);
  const running = await WAYS_TO_RUN["app.run()"]?.(made);
  for (const text of ["/order", "/later"]) {
    await ann.send(text);
    const question = await ann.nextReply();
    // A press that comes while the callback without a turn is still under way would be for WAITING.
    await expect.poll(() => order.stateOf({ chat: ann.id, user: ann.id })).toBe("ITEM");
    await ann.press(question, "Tea");
    expect((await ann.nextReply()).text).toBe("One tea.");
  }
  await running?.stop();
});
