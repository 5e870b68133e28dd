import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Bot } from "grammy";
import { describe, expect, onTestFinished, test } from "vitest";
import { JsonFolderPersistence } from "../examples/json-folder-persistence.ts";
import { Application, DictPersistence, StorageAdapterPersistence } from "../src/index.ts";
import {
  all,
  makeApp,
  textUpdate,
  type Kept,
  type MadeApp,
  type MyContext,
  type MyOptions,
} from "./support/made-app.ts";
import { notedWarnings } from "./support/noted-warnings.ts";
import { setUp } from "./support/setting.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";
import { withCode } from "./support/with-code.ts";

function make(persistence: MyOptions["persistence"], options: Partial<MyOptions> = {}): MadeApp {
  const made = makeApp({ persistence, ...options });
  made.bot.hears("throw", (ctx) => {
    ctx.chatData.log.push("never");
    throw new Error("no");
  });
  made.bot.hears("read", (ctx) => void ctx.chatData.log.length);
  made.bot.on("message:text", async (ctx) => {
    ctx.chatData.log.push(ctx.msg.text);
    ctx.userData.n += 1;
    await ctx.updateBotData((data) => (data.n += 1));
  });
  return made;
}

const contentOf = (folder: string): Record<string, unknown> =>
  Object.fromEntries(readdirSync(folder).map((file) => [file, JSON.parse(readFileSync(`${folder}/${file}`, "utf8"))]));

