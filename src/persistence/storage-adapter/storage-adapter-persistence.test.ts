import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FileAdapter } from "@grammyjs/storage-file";
import fc from "fast-check";
import { MemorySessionStorage, type StorageAdapter } from "grammy";
import { describe, expect, test } from "vitest";
import { DrivenClock } from "../../../test/support/driven-clock.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { withCode } from "../../../test/support/with-code.ts";
import type { CallbackData } from "../base-persistence.ts";
import { IntervalPersistence } from "../interval/interval-persistence.ts";
import { StorageAdapterPersistence, type KeyedStorage } from "./storage-adapter-persistence.ts";

const inFiles = (dirName: string): StorageAdapterPersistence => {
  return new StorageAdapterPersistence({ storage: new FileAdapter({ dirName }) });
};

const inMemory = (
  prefix?: string,
): { storage: MemorySessionStorage<unknown>; persistence: StorageAdapterPersistence } => {
  const storage = new MemorySessionStorage<unknown>();
  return { storage, persistence: new StorageAdapterPersistence({ storage, prefix }) };
};

const filesIn = (folder: string): string[] => {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort((a, b) => (a < b ? -1 : 1));
};

/** Values that JSON alone would spoil. */
const VALUE = { when: new Date(5), tags: new Set(["a"]), nothing: undefined, deep: [[[1n]]], "$odd.key": -0 };

