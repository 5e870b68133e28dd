import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SqlitePersistence } from "../src/index.ts";
import { isSettled } from "./support/driven-clock.ts";
import { makeApp, textUpdate } from "./support/made-app.ts";
import { query, readTable } from "./support/read-file.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

/** What a person does with another tool while the bot runs. */
function editFile(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

describe("a file that is edited by hand while the bot runs", () => {
  test("is seen by the next update: chat, user and bot data, also what was added and removed", async () => {
    const { bot, path } = makeApp();
    const seen: unknown[] = [];
    bot.hears("write", async (ctx) => {
      ctx.chatData.log.push("ours");
      ctx.userData.n = 1;
      await ctx.updateBotData((data) => (data.n = 1));
    });
    bot.hears("look", (ctx) => void seen.push(structuredClone([ctx.chatData, ctx.userData, ctx.botData])));
    await bot.handleUpdate(textUpdate("write"));
    await bot.handleUpdate(textUpdate("look"));
    editFile(path, `update chat_data set data = '{"log":["theirs"]}'; update user_data set data = '{"n":2}'`);
    editFile(path, `update bot_data set data = '{"n":3}'`);
    await bot.handleUpdate(textUpdate("look"));
    editFile(path, "delete from chat_data; delete from user_data; delete from bot_data");
    await bot.handleUpdate(textUpdate("look"));
    editFile(path, `insert into bot_data values (1, 0, '{"n":4}')`);
    await bot.handleUpdate(textUpdate("look"));
    expect(seen).toEqual([
      [{ log: ["ours"] }, { n: 1 }, { n: 1 }],
      [{ log: ["theirs"] }, { n: 2 }, { n: 3 }],
      [{ log: [] }, { n: 0 }, { n: 0 }],
      [{ log: [] }, { n: 0 }, { n: 4 }],
    ]);
  });

  test("what a handler changes after that is based on it", async () => {
    const { bot, path } = makeApp();
    bot.on("message", async (ctx) => {
      ctx.chatData.log.push("ours");
      await ctx.updateBotData((data) => (data.n += 1));
    });
    await bot.handleUpdate(textUpdate("x"));
    editFile(path, `update chat_data set data = '{"log":["theirs"]}'; update bot_data set data = '{"n":40}'`);
    await bot.handleUpdate(textUpdate("x"));
    expect(readTable(path, "chat_data")).toEqual(new Map([[-1, { log: ["theirs", "ours"] }]]));
    expect(query(path, "select data from bot_data")).toEqual([{ data: '{"n":41}' }]);
  });
});

/** Data that a second system brings up to date. */
class Refreshing extends SqlitePersistence {
  calls: string[] = [];
  names = new Map<number, string>();
  failures = 0;

  override refreshBotData(data: object): void {
    this.calls.push("bot");
    Object.assign(data, { n: 1000 });
  }

  override async refreshChatData(chatId: number, data: object): Promise<void> {
    this.calls.push(`chat ${chatId}`);
    Object.assign(data, { log: ["half"] });
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("the other system does not answer");
    }
    await new Promise((resolve) => setImmediate(resolve));
    Object.assign(data, { log: [this.names.get(chatId) ?? "nobody"] });
  }

  override refreshUserData(userId: number): void {
    this.calls.push(`user ${userId}`);
  }
}

function makeRefreshing(storeData = {}) {
  const path = join(temporaryFolder(), "bot.sqlite");
  const persistence = new Refreshing({ path, ownerTimeout: 0, storeData });
  return { persistence, ...makeApp({ persistence }), path };
}