describe("a class of one's own, with PTB's methods only", () => {
  test("is loaded at start, written by updatePersistence and at the end, and loaded again (PTB 84, 110, 119, 120)", async () => {
    const folder = temporaryFolder();
    const first = make(new JsonFolderPersistence<Kept>({ folder }));
    await first.bot.handleUpdate(textUpdate("a"));
    expect(contentOf(folder)).toEqual({});
    await first.app.updatePersistence();
    const written = { "bot.json": { n: 1 }, "chat -1.json": { log: ["a"] }, "user 7.json": { n: 1 } };
    expect(contentOf(folder)).toEqual(written);
    await first.bot.handleUpdate(textUpdate("b", { chat: -2, user: 8 }));
    await first.app.shutdown();
    const more = { "bot.json": { n: 2 }, "chat -2.json": { log: ["b"] }, "user 8.json": { n: 1 } };
    expect(contentOf(folder)).toEqual({ ...written, ...more });
    const second = make(new JsonFolderPersistence<Kept>({ folder }));
    await second.bot.handleUpdate(textUpdate("c"));
    await second.app.shutdown();
    expect(contentOf(folder)["chat -1.json"]).toEqual({ log: ["a", "c"] });
  });

  test("updateInterval 0 writes with each update (PTB 109)", async () => {
    const folder = temporaryFolder();
    const { bot } = make(new JsonFolderPersistence<Kept>({ folder, updateInterval: 0 }));
    await bot.handleUpdate(textUpdate("a"));
    expect(contentOf(folder)).toMatchObject({ "chat -1.json": { log: ["a"] } });
  });

  test("a handler that throws leaves nothing, and a read alone writes nothing (PTB 99, 101)", async () => {
    const folder = temporaryFolder();
    const { bot, app } = make(new JsonFolderPersistence<Kept>({ folder }));
    await expect(bot.handleUpdate(textUpdate("throw"))).rejects.toThrow("no");
    await bot.handleUpdate(textUpdate("read"));
    await app.shutdown();
    expect(contentOf(folder)).toEqual({});
  });

  test("drops remove, also before the first writing; a later write counts (PTB 102, 103)", async () => {
    const folder = temporaryFolder();
    const { bot, app } = make(new JsonFolderPersistence<Kept>({ folder }));
    await bot.handleUpdate(textUpdate("a"));
    await app.updatePersistence();
    await app.dropChatData(-1);
    await app.dropUserData(7);
    await bot.handleUpdate(textUpdate("b", { chat: -1, user: 9 }));
    await app.shutdown();
    expect(Object.keys(contentOf(folder)).sort()).toEqual(["bot.json", "chat -1.json", "user 9.json"]);
    expect(contentOf(folder)["chat -1.json"]).toEqual({ log: ["b"] });
  });

  test("a failing write is reported, the others go on, and it is tried again (PTB 113, 114)", async () => {
    const failures = new Map([[-1, 1]]);
    class Failing extends JsonFolderPersistence<Kept> {
      override async updateChatData(id: number, data: { log: string[] }): Promise<void> {
        const left = failures.get(id) ?? 0;
        failures.set(id, left - 1);
        if (left > 0) throw new Error(`cannot write ${id}`);
        await super.updateChatData(id, data);
      }
    }
    const folder = temporaryFolder();
    const { bot, app, reported } = make(new Failing({ folder }));
    await bot.handleUpdate(textUpdate("a", { chat: -1 }));
    await bot.handleUpdate(textUpdate("b", { chat: -2 }));
    await app.updatePersistence();
    expect(reported).toEqual([withCode("PERDURE_IO")]);
    expect(String(reported[0])).toContain(
      "Failing.updateChatData failed, and chatData.-1 may not be kept: cannot write -1",
    );
    expect(Object.keys(contentOf(folder)).sort()).toEqual(["bot.json", "chat -2.json", "user 7.json"]);
    await app.updatePersistence();
    expect(contentOf(folder)["chat -1.json"]).toEqual({ log: ["a"] });
    expect(reported.length).toBe(1);
  });

  test("a write that fails to the end makes shutdown reject, after everything else was written and flushed", async () => {
    let flushed = 0;
    class Failing extends JsonFolderPersistence<Kept> {
      override async updateUserData(): Promise<void> {
        throw new Error("cannot write");
      }
      override flush(): void {
        flushed += 1;
      }
    }
    const folder = temporaryFolder();
    const { bot, app } = make(new Failing({ folder }));
    await bot.handleUpdate(textUpdate("a"));
    await expect(app.shutdown()).rejects.toThrow("cannot write");
    expect([Object.keys(contentOf(folder)).sort(), flushed]).toEqual([["bot.json", "chat -1.json"], 1]);
  });

  test("what it cannot promise is said at start in one warning that names the class", async () => {
    const { logger, warnings } = notedWarnings();
    const { bot } = make(new JsonFolderPersistence<Kept>({ folder: temporaryFolder() }), { logger });
    await bot.handleUpdate(textUpdate("a"));
    await bot.handleUpdate(textUpdate("b"));
    expect(warnings).toEqual([expect.stringMatching(/^JsonFolderPersistence is written every 60 s.*no inbox/)]);
  });

  test("migrations are refused, since it does not keep versions", () => {
    const persistence = new DictPersistence<Kept>();
    const migrations = { chat: [(old: object) => old] };
    expect(() => make(persistence, { migrations })).toThrow(withCode("PERDURE_INVALID_OPTION"));
    expect(() => make(persistence, { migrations })).toThrow("DictPersistence does not keep which of them");
  });

  test("a number below 1000 as updateInterval is refused: milliseconds", () => {
    expect(() => new DictPersistence({ updateInterval: 60 })).toThrow(
      'a number counts milliseconds; write "60s" for seconds',
    );
  });

  test("refreshes are not called over changes that are not written yet (PTB 20)", async () => {
    let calls = 0;
    class Refreshing extends JsonFolderPersistence<Kept> {
      override refreshChatData(_id: number, data: { log: string[] }): void {
        calls += 1;
        data.log = ["theirs"];
      }
    }
    const { bot, app } = make(new Refreshing({ folder: temporaryFolder() }));
    await bot.handleUpdate(textUpdate("ours"));
    await bot.handleUpdate(textUpdate("ours again"));
    expect(calls).toBe(1);
    await app.transaction({ chats: [-1] }, (tx) =>
      expect(tx.chatData(-1)).toEqual({ log: ["theirs", "ours", "ours again"] }),
    );
    await app.updatePersistence();
    await bot.handleUpdate(textUpdate("read"));
    expect(calls).toBe(2);
  });

  describe("whose refresh reads what another program writes", () => {
    class Refreshing extends JsonFolderPersistence<Kept> {
      readonly #folder: string;

      constructor(folder: string) {
        super({ folder });
        this.#folder = folder;
      }

      override refreshChatData(id: number, data: Kept["chat"]): void {
        const file = join(this.#folder, `chat ${id}.json`);
        if (existsSync(file)) Object.assign(data, JSON.parse(readFileSync(file, "utf8")));
      }
    }

    test("a drop removes what the other one has added since the start (PTB 16, 102)", async () => {
      const folder = temporaryFolder();
      const { bot, app } = makeApp({ persistence: new Refreshing(folder) });
      bot.on("message", async (ctx) => {
        expect(ctx.chatData).toEqual({ log: ["theirs"] });
        await app.dropChatData(-1);
      });
      await app.initialize();
      writeFileSync(join(folder, "chat -1.json"), '{"log":["theirs"]}');
      await bot.handleUpdate(textUpdate("x"));
      await app.updatePersistence();
      expect(contentOf(folder)).toEqual({});
    });

    test("a change back to what was loaded at the start is written over the other one's (PTB 16, 20)", async () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, "chat -1.json"), '{"log":["ours"]}');
      const { bot, app } = makeApp({ persistence: new Refreshing(folder) });
      bot.on("message", (ctx) => {
        expect(ctx.chatData).toEqual({ log: ["theirs"] });
        ctx.chatData.log = ["ours"];
      });
      await app.initialize();
      writeFileSync(join(folder, "chat -1.json"), '{"log":["theirs"]}');
      await bot.handleUpdate(textUpdate("x"));
      await app.updatePersistence();
      expect(contentOf(folder)).toEqual({ "chat -1.json": { log: ["ours"] } });
    });
  });

  test("belongs to one application at a time: another one is refused, and opens after the first one's shutdown", async () => {
    const folder = temporaryFolder();
    const persistence = new JsonFolderPersistence<Kept>({ folder });
    const [first, second] = [make(persistence), make(persistence)];
    await first.bot.handleUpdate(textUpdate("a"));
    await expect(second.app.initialize()).rejects.toThrow(withCode("PERDURE_OWNED"));
    await first.bot.handleUpdate(textUpdate("b"));
    await first.app.shutdown();
    await second.bot.handleUpdate(textUpdate("c"));
    await second.app.shutdown();
    expect(contentOf(folder)["chat -1.json"]).toEqual({ log: ["a", "b", "c"] });
  });

  test("whose storage cannot list its keys does everything but list chats and users: PERDURE_UNSUPPORTED", async () => {
    const stored = new Map<string, unknown>();
    const storage = {
      read: (key: string) => stored.get(key),
      write: (key: string, value: unknown) => void stored.set(key, value),
      delete: (key: string) => void stored.delete(key),
    };
    const first = make(new StorageAdapterPersistence<Kept>({ storage }));
    await first.bot.handleUpdate(textUpdate("a"));
    await first.app.shutdown();
    const { bot, app } = make(new StorageAdapterPersistence<Kept>({ storage }));
    await expect(all(app.chatIds())).rejects.toThrow(withCode("PERDURE_UNSUPPORTED"));
    await expect(all(app.userIds())).rejects.toThrow("users cannot be listed");
    await bot.handleUpdate(textUpdate("b"));
    await app.transaction({ chats: [-1] }, (tx) => expect(tx.chatData(-1)).toEqual({ log: ["a", "b"] }));
  });

  test("of a folder writes one file for each conversation, whatever the number of them (PTB 14, 48)", async () => {
    const folder = temporaryFolder();
    const persistence = new JsonFolderPersistence({ folder });
    for (const id of [1, 2]) await persistence.updateConversation("a/b", [id, "x"], { step: id });
    expect(Object.values(contentOf(folder))).toEqual([{ step: 1 }, { step: 2 }]);
    await persistence.updateConversation("a/b", [1, "x"], undefined);
    expect(Object.values(contentOf(folder))).toEqual([{ step: 2 }]);
    expect(await persistence.getConversations("a/b")).toEqual([[[2, "x"], { step: 2 }]]);
  });

  test("what storeData switches off lives in memory, is rolled back like the rest, and is gone at the end (PTB 1)", async () => {
    const folder = temporaryFolder();
    const storeData = { chatData: false };
    const { bot, app } = make(new JsonFolderPersistence<Kept>({ folder, storeData }));
    await bot.handleUpdate(textUpdate("a"));
    await expect(bot.handleUpdate(textUpdate("throw"))).rejects.toThrow("no");
    await app.transaction({ chats: [-1] }, (tx) => expect(tx.chatData(-1)).toEqual({ log: ["a"] }));
    await app.shutdown();
    expect(Object.keys(contentOf(folder)).sort()).toEqual(["bot.json", "user 7.json"]);
  });

  test("a start that cannot load fails, and touches nothing (PTB 29, 33)", async () => {
    class Unreadable extends JsonFolderPersistence<Kept> {
      override async getUserData(): Promise<never> {
        throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
      }
    }
    const folder = temporaryFolder();
    const { app } = make(new Unreadable({ folder }));
    await expect(app.initialize()).rejects.toThrow("EACCES");
    await app.shutdown();
    expect(contentOf(folder)).toEqual({});
  });

  test("setBot is called once, when the application is created (PTB 5)", () => {
    const bots: unknown[] = [];
    class Knowing extends DictPersistence<Kept> {
      override setBot(...[bot, live]: Parameters<DictPersistence["setBot"]>): void {
        bots.push(bot);
        super.setBot(bot, live);
      }
    }
    const { bot } = make(new Knowing());
    expect(bots).toEqual([bot]);
  });

  test("runs a bot against Telegram, and PTB's JSON comes out of a DictPersistence", async () => {
    const { emulator, token, ann } = await setUp();
    const bot = new Bot<MyContext>(token, { client: { apiRoot: emulator.url } });
    const persistence = new DictPersistence<Kept>();
    const app = new Application(bot, {
      persistence,
      initial: { bot: () => ({ n: 0 }), chat: () => ({ log: [] }), user: () => ({ n: 0 }) },
      logger: silentLogger,
    });
    bot.on("message:text", async (ctx) => {
      ctx.chatData.log.push(ctx.msg.text);
      await ctx.reply(String(ctx.chatData.log.length));
    });
    onTestFinished(() => app.shutdown());
    const running = app.run();
    await ann.send("é");
    expect(await ann.nextReply()).toMatchObject({ text: "1" });
    await app.stop();
    await running;
    expect(persistence.chatDataJson).toBe(`{"${ann.id}": {"log": ["\\u00e9"]}}`);
  });
});
