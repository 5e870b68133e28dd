import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { JsonFolderPersistence } from "../examples/json-folder-persistence.ts";
import { copyPersistence, DictPersistence, SqlitePersistence, type CallbackData } from "../src/index.ts";
import { makeApp, textUpdate, type Kept } from "./support/made-app.ts";
import { openedSqlite } from "./support/opened-sqlite.ts";
import { query, readTable } from "./support/read-file.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

describe("what PTB and its third-party persistences do, and what happens here", () => {
  test("initial values are given once, to the application; the persistence needs none (PTB 193)", async () => {
    const persistence = new DictPersistence<Kept>({ chatDataJson: '{"-2": {"log": ["stored"]}}' });
    const initial = { bot: () => ({ n: 10 }), chat: () => ({ log: ["initial"] }), user: () => ({ n: 20 }) };
    const { bot, app } = makeApp({ persistence, initial });
    bot.on("message", async (ctx) => {
      ctx.chatData.log.push("x");
      ctx.userData.n += 1;
      await ctx.updateBotData((data) => (data.n += 1));
    });
    await bot.handleUpdate(textUpdate("x", { chat: -1 }));
    await bot.handleUpdate(textUpdate("x", { chat: -2 }));
    await app.shutdown();
    expect(persistence.chatDataJson).toBe('{"-2": {"log": ["stored", "x"]}, "-1": {"log": ["initial", "x"]}}');
    expect([persistence.userDataJson, persistence.botDataJson]).toEqual(['{"7": {"n": 22}}', '{"n": 12}']);
  });

  test("DjangoPersistence: a row for each chat, user and conversation, callback data included (PTB 194, 196)", async () => {
    const path = `${temporaryFolder()}/bot.sqlite`;
    const persistence = await openedSqlite(path);
    const callbackData: CallbackData = [[["keyboard", 1.5, { button: 1 }]], { query: "keyboard" }];
    await persistence.updateChatData(-1, { a: 1 });
    await persistence.updateChatData(-2, { a: 2 });
    await persistence.updateUserData(7, {});
    await persistence.updateConversation("menu", [-1, 7], "OPEN");
    await persistence.updateCallbackData(callbackData);
    expect(await persistence.getCallbackData()).toEqual(callbackData);
    expect(readTable(path, "chat_data")).toEqual(
      new Map([
        [-2, { a: 2 }],
        [-1, { a: 1 }],
      ]),
    );
    expect(query(path, "select count(*) as n from conversation")).toEqual([{ n: 1 }]);
    persistence.close();
  });

  test("DjangoPersistence: a refresh can remove a key (PTB 194)", async () => {
    class Refreshing extends DictPersistence {
      override refreshChatData(_id: number, data: object): void {
        Reflect.deleteProperty(data, "gone");
      }
    }
    const persistence = new Refreshing({ chatDataJson: '{"-1": {"log": [], "gone": 1}}' });
    const { bot, app } = makeApp({ persistence });
    const seen: unknown[] = [];
    bot.on("message", (ctx) => {
      seen.push(structuredClone(ctx.chatData));
      ctx.chatData.log.push("x");
    });
    await bot.handleUpdate(textUpdate("x"));
    await app.shutdown();
    expect([seen, persistence.chatDataJson]).toEqual([[{ log: [] }], '{"-1": {"log": ["x"]}}']);
  });

  test("MongoPersistence: a cleared entry is written as empty, and ids of all shapes come back (PTB 195)", async () => {
    const ids = [[7], [-1, 7], [-1, 7, 5], [7, "inline"], ["text"], []];
    const folder = temporaryFolder();
    const path = `${temporaryFolder()}/bot.sqlite`;
    const sqlite = await openedSqlite(path);
    for (const persistence of [new DictPersistence(), new JsonFolderPersistence({ folder }), sqlite]) {
      await persistence.updateChatData(-1, { a: 1 });
      await persistence.updateChatData(-1, {});
      for (const id of ids) await persistence.updateConversation("menu", id, { at: id });
      await persistence.flush();
      expect(await persistence.getChatData()).toEqual(new Map([[-1, {}]]));
      const found = await persistence.getConversations("menu");
      expect(new Map(found.map(([id, state]) => [JSON.stringify(id), state]))).toEqual(
        new Map(ids.map((id) => [JSON.stringify(id), { at: id }])),
      );
    }
    sqlite.close();
  });

  test("PostgresPersistence: only what has changed is written (PTB 196)", async () => {
    const written: number[] = [];
    class Counting extends DictPersistence<Kept> {
      override async updateChatData(id: number, data: Kept["chat"]): Promise<void> {
        written.push(id);
        await super.updateChatData(id, data);
      }
    }
    const { bot, app } = makeApp({ persistence: new Counting() });
    bot.on("message", (ctx) => void ctx.chatData.log.push("x"));
    for (const chat of [-1, -2, -3]) await bot.handleUpdate(textUpdate("x", { chat }));
    await app.updatePersistence();
    await bot.handleUpdate(textUpdate("x", { chat: -2 }));
    await app.updatePersistence();
    expect(written).toEqual([-1, -2, -3, -2]);
  });

  test("v12 and v13: the names of their options are in the guide, and are no options here (PTB 197)", () => {
    const guide = readFileSync(new URL("../docs/from-python-telegram-bot.md", import.meta.url), "utf8");
    const old = ["store_user_data", "store_chat_data", "store_bot_data", "store_callback_data", "filename", "Updater"];
    expect(old.filter((name) => !guide.includes(name))).toEqual([]);
    // @ts-expect-error no option
    expect(new DictPersistence({ storeUserData: false }).storeData.userData).toBe(true);
  });

  test("v13 wrote after every update: so does SqlitePersistence, before it is answered (PTB 198)", async () => {
    const { bot, path } = makeApp();
    bot.on("message", (ctx) => void ctx.chatData.log.push("x"));
    for (const n of [1, 2, 3]) {
      await bot.handleUpdate(textUpdate("x"));
      expect(readTable(path, "chat_data").get(-1)).toEqual({ log: Array.from({ length: n }, () => "x") });
    }
  });
});