describe("refresh methods (PTB 16, 17, 19)", () => {
  test("are called before the handlers, bot, chat, user, and change values in place", async () => {
    const { bot, persistence } = makeRefreshing();
    const seen: unknown[] = [];
    bot.on("message", (ctx) => void seen.push(structuredClone([ctx.chatData, ctx.botData]), [...persistence.calls]));
    persistence.names.set(-1, "the others' name");
    await bot.handleUpdate(textUpdate("x"));
    expect(seen).toEqual([
      [{ log: ["the others' name"] }, { n: 1000 }],
      ["bot", "chat -1", "user 7"],
    ]);
  });

  test("alone write nothing; a change of ours is written with what they brought", async () => {
    const { bot, persistence, path } = makeRefreshing();
    bot.hears("read", (ctx) => void ctx.chatData.log.length);
    bot.hears("write", async (ctx) => {
      ctx.chatData.log.push("ours");
      await ctx.updateBotData((data) => (data.n += 1));
    });
    persistence.names.set(-1, "theirs");
    await bot.handleUpdate(textUpdate("read"));
    expect([query(path, "select * from chat_data"), query(path, "select * from bot_data")]).toEqual([[], []]);
    await bot.handleUpdate(textUpdate("write"));
    expect(readTable(path, "chat_data")).toEqual(new Map([[-1, { log: ["theirs", "ours"] }]]));
    expect(query(path, "select data from bot_data")).toEqual([{ data: '{"n":1001}' }]);
  });

  test("that fail are called again, and handlers never see a half-refreshed value (PTB 19)", async () => {
    const { bot, persistence, reported } = makeRefreshing();
    const seen: unknown[] = [];
    persistence.failures = 2;
    persistence.names.set(-1, "theirs");
    bot.on("message", (ctx) => void seen.push(structuredClone(ctx.chatData)));
    await bot.handleUpdate(textUpdate("x"));
    expect(seen).toEqual([{ log: ["theirs"] }]);
    expect(persistence.calls.filter((call) => call === "chat -1").length).toBe(3);
    expect(reported).toEqual([new Error("the other system does not answer")]);
  });

  test("are not called for what storeData switches off (PTB 17)", async () => {
    const { bot, persistence } = makeRefreshing({ chatData: false, botData: false });
    bot.on("message", (ctx) => void ctx.chatData.log.push("x"));
    await bot.handleUpdate(textUpdate("x"));
    expect(persistence.calls).toEqual(["user 7"]);
  });

  test("put copies into values: what a handler does with them reaches neither the class nor other chats (PTB 16)", async () => {
    const theirs = ["theirs"];
    class Sharing extends SqlitePersistence {
      override refreshChatData(_: number, data: object): void {
        Object.assign(data, { log: theirs });
      }
    }
    const { bot } = makeApp({
      persistence: new Sharing({ path: join(temporaryFolder(), "bot.sqlite"), ownerTimeout: 0 }),
    });
    const seen: unknown[] = [];
    bot.hears("change", (ctx) => {
      ctx.chatData.log.push("rolled back");
      throw new Error("no");
    });
    bot.hears("look", (ctx) => void seen.push(structuredClone(ctx.chatData)));
    await expect(bot.handleUpdate(textUpdate("change", { chat: -1 }))).rejects.toThrow("no");
    await bot.handleUpdate(textUpdate("look", { chat: -2 }));
    expect([seen, theirs]).toEqual([[{ log: ["theirs"] }], ["theirs"]]);
  });

  test("that leave what cannot be kept fail the update before its handlers, with the path, and hold nobody up", async () => {
    const { bot, persistence } = makeRefreshing();
    const seen: unknown[] = [];
    bot.on("message", (ctx) => void seen.push(structuredClone(ctx.chatData)));
    persistence.names.set(-1, (() => {}) as never);
    const failing = bot.handleUpdate(textUpdate("x"));
    expect(await isSettled(failing)).toBe(true);
    await expect(failing).rejects.toThrow("chatData.-1.log[0]: a function cannot be kept");
    persistence.names.set(-1, "theirs");
    await bot.handleUpdate(textUpdate("x"));
    expect(seen).toEqual([{ log: ["theirs"] }]);
  });

  test("are not called for what is dropped, which therefore needs no other system that answers (PTB 15, 16)", async () => {
    const { bot, app, persistence } = makeRefreshing();
    persistence.failures = Infinity;
    const dropping = Promise.all([app.dropChatData(-404), app.dropUserData(404), app.forgetUser(5)]);
    expect(await isSettled(dropping)).toBe(true);
    await dropping;
    expect(persistence.calls).toEqual([]);
    persistence.failures = 0;
    bot.on("message", async () => {
      await app.dropChatData(-404);
      await app.dropUserData(404);
    });
    await bot.handleUpdate(textUpdate("x"));
    expect(persistence.calls).toEqual(["bot", "chat -1", "user 7"]);
  });
});
