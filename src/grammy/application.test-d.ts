import { Bot, type Context } from "grammy";
import { assertType, describe, expectTypeOf, test } from "vitest";
import { Application, SqlitePersistence, type PersistentContext } from "../index.ts";

interface Kept {
  bot: { greeted: number; tags: Map<string, Set<string>>; list: { a: number }[] };
  chat: { messages: number };
  user: { name?: string };
}
type MyContext = PersistentContext<Context, Kept>;

const persistence = new SqlitePersistence({ path: "bot.sqlite" });
const bot = new Bot<MyContext>("1:x");
const initial = {
  bot: () => ({ greeted: 0, tags: new Map<string, Set<string>>(), list: [] }),
  chat: () => ({ messages: 0 }),
};

describe("the data interface", () => {
  test("flows onto the context", () => {
    bot.on("message:text", async (ctx) => {
      expectTypeOf(ctx.chatData).toEqualTypeOf<{ messages: number }>();
      expectTypeOf(ctx.userData).toEqualTypeOf<{ name?: string }>();
      expectTypeOf(ctx.msg.text).toEqualTypeOf<string>();
      ctx.chatData = { messages: 1 };
      // @ts-expect-error a misspelt field
      ctx.chatData.mesages = 1;
      // @ts-expect-error a value of another type
      ctx.userData.name = 5;
    });
  });

  test("the bot's data is read-only, to the bottom", () => {
    bot.on("message", (ctx) => {
      expectTypeOf(ctx.botData.greeted).toEqualTypeOf<number>();
      // @ts-expect-error read-only
      ctx.botData.greeted += 1;
      // @ts-expect-error read-only
      ctx.botData.list.push({ a: 1 });
      // @ts-expect-error read-only
      ctx.botData.tags.set("a", new Set());
      // @ts-expect-error read-only
      ctx.botData = { greeted: 0, tags: new Map(), list: [] };
    });
  });

  test("updateBotData gets it to change, returns what the function returns, and takes no asynchronous function", () => {
    bot.on("message", async (ctx) => {
      expectTypeOf(await ctx.updateBotData((data) => (data.greeted += 1))).toEqualTypeOf<number>();
      expectTypeOf(await ctx.updateBotData((data) => data.tags.get("a")?.size)).toEqualTypeOf<number | undefined>();
      // @ts-expect-error asynchronous
      await ctx.updateBotData(async (data) => data.greeted);
    });
  });

  test("initial is demanded for what cannot begin empty, and for nothing else", () => {
    assertType(new Application(bot, { persistence, initial }));
    assertType(new Application(bot, { persistence, initial: { ...initial, user: () => ({ name: "Ann" }) } }));
    // @ts-expect-error `initial` is missing
    assertType(new Application(bot, { persistence }));
    // @ts-expect-error `initial.chat` is missing
    assertType(new Application(bot, { persistence, initial: { bot: initial.bot } }));
    // @ts-expect-error `initial.chat` gives another type
    assertType(new Application(bot, { persistence, initial: { ...initial, chat: () => ({ messages: "none" }) } }));
    const easy = new Bot<PersistentContext<Context, { user: { name?: string } }>>("1:x");
    assertType(new Application(easy, { persistence }));
  });

  test("a scope that is not named holds nothing", () => {
    const small = new Bot<PersistentContext<Context, { chat: { n: number } }>>("1:x");
    small.on("message", (ctx) => {
      // @ts-expect-error no user data is declared
      ctx.userData.name = "Ann";
    });
  });

  test("migrations take whatever was kept before", () => {
    const migrations = { chat: [(old: { count: number }) => ({ messages: old.count })] };
    assertType(new Application(bot, { persistence, initial, migrations }));
  });

  test("a bot without the flavor is refused", () => {
    // @ts-expect-error options that do not exist
    assertType(new Application(bot, { persistence, initial, persistance: 1 }));
    // @ts-expect-error no persistence
    assertType(new Application(bot, { initial }));
  });
});