test("DictPersistence keeps nothing beyond itself, flushed or not, but in its texts (PTB 67)", async () => {
  const first = makeApp({ persistence: new DictPersistence<Kept>() });
  first.bot.on("message", (ctx) => void ctx.chatData.log.push("x"));
  await first.bot.handleUpdate(textUpdate("x"));
  await first.app.shutdown();
  const { chatDataJson } = first.app.persistence as DictPersistence;
  const log = async (options: object): Promise<unknown> => {
    const { app } = makeApp({ persistence: new DictPersistence<Kept>(options) });
    return app.transaction({ chats: [-1] }, (tx) => tx.chatData(-1).log);
  };
  expect([await log({}), await log({ chatDataJson })]).toEqual([[], ["x"]]);
});

test("a bot goes on with what PTB's own DictPersistence has written (PTB 66, 74, 76, 80)", async () => {
  // Of python-telegram-bot 22.8, from a pickle file, as the guide shows.
  const written = {
    chatDataJson: String.raw`{"-1001234567890": {"log": ["a", "\u00e9"], "5": "int key"}}`,
    userDataJson: '{"7": {"name": "Ann", "n": 1.0}}',
    botDataJson: '{"n": 3}',
    conversationsJson: '{"registration": {"[-1, 7]": "NAME"}}',
  };
  const persistence = new SqlitePersistence({
    path: `${temporaryFolder()}/bot.sqlite`,
    ownerTimeout: 0,
    durability: "os",
  });
  const { records } = await copyPersistence(new DictPersistence(written), persistence, { botId: 1 });
  expect(records).toMatchObject({ bot: 1, chat: 1, user: 1, conversation: 1 });
  const { bot, app } = makeApp({ persistence });
  const seen: unknown[] = [];
  bot.on("message", (ctx) => void seen.push(structuredClone([ctx.chatData, ctx.userData, ctx.botData])));
  await bot.handleUpdate(textUpdate("x", { chat: -1_001_234_567_890, user: 7 }));
  expect(seen).toEqual([[{ 5: "int key", log: ["a", "é"] }, { name: "Ann", n: 1 }, { n: 3 }]]);
  expect(await persistence.getConversations("registration")).toEqual([[[-1, 7], "NAME"]]);
  await app.shutdown();
});
