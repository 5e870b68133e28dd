import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  BasePersistence,
  DictPersistence,
  SqlitePersistence,
  type BasePersistenceOptions,
  type CallbackData,
  type ConversationEntry,
  type ConversationId,
} from "../src/index.ts";
import { makeApp, textUpdate, type Kept } from "./support/made-app.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";
import { withCode } from "./support/with-code.ts";

type Call = readonly [method: string, ...parameters: unknown[]];

/** A class with PTB's methods and no others. It notes each call. */
class Noting extends BasePersistence<Kept> {
  readonly #calls: Call[] = [];
  readonly chats = new Map<number, Kept["chat"]>();
  readonly users = new Map<number, Kept["user"]>();
  botValue: Kept["bot"] | undefined;
  callbackData: CallbackData | undefined;
  readonly conversations = new Map<string, [ConversationId, unknown][]>();

  constructor(options?: BasePersistenceOptions) {
    super(options);
  }

  /** The calls since this was last asked for. */
  newCalls(): readonly Call[] {
    return this.#calls.splice(0);
  }

  override setBot(...[bot, live]: Parameters<BasePersistence["setBot"]>): void {
    this.#note("setBot");
    super.setBot(bot, live);
  }
  getBotData(): Kept["bot"] | undefined {
    return this.#note("getBotData") ?? this.botValue;
  }
  getChatData(): ReadonlyMap<number, Kept["chat"]> {
    return this.#note("getChatData") ?? structuredClone(this.chats);
  }
  getUserData(): ReadonlyMap<number, Kept["user"]> {
    return this.#note("getUserData") ?? structuredClone(this.users);
  }
  getCallbackData(): CallbackData | undefined {
    return this.#note("getCallbackData") ?? this.callbackData;
  }
  getConversations(name: string): readonly ConversationEntry[] {
    return this.#note("getConversations", name) ?? this.conversations.get(name) ?? [];
  }
  updateBotData(data: Kept["bot"]): void {
    this.#note("updateBotData", data);
    this.botValue = data;
  }
  updateChatData(id: number, data: Kept["chat"]): void {
    this.#note("updateChatData", id, data);
    this.chats.set(id, data);
  }
  updateUserData(id: number, data: Kept["user"]): void {
    this.#note("updateUserData", id, data);
    this.users.set(id, data);
  }
  updateCallbackData(data: CallbackData): void {
    this.#note("updateCallbackData", data);
    this.callbackData = data;
  }
  updateConversation(name: string, id: ConversationId, state: unknown): void {
    this.#note("updateConversation", name, id, state);
  }
  dropChatData(id: number): void {
    this.#note("dropChatData", id);
    this.chats.delete(id);
  }
  dropUserData(id: number): void {
    this.#note("dropUserData", id);
    this.users.delete(id);
  }
  override refreshBotData(data: Kept["bot"]): void {
    this.#note("refreshBotData", structuredClone(data));
  }
  override refreshChatData(id: number, data: Kept["chat"]): void {
    this.#note("refreshChatData", id, structuredClone(data));
  }
  override refreshUserData(id: number, data: Kept["user"]): void {
    this.#note("refreshUserData", id, structuredClone(data));
  }
  override flush(): void {
    this.#note("flush");
  }

  #note(...call: Call): undefined {
    this.#calls.push(call);
  }
}

function make(persistence = new Noting()) {
  const { bot, app } = makeApp({ persistence });
  bot.hears("write", async (ctx) => {
    ctx.chatData.log.push("w");
    ctx.userData.n += 1;
    await ctx.updateBotData((data) => (data.n += 1));
  });
  return { bot, app, persistence };
}

/** An update that belongs to no chat. */
function inlineQuery(id: number, user: number): never {
  const from = { id: user, is_bot: false, first_name: "Ann" };
  return { update_id: id, inline_query: { id: "q", from, query: "", offset: "" } } as never;
}