describe("with the official file adapter", () => {
  test("what was kept is there after a restart, and what was dropped is not (8, 9, 10, 14, 15)", async () => {
    const folder = temporaryFolder();
    const first = inFiles(folder);
    const callbackData: CallbackData = [[["k", 1.5, { b: VALUE }]], { q: "k" }];
    await first.updateBotData(VALUE);
    await first.updateChatData(-1001, VALUE);
    await first.updateChatData(2, {});
    await first.updateUserData(42, { name: "Ann" });
    await first.updateCallbackData(callbackData);
    await first.updateConversation("order", [1, "x"], "NAME");
    await first.updateConversation("order", [2], "AGE");
    await first.updateConversation("order", [1, "x"], "DONE");
    await first.updateConversation("order", [2], null);
    await first.dropChatData(2);
    await first.dropUserData(99);
    const second = inFiles(folder);
    expect(await second.getBotData()).toEqual(VALUE);
    expect(await second.loadChatData(-1001)).toEqual(VALUE);
    expect(await second.loadChatData(2)).toBeUndefined();
    expect(await second.loadUserData(42)).toEqual({ name: "Ann" });
    expect(await second.getCallbackData()).toEqual(callbackData);
    expect(await second.getConversations("order")).toEqual([[[1, "x"], "DONE"]]);
    expect(await second.getConversations("other")).toEqual([]);
    await second.updateConversation("order", [1, "x"], null);
    expect(filesIn(folder)).toEqual(["bot.json", "callbackData.json", "chat_-1001.json", "user_42.json"]);
  });

  test("of nothing there is nothing (8, 9, 10)", async () => {
    const persistence = inFiles(temporaryFolder());
    expect(await persistence.getBotData()).toBeUndefined();
    expect(await persistence.getCallbackData()).toBeUndefined();
    expect(await persistence.loadUserData(1)).toBeUndefined();
    await persistence.updateConversation("order", [1], null);
  });

  test.each([
    "../../x",
    "a/b",
    "..",
    "Order",
    "order",
    "ORDER",
    "",
    "é=%",
    "con",
    "a".repeat(200),
    ".hidden",
    "a:b|c?*",
  ])("a conversation handler may be called %j: its file is in the folder, and is its own", async (name) => {
    const folder = join(temporaryFolder(), "kept");
    const persistence = inFiles(folder);
    await persistence.updateConversation(name, [1], name);
    await persistence.updateConversation(`${name} `, [1], "other");
    expect(await inFiles(folder).getConversations(name)).toEqual([[[1], name]]);
    const files = filesIn(folder);
    expect(files).toHaveLength(2);
    expect(files.every((file) => /^conversation_[a-z0-9_=A-F-]*\.json$/.test(file))).toBe(true);
    expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(2);
  });

  test("a file that is damaged or foreign is an error, and stays as it is", async () => {
    const folder = temporaryFolder();
    const persistence = inFiles(folder);
    await persistence.updateChatData(11, { a: 1 });
    const file = join(folder, "11", "chat_11.json");
    const whole = readFileSync(file, "utf8");
    const read = (text: string): Promise<unknown> => {
      writeFileSync(file, text);
      return persistence.loadChatData(11);
    };
    const torn = read(whole.slice(0, -5));
    await expect(torn).rejects.toThrow(withCode("PERDURE_IO"));
    await expect(torn).rejects.toThrow('The storage adapter cannot read "chat_11"');
    await expect(read('{"messages":5}')).rejects.toThrow(withCode("PERDURE_CORRUPT"));
    await expect(read('"{}"')).rejects.toThrow(withCode("PERDURE_CORRUPT"));
    await expect(read('{"perdure":1}')).rejects.toThrow(withCode("PERDURE_CORRUPT"));
    await expect(read('{"perdure":2,"text":"{}"}')).rejects.toThrow(withCode("PERDURE_NEWER_FORMAT"));
    await expect(read('{"perdure":1,"text":"{"}')).rejects.toThrow(withCode("PERDURE_CANNOT_DECODE"));
    expect(readFileSync(file, "utf8")).toBe('{"perdure":1,"text":"{"}');
    expect(await read(whole)).toEqual({ a: 1 });
  });

  test("as the docstring warns: a file that is empty or cannot be read is nothing there, since the adapter says so", async () => {
    const folder = temporaryFolder();
    const persistence = inFiles(folder);
    await persistence.updateChatData(11, { a: 1 });
    writeFileSync(join(folder, "11", "chat_11.json"), "");
    expect(await persistence.loadChatData(11)).toBeUndefined();
    mkdirSync(join(folder, "12", "chat_12.json"), { recursive: true });
    expect(await persistence.loadChatData(12)).toBeUndefined();
  });

  test("a write that fails is told", async () => {
    const folder = temporaryFolder();
    const persistence = inFiles(folder);
    writeFileSync(join(folder, "11"), "a file where a folder should be");
    await expect(persistence.updateChatData(11, {})).rejects.toThrow('The storage adapter cannot write "chat_11"');
  });

  test("chats, users and handlers cannot be listed, and it says so", async () => {
    const persistence = inFiles(temporaryFolder());
    await persistence.updateChatData(1, {});
    await expect(persistence.getChatData()).rejects.toThrow(withCode("PERDURE_UNSUPPORTED"));
    await expect(persistence.getUserData()).rejects.toThrow("has no readAllKeys): users cannot be listed");
    await expect(persistence.conversationNames()).rejects.toThrow("conversation handlers cannot be listed");
  });

  test("serves the engine, over a restart", async () => {
    const folder = temporaryFolder();
    const clock = new DrivenClock();
    const errors: unknown[] = [];
    const opened = async (): Promise<IntervalPersistence> => {
      const interval = new IntervalPersistence(inFiles(folder), { clock, onError: (error) => errors.push(error) });
      await interval.open({ botId: 1, now: () => clock.now() });
      return interval;
    };
    const first = await opened();
    expect(first.abilities.lazy).toBe(true);
    const conversation = { kind: "conversation", name: "order", id: [1] } as const;
    await first.commit([
      {
        changes: [
          { key: { kind: "bot" }, record: { text: '{"greeted":1}', version: 0 } },
          { key: { kind: "chat", id: 1 }, record: { text: '{"n":1}', version: 0 } },
          { key: conversation, record: { text: '{"state":"NAME"}', version: 0 } },
          { key: { kind: "keyboard", id: "k" }, record: { text: '{"b":1}', version: 0, time: 5000 } },
        ],
      },
    ]);
    await first.close();
    const second = await opened();
    const keys = [
      { kind: "bot" },
      { kind: "chat", id: 1 },
      conversation,
      { kind: "keyboard", id: "k" },
      { kind: "chat", id: 2 },
    ] as const;
    const records = await second.read(keys);
    expect(records.map((record) => record?.text)).toEqual([
      '{"greeted":1}',
      '{"n":1}',
      '{"state":"NAME"}',
      '{"b":1}',
      undefined,
    ]);
    await second.close();
    expect(errors).toEqual([]);
  });
});

