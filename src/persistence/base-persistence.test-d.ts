import { Bot, type Context } from "grammy";
import { assertType, describe, expectTypeOf, test } from "vitest";
import { JsonFolderPersistence } from "../../examples/json-folder-persistence.ts";
import {
  Application,
  BasePersistence,
  DictPersistence,
  SqlitePersistence,
  type KeptTypes,
  type PersistentContext,
} from "../index.ts";

interface Kept {
  bot: { greeted: number };
  chat: { messages: number };
  user: { name?: string };
}
interface OtherKept {
  bot: { greeted: number };
  chat: { messages: string };
  user: { name?: string };
}

const bot = new Bot<PersistentContext<Context, Kept>>("1:x");
const initial = { bot: () => ({ greeted: 0 }), chat: () => ({ messages: 0 }) };

describe("the data interface", () => {
  test("flows into a persistence class", async () => {
    const persistence = new DictPersistence<Kept>();
    expectTypeOf(await persistence.getChatData()).toEqualTypeOf<ReadonlyMap<number, { messages: number }>>();
    expectTypeOf(await persistence.getBotData()).toEqualTypeOf<{ greeted: number } | undefined>();
    await persistence.updateUserData(1, { name: "Ann" });
    // @ts-expect-error a value of another type
    await persistence.updateChatData(1, { messages: "none" });
    // @ts-expect-error a field that is not declared
    await persistence.updateUserData(1, { nickname: "Ann" });
  });

  test("is the application's: a persistence for the same data, or for any, is taken, one for other data is not", () => {
    assertType(new Application(bot, { initial, persistence: new DictPersistence<Kept>() }));
    assertType(new Application(bot, { initial, persistence: new DictPersistence() }));
    assertType(new Application(bot, { initial, persistence: new SqlitePersistence({ path: "bot.sqlite" }) }));
    assertType(new Application(bot, { initial, persistence: new JsonFolderPersistence<Kept>({ folder: "kept" }) }));
    const untyped = new JsonFolderPersistence({ folder: "kept" });
    assertType(new Application(bot, { initial, persistence: untyped }));
    const others = new DictPersistence<OtherKept>();
    // @ts-expect-error chat.messages is a string there
    assertType(new Application(bot, { initial, persistence: others }));
    const partial = new DictPersistence<{ chat: { messages: number } }>();
    // @ts-expect-error the bot's and the users' data are missing there
    assertType(new Application(bot, { initial, persistence: partial }));
    // @ts-expect-error no persistence
    assertType(new Application(bot, { initial, persistence: new Map() }));
  });

  test("holds in refresh methods of a class of one's own", () => {
    class Refreshing extends JsonFolderPersistence<Kept> {
      override refreshChatData(_chatId: number, data: { messages: number }): void {
        data.messages += 1;
      }
    }
    assertType<BasePersistence<Kept>>(new Refreshing({ folder: "kept" }));
    class Wrong extends JsonFolderPersistence<Kept> {
      // @ts-expect-error chat.messages is a number
      override refreshChatData(_chatId: number, data: { messages: string }): void {
        data.messages = "";
      }
    }
    assertType(Wrong);
  });

  test("flows into collections and storage adapters, which are typed where they are named", async () => {
    const app = new Application(bot, { initial, persistence: new DictPersistence() });
    const orders = app.collection<{ items: string[] }>("orders");
    expectTypeOf(await orders.get("1")).toEqualTypeOf<{ items: string[] } | undefined>();
    await orders.set("1", { items: [] });
    // @ts-expect-error a value of another type
    await orders.set("1", { items: 1 });
    expectTypeOf(app.storageAdapter<{ n: number }>("session").read).parameters.toEqualTypeOf<[string]>();
  });

  test("is on ctx.application", () => {
    bot.on("message", async (ctx) => {
      await ctx.application.dropChatData(1);
      await ctx.application.transaction({ chats: [1] }, (tx) => {
        expectTypeOf(tx.chatData(1)).toEqualTypeOf<{ messages: number }>();
      });
      // @ts-expect-error one id is missing
      await ctx.application.migrateChatData({ from: 1 });
    });
  });
});

test("a class that lacks a method does not compile", () => {
  // @ts-expect-error all of them are missing
  class Empty<K extends KeptTypes> extends BasePersistence<K> {}
  assertType(Empty);
});

test("storeData and updateInterval are read-only after construction (PTB 3)", () => {
  const persistence = new DictPersistence({ updateInterval: "30s", storeData: { userData: false } });
  expectTypeOf(persistence.updateInterval).toEqualTypeOf<number>();
  // @ts-expect-error read-only
  persistence.updateInterval = 5;
  // @ts-expect-error read-only
  persistence.storeData.botData = false;
  // @ts-expect-error conversations have no switch (PTB 4)
  assertType(new DictPersistence({ storeData: { conversations: false } }));
  // @ts-expect-error no time span
  assertType(new DictPersistence({ updateInterval: "soon" }));
});