describe("the options", () => {
  test("storeData has four switches, all on by default, and they are fixed (PTB 1, 3)", () => {
    const all = { botData: true, chatData: true, userData: true, callbackData: true };
    expect(new DictPersistence().storeData).toEqual(all);
    const persistence = new DictPersistence({ storeData: { userData: false, chatData: undefined } });
    expect(persistence.storeData).toEqual({ ...all, userData: false });
    expect(() => Object.assign(persistence.storeData, { userData: true })).toThrow(TypeError);
  });

  test("what is no persistence is refused when the application is created (PTB 22)", () => {
    const alike = Object.fromEntries(Object.getOwnPropertyNames(Noting.prototype).map((name) => [name, () => {}]));
    for (const wrong of [alike, undefined, Noting]) {
      expect(() => makeApp({ persistence: wrong as never })).toThrow(withCode("PERDURE_INVALID_OPTION"));
    }
  });
});

describe("a class with PTB's methods and no others", () => {
  test("is called as there, from the beginning to the end (PTB 5, 7, 9, 12, 13, 14, 16, 17, 21, 84)", async () => {
    const { bot, app, persistence } = make();
    expect(persistence.newCalls()).toEqual([["setBot"]]);
    await app.initialize();
    expect(persistence.newCalls()).toEqual([["getUserData"], ["getChatData"], ["getBotData"], ["getCallbackData"]]);
    bot.hears("read", (ctx) => void ctx.chatData.log.length);
    await bot.handleUpdate(textUpdate("read", { chat: -1, user: 7 }));
    expect(persistence.newCalls()).toEqual([
      ["refreshBotData", { n: 0 }],
      ["refreshChatData", -1, { log: [] }],
      ["refreshUserData", 7, { n: 0 }],
    ]);
    await bot.handleUpdate(textUpdate("write", { chat: -1, user: 7 }));
    persistence.newCalls();
    await app.updatePersistence();
    expect(persistence.newCalls()).toEqual([
      ["updateBotData", { n: 1 }],
      ["updateChatData", -1, { log: ["w"] }],
      ["updateUserData", 7, { n: 1 }],
    ]);
    await app.shutdown();
    expect(persistence.newCalls()).toEqual([["flush"]]);
  });

  test("what it is given is its own: a later update does not change it (PTB 12, 13)", async () => {
    const { bot, app, persistence } = make();
    await bot.handleUpdate(textUpdate("write"));
    await app.updatePersistence();
    const [first, firstBot] = [persistence.chats.get(-1), persistence.botValue];
    await bot.handleUpdate(textUpdate("write"));
    await app.updatePersistence();
    expect([first, firstBot]).toEqual([{ log: ["w"] }, { n: 1 }]);
    expect([persistence.chats.get(-1), persistence.botValue]).toEqual([{ log: ["w", "w"] }, { n: 2 }]);
  });

  test("drops reach it with the next writing; of an id that is unknown it hears nothing (PTB 15, 102)", async () => {
    const { bot, app, persistence } = make();
    await bot.handleUpdate(textUpdate("write"));
    await app.updatePersistence();
    persistence.newCalls();
    await app.dropChatData(-1);
    await app.dropUserData(7);
    await app.dropChatData(-404);
    await app.dropUserData(404);
    expect(persistence.newCalls().filter(([method]) => !method.startsWith("refresh"))).toEqual([]);
    await app.updatePersistence();
    expect(persistence.newCalls()).toEqual([
      ["dropChatData", -1],
      ["dropUserData", 7],
    ]);
  });

  test("dropped and written again before the next writing, the new data is written (PTB 103)", async () => {
    const { bot, app, persistence } = make();
    await bot.handleUpdate(textUpdate("write"));
    await app.updatePersistence();
    await bot.handleUpdate(textUpdate("write"));
    await app.dropChatData(-1);
    await bot.handleUpdate(textUpdate("write"));
    await app.updatePersistence();
    expect(persistence.chats).toEqual(new Map([[-1, { log: ["w"] }]]));
  });
});