describe("what can never be read is told to the engine as such (PERDURE_REFUSED, PERDURE_UNSUPPORTED):", () => {
  const chat = (id: number) => ({ kind: "chat", id }) as const;

  async function openedOn(storage: KeyedStorage): Promise<IntervalPersistence> {
    const persistence = new StorageAdapterPersistence({ storage });
    const interval = new IntervalPersistence(persistence, { clock: new DrivenClock(), onError() {} });
    await interval.open({ botId: 1, now: () => 0 });
    return interval;
  }

  test.each<[string, unknown]>([
    ["half a text", { perdure: 1, text: '{"a":' }],
    ["what another program has written", { messages: 5 }],
    ["what a newer version has written", { perdure: 2, text: "{}" }],
    ["a number where an object belongs", { perdure: 1, text: "5" }],
  ])("%s, which is left as it is, while other chats go on", async (_, damaged) => {
    const { storage, persistence } = inMemory();
    await persistence.updateChatData(2, { b: 1 });
    storage.write("chat_1", damaged);
    const interval = await openedOn(storage);
    await expect(interval.read([chat(1)])).rejects.toThrow(withCode("PERDURE_REFUSED"));
    expect(await interval.read([chat(2)])).toEqual([{ text: '{"b":1}', version: 0 }]);
    await expect(interval.keys("chat", { limit: 9 })).rejects.toThrow(withCode("PERDURE_REFUSED"));
    await interval.close();
    expect(storage.read("chat_1")).toEqual(damaged);
  });

  test("all ids of an adapter without readAllKeys", async () => {
    const { storage, persistence } = inMemory();
    await persistence.updateChatData(1, { a: 1 });
    const interval = await openedOn({
      read: (key) => storage.read(key),
      write: (key, value) => storage.write(key, value),
      delete: (key) => storage.delete(key),
    });
    await expect(interval.keys("chat", { limit: 9 })).rejects.toThrow(withCode("PERDURE_UNSUPPORTED"));
    await expect(interval.keys("user", { limit: 9 })).rejects.toThrow(withCode("PERDURE_UNSUPPORTED"));
    expect(await interval.read([chat(1)])).toEqual([{ text: '{"a":1}', version: 0 }]);
    await interval.close();
  });

  test("but not what cannot be read now", async () => {
    const { storage, persistence } = inMemory();
    await persistence.updateChatData(1, { a: 1 });
    let isConnected = true;
    const interval = await openedOn({
      read: (key) => {
        if (!isConnected) throw new TypeError("fetch failed");
        return storage.read(key);
      },
      write: (key, value) => storage.write(key, value),
      delete: (key) => storage.delete(key),
    });
    isConnected = false;
    await expect(interval.read([chat(1)])).rejects.toThrow(withCode("PERDURE_IO"));
    isConnected = true;
    expect(await interval.read([chat(1)])).toEqual([{ text: '{"a":1}', version: 0 }]);
    await interval.close();
  });
});