describe("refresh methods", () => {
  test("change the value in place; what they return is ignored (PTB 16)", async () => {
    class Refreshing extends Noting {
      override refreshUserData(_id: number, data: Kept["user"]): void {
        data.n = 5;
        return { n: 6 } as never;
      }
    }
    const { bot } = make(new Refreshing());
    const seen: number[] = [];
    bot.on("message", (ctx) => void seen.push(ctx.userData.n));
    await bot.handleUpdate(textUpdate("x"));
    expect(seen).toEqual([5]);
  });

  test("run for what an update has, and for what storeData has (PTB 17)", async () => {
    const { bot, persistence } = make();
    await bot.handleUpdate(inlineQuery(900_001, 7));
    const methods = persistence.newCalls().map(([method]) => method);
    expect(methods.filter((method) => method.startsWith("refresh"))).toEqual(["refreshBotData", "refreshUserData"]);
    const partly = make(new Noting({ storeData: { userData: false, botData: false } }));
    await partly.bot.handleUpdate(textUpdate("x"));
    const calls = partly.persistence.newCalls();
    expect(calls).toEqual([["setBot"], ["getChatData"], ["getCallbackData"], ["refreshChatData", -1, { log: [] }]]);
  });

  test("run once for each update, and the bot's once more when it is about to be changed (PTB 17)", async () => {
    const { bot, app, persistence } = make();
    await app.initialize();
    persistence.newCalls();
    await bot.handleUpdate(textUpdate("write"));
    expect(persistence.newCalls().map(([method]) => method)).toEqual([
      "refreshBotData",
      "refreshChatData",
      "refreshUserData",
      "refreshBotData",
    ]);
  });

  test("run before any handler, also if none handles the update, and for app.transaction (PTB 18)", async () => {
    const { bot, app, persistence } = make();
    await app.initialize();
    persistence.newCalls();
    await bot.handleUpdate(textUpdate("nobody hears this"));
    const refreshed = ["refreshBotData", "refreshChatData", "refreshUserData"];
    expect(persistence.newCalls().map(([method]) => method)).toEqual(refreshed);
    await app.transaction({ chats: [5] }, () => {});
    expect(persistence.newCalls()).toEqual([
      ["refreshBotData", { n: 0 }],
      ["refreshChatData", 5, { log: [] }],
    ]);
  });
});

describe("all persistences of the package have PTB's methods", () => {
  const conversationId = [-100, 42, "inline"];
  const keyboards: CallbackData = [[["keyboard", 1_700_000_000, { button: { page: 2 } }]], { query: "keyboard" }];

  test.each(["DictPersistence", "SqlitePersistence"] as const)(
    "%s: what is stored is there, and what is removed is not (PTB 8, 9, 10, 11, 12, 13, 14, 15)",
    async (name) => {
      const sqlite = new SqlitePersistence({
        path: join(temporaryFolder(), "bot.sqlite"),
        ownerTimeout: 0,
        durability: "os",
      });
      const persistence = name === "DictPersistence" ? new DictPersistence() : sqlite;
      if (persistence === sqlite) await sqlite.open({ botId: 1, now: () => 0 });
      expect([await persistence.getUserData(), await persistence.getChatData()]).toEqual([new Map(), new Map()]);
      expect([await persistence.getBotData(), await persistence.getCallbackData()]).toEqual([undefined, undefined]);
      expect(await persistence.getConversations("unknown")).toEqual([]);
      await persistence.updateUserData(42, { name: "Ann" });
      await persistence.updateUserData(43, {});
      await persistence.updateChatData(-100, { title: "Club" });
      await persistence.updateBotData({ n: 1 });
      await persistence.updateCallbackData(keyboards);
      await persistence.updateConversation("menu", conversationId, "OPEN");
      await persistence.updateConversation("menu", [1], 2);
      await persistence.updateConversation("menu", [1], null);
      await persistence.dropUserData(43);
      await persistence.dropUserData(404);
      await persistence.dropChatData(404);
      await persistence.flush();
      expect(await persistence.getUserData()).toEqual(new Map([[42, { name: "Ann" }]]));
      expect(await persistence.getChatData()).toEqual(new Map([[-100, { title: "Club" }]]));
      expect(await persistence.getBotData()).toEqual({ n: 1 });
      expect(await persistence.getCallbackData()).toEqual(keyboards);
      expect(await persistence.getConversations("menu")).toEqual([[conversationId, "OPEN"]]);
      await sqlite.close();
    },
  );
});