describe("with an adapter that can list its keys", () => {
  test("chats, users and handlers are listed, other keys of the storage are left alone (8)", async () => {
    const { storage, persistence } = inMemory("bot7.");
    storage.write("42", { session: true });
    storage.write("chat_1", { session: true });
    storage.write("bot7.chat_x", { session: true });
    storage.write("bot7.chat_01", { session: true });
    storage.write("bot7.conversation_A", { session: true });
    await persistence.updateChatData(-5, { a: 1 });
    await persistence.updateChatData(0, { b: 1 });
    await persistence.updateUserData(5, { c: 1 });
    await persistence.updateConversation("Order/1", [1], "NAME");
    await persistence.updateConversation("", [1], "NAME");
    expect(await persistence.getChatData()).toEqual(
      new Map([
        [-5, { a: 1 }],
        [0, { b: 1 }],
      ]),
    );
    expect(await persistence.getUserData()).toEqual(new Map([[5, { c: 1 }]]));
    expect(await persistence.conversationNames()).toEqual(["Order/1", ""]);
    expect([...storage.readAllKeys()]).toContain("bot7.conversation_=4Frder=2F1");
  });

  test("what it keeps is a flat object with a text, and shares nothing with the value (12)", async () => {
    const { storage, persistence } = inMemory();
    const data = { cart: ["apple"] };
    await persistence.updateChatData(1, data);
    expect(storage.read("chat_1")).toEqual({ perdure: 1, text: '{"cart":["apple"]}' });
    data.cart.push("pear");
    expect(await persistence.loadChatData(1)).toEqual({ cart: ["apple"] });
    expect(await persistence.loadChatData(1)).not.toBe(await persistence.loadChatData(1));
  });

  test("all names of handlers come back as they were", async () => {
    const name = fc.string({ unit: "binary" }).filter((text) => text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { maxLength: 5 }), async (names) => {
        const { persistence, storage } = inMemory();
        for (const each of names) await persistence.updateConversation(each, [1], each);
        expect(await persistence.conversationNames()).toEqual(names);
        expect(new Set([...storage.readAllKeys()].map((key) => key.toLowerCase())).size).toBe(names.length);
      }),
    );
    const { persistence } = inMemory();
    await expect(async () => persistence.updateConversation("\ud800", [1], 1)).rejects.toThrow(TypeError);
  });

  test("conversations that change at the same time all count", async () => {
    const { storage, persistence } = inMemory();
    const slow: KeyedStorage = {
      read: async (key) => storage.read(key),
      write: async (key, value) => storage.write(key, value),
      delete: async (key) => storage.delete(key),
    };
    const slowly = new StorageAdapterPersistence({ storage: slow });
    await Promise.all([1, 2, 3].map((id) => slowly.updateConversation("order", [id], "NAME")));
    expect(await persistence.getConversations("order")).toHaveLength(3);
  });

  test("what the adapter fails with is the cause, and null is nothing there", async () => {
    const boom = new Error("no connection");
    const fail = (): never => {
      throw boom;
    };
    const storage: KeyedStorage = { read: fail, write: fail, delete: fail, readAllKeys: fail };
    const persistence = new StorageAdapterPersistence({ storage });
    const error = (code: string): unknown => expect.objectContaining({ code, cause: boom });
    await expect(persistence.getBotData()).rejects.toEqual(error("PERDURE_IO"));
    await expect(persistence.updateBotData({})).rejects.toEqual(error("PERDURE_IO"));
    await expect(persistence.dropUserData(1)).rejects.toEqual(error("PERDURE_IO"));
    await expect(persistence.getChatData()).rejects.toEqual(error("PERDURE_IO"));
    const empty = new StorageAdapterPersistence({ storage: { ...storage, read: () => null } });
    expect(await empty.getBotData()).toBeUndefined();
  });

  test("a value that cannot be kept is refused by its key", async () => {
    const { persistence } = inMemory();
    await expect(persistence.updateUserData(4, { f: () => {} })).rejects.toThrow(withCode("PERDURE_CANNOT_KEEP"));
    await expect(persistence.updateUserData(4, { f: () => {} })).rejects.toThrow("user_4.f");
  });

  test("takes any adapter of grammY's type, and refuses what is none", () => {
    const adapter: StorageAdapter<unknown> = new MemorySessionStorage<unknown>();
    expect(new StorageAdapterPersistence<{ bot: { n: number } }>({ storage: adapter }).updateInterval).toBe(60_000);
    expect(() => new StorageAdapterPersistence({ storage: {} as never })).toThrow(TypeError);
    expect(() => new StorageAdapterPersistence({} as never)).toThrow(TypeError);
  });
});
