import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { withCode } from "../../../test/support/with-code.ts";
import { PythonDatetime } from "../../data/python/python-datetime.ts";
import { PythonDecimal } from "../../data/python/python-decimal.ts";
import type { PythonObject } from "../../data/python/python-object.ts";
import { PythonTuple } from "../../data/python/python-tuple.ts";
import { toBotApi } from "../../data/python/to-bot-api.ts";
import type { BasePersistence } from "../base-persistence.ts";
import { IntervalPersistence } from "../interval/interval-persistence.ts";
import { PicklePersistence, type PicklePersistenceOptions } from "./pickle-persistence.ts";
import { WholeFloat } from "./python/whole-float.ts";
import { readPickle } from "./reader/read-pickle.ts";
import { writePickle } from "./writer/write-pickle.ts";

const fixtures = fileURLToPath(new URL("fixtures/", import.meta.url));

/** A copy of a fixture in a folder of its own. */
function copied(name: string): string {
  const file = join(temporaryFolder(), name);
  copyFileSync(fixtures + name, file);
  return file;
}

function opened(filepath: string, options: Partial<PicklePersistenceOptions> = {}): PicklePersistence {
  return new PicklePersistence({ filepath, ownerTimeout: 0, ...options });
}

/** One entry of a file: a dict, as it is described. */
function entryOf<V>(file: string, kind: string, key: unknown): Map<unknown, V> {
  return rootOf(file).get(kind)?.get(key) as Map<unknown, V>;
}

const rootOf = (file: string): Map<string, Map<unknown, unknown>> =>
  readPickle(readFileSync(file)) as Map<string, Map<unknown, unknown>>;

function inInterval(plain: BasePersistence, errors: unknown[] = []): IntervalPersistence {
  return new IntervalPersistence(plain, {
    clock: { now: () => 0, after: () => () => {} },
    onError: (error) => errors.push(error),
  });
}

const opening = { botId: 1, now: () => 0 };

describe("reading", () => {
  test("24, 38: everything of a single file, as copies", async () => {
    const persistence = opened(copied("p01_flow.pickle"));
    const bot = { token: "1:A" };
    persistence.setBot(bot, { nameOf: (object) => (object === bot ? "bot" : undefined), get: () => bot });
    const users = await persistence.getUserData();
    expect([...users.keys()]).toEqual([2002, 1001, 1002]);
    expect(users.get(1001)).toEqual({ n: 5, picked: "plain" });
    expect(await persistence.getBotData()).toEqual({ users: new Set([1001, 1002, 2002]) });
    expect(await persistence.getConversations("survey")).toEqual([[[1001, 1001], 1]]);
    expect(await persistence.conversationNames()).toEqual(["survey"]);
    const [keyboards = [], queries] = (await persistence.getCallbackData()) ?? [];
    expect(keyboards[0]?.slice(0, 2)).toEqual(["0a53e13e121d47d590cc6aa860f1582a", 1_700_000_123.456]);
    expect(keyboards[0]?.[2]["0603105a01814b52ab05cf095f3561c5"]).toEqual({ id: 1, t: new PythonTuple([1, 2]) });
    expect(queries).toEqual({ "44110": "0a53e13e121d47d590cc6aa860f1582a" });
    (users.get(1001) as { n: number }).n = 6;
    expect((await persistence.getUserData()).get(1001)).toEqual({ n: 5, picked: "plain" });
    await persistence.flush();
  });

  test("55, 56, 60: toBotApi makes grammY's objects of those of version 22 and of 13", async () => {
    const bot = { token: "1:A" };
    const live = { nameOf: () => undefined, get: () => bot };
    const persistence = opened(copied("p08_telegram.pickle"));
    persistence.setBot(bot, live);
    const { tg } = (await persistence.getChatData()).get(5) as { tg: Record<string, PythonObject> };
    expect(toBotApi(tg["message"])).toMatchObject({
      message_id: 77,
      date: 1_700_000_000,
      edit_date: 1_700_000_100,
      text: "/start hello @ann",
      from: { id: 5_551_234_567, is_bot: false, first_name: "Ann", username: "ann_b" },
      chat: { id: -1_001_234_567_890, type: "supergroup", title: "Grüppe 😀", is_forum: true },
      entities: [
        { type: "bot_command", offset: 0, length: 6 },
        { type: "text_mention", offset: 1, length: 2, user: { id: 9, first_name: "M", is_bot: false } },
      ],
      reply_markup: {
        inline_keyboard: [
          [
            { text: "b", callback_data: "d" },
            { text: "u", url: "https://t.me" },
          ],
        ],
      },
      reply_to_message: { message_id: 70, caption: "cap", photo: [{ file_id: "AgAD", width: 90, height: 67 }] },
      brand_new_field: { from: "a future Bot API", n: [1, 2] },
    });
    expect(Object.keys(toBotApi(tg["message"])).filter((key) => key.startsWith("_") || key === "bot")).toEqual([]);

    const old = opened(copied("p51_v13_rich_py311.pickle"));
    old.setBot(bot, live);
    const chat = (await old.getChatData()).get(11) as { message: PythonObject; bot_itself: unknown };
    expect(toBotApi(chat.message)).toMatchObject({ message_id: 2, text: "x", date: 1_650_000_000, from: { id: 11 } });
    expect(chat.bot_itself).toBe(bot);
    expect(() => toBotApi({ message_id: 1 })).toThrow("no object of python-telegram-bot");
  });

  test("25, 27: several files, those of version 13 too", async () => {
    for (const version of ["p02_multi", "p52_v13_multi_py37"]) {
      const folder = temporaryFolder();
      for (const kind of ["user_data", "chat_data", "bot_data", "callback_data", "conversations"]) {
        copyFileSync(`${fixtures}${version}_${kind}`, join(folder, `bot_${kind}`));
      }
      const persistence = opened(join(folder, "bot"), { singleFile: false });
      const bot = { token: "1:A" };
      persistence.setBot(bot, { nameOf: () => undefined, get: () => bot });
      expect((await persistence.getUserData()).size).toBeGreaterThan(0);
      expect((await persistence.getChatData()).size).toBeGreaterThan(0);
      expect((await persistence.getCallbackData())?.[0]).toHaveLength(1);
      const name = (await persistence.conversationNames())[0] ?? "";
      expect(await persistence.getConversations(name)).toHaveLength(1);
      await persistence.updateUserData(5, { a: 1 });
      expect(readdirSync(folder).filter((file) => !file.endsWith("-lock"))).toHaveLength(5);
      expect((readPickle(readFileSync(join(folder, "bot_user_data"))) as Map<number, unknown>).has(5)).toBe(true);
    }
  });

  test("28: a missing file is empty, and only that is (29)", async () => {
    const folder = temporaryFolder();
    const persistence = opened(join(folder, "none.pickle"));
    expect(await persistence.getBotData()).toBeUndefined();
    expect(await persistence.getCallbackData()).toBeUndefined();
    expect((await persistence.getUserData()).size).toBe(0);
    expect(readdirSync(folder).filter((name) => !name.endsWith("-lock"))).toEqual([]);
    mkdirSync(join(folder, "folder"));
    await expect(opened(join(folder, "folder")).getUserData()).rejects.toThrow(withCode("PERDURE_CANNOT_OPEN"));
  });

  test("15, 16, 34: what old files do not have is empty", async () => {
    const persistence = opened(copied("p15_no_bot_data.pickle"));
    expect(await persistence.getBotData()).toBeUndefined();
    expect(await persistence.getCallbackData()).toBeUndefined();
    expect((await persistence.getChatData()).get(2)).toEqual({ b: new PythonTuple([1]) });
  });

  test.each([
    ["p20_truncated_50.pickle", "File p20_truncated_50.pickle does not contain valid pickle data"],
    ["p21_zeros.pickle", "File p21_zeros.pickle does not contain valid pickle data"],
    ["p22_zero_length.pickle", "Something went wrong unpickling p22_zero_length.pickle"],
    ["p23_wrong_root_none.pickle", "Something went wrong unpickling p23_wrong_root_none.pickle"],
    ["p24_no_conversations.pickle", "it has no conversations"],
    ["p24_bot_data_list.pickle", "bot_data is no dict"],
    ["p24_callback_data_list.pickle", "it must be a tuple of length 2"],
    ["p25_unknown_persid.pickle", "Found unknown persistent id when unpickling!"],
    ["p30_os_system_root.pickle", "what is in it is no dict"],
  ])("30 to 33: %s is refused and left alone", async (name, message) => {
    const file = copied(name);
    const before = readFileSync(file);
    for (const use of [(p: PicklePersistence) => p.getUserData(), (p: PicklePersistence) => p.updateUserData(1, {})]) {
      await expect(use(opened(file))).rejects.toThrow(withCode("PERDURE_CORRUPT"));
      await expect(use(opened(file))).rejects.toThrow(message);
    }
    expect(readFileSync(file)).toEqual(before);
  });

  test("limits: a file that is too large, and a value that is too deep", async () => {
    const file = copied("p01_flow.pickle");
    await expect(opened(file, { limits: { bytes: 100 } }).getUserData()).rejects.toThrow("more than 100");
    const deep = opened(copied("p04_containers.pickle"), { limits: { depth: 3 } });
    await expect(deep.getUserData()).rejects.toThrow("nested deeper than 3 levels");
    expect(() => opened(file, { limits: { depth: 5000 } })).toThrow(withCode("PERDURE_INVALID_OPTION"));
  });
});

describe("writing", () => {
  test("what nobody changed is written as it was, and what changed keeps its floats and the order of its keys", async () => {
    const file = copied("p03_scalars.pickle");
    const before = rootOf(file);
    const persistence = opened(file);
    const data = (await persistence.getUserData()).get(1) as { floats: number[] };
    await persistence.updateUserData(2, { new: true });
    expect(rootOf(file).get("user_data")?.get(1)).toEqual(before.get("user_data")?.get(1));
    data.floats[2] = 2;
    await persistence.updateUserData(1, data);
    const floats = entryOf<unknown[]>(file, "user_data", 1).get("floats");
    expect(floats?.[2]).toEqual(new WholeFloat(2));
    expect(floats?.[0]).toEqual(new WholeFloat(0));
    const dicts = copied("p04_containers.pickle");
    const other = opened(dicts);
    const containers = (await other.getUserData()).get(1) as { order: Record<string, number>; more?: number };
    containers.more = 1;
    containers.order["a"] = 7;
    await other.updateUserData(1, containers);
    const order = entryOf<Map<string, number>>(dicts, "user_data", 1).get("order");
    expect([...(order?.keys() ?? [])]).toEqual(["z", "y", "x", "a", "b", "c"]);
  });

  test("24: the file has PTB's keys, in its order, and keeps what else was in it", async () => {
    const file = join(temporaryFolder(), "bot.pickle");
    writeFileSync(
      file,
      writePickle(
        new Map<string, unknown>([
          ["extra", 1],
          ["user_data", new Map()],
          ["chat_data", new Map()],
          ["conversations", new Map()],
        ]),
      ),
    );
    await opened(file).updateChatData(-7, { title: "T" });
    expect([...rootOf(file).keys()]).toEqual([
      "conversations",
      "user_data",
      "chat_data",
      "bot_data",
      "callback_data",
      "extra",
    ]);
    expect(rootOf(file).get("callback_data")).toBeNull();
  });

  test("42: one writing is one write, however much has changed; an update by itself is one too", async () => {
    const file = join(temporaryFolder(), "bot.pickle");
    const store = inInterval(opened(file));
    await store.open(opening);
    for (let id = 1; id <= 5; id += 1) {
      await store.commit([{ changes: [{ key: { kind: "user", id }, record: { text: `{"n":${id}}`, version: 0 } }] }]);
    }
    expect(existsSync(file)).toBe(false);
    const writes = await countWrites(file, () => store.write());
    expect(writes).toBe(1);
    expect(rootOf(file).get("user_data")?.size).toBe(5);
    expect(await countWrites(file, () => store.write())).toBe(0);
    await store.close();
    const plain = opened(file);
    expect(await countWrites(file, () => plain.updateUserData(9, {}))).toBe(1);
    expect(await countWrites(file, () => plain.updateUserData(9, {}))).toBe(0);
    expect(await countWrites(file, () => plain.dropUserData(77))).toBe(0);
    expect(await countWrites(file, () => plain.flush())).toBe(0);
  });

  /** How often a file was replaced: each time it is another one. */
  async function countWrites(file: string, work: () => Promise<void>): Promise<number> {
    const replaced = vi.fn<() => void>();
    let last = existsSync(file) ? statSync(file).ino : 0;
    const watch = setInterval(() => {
      const now = existsSync(file) ? statSync(file).ino : 0;
      if (now !== last) replaced();
      last = now;
    }, 0);
    await work();
    clearInterval(watch);
    const now = existsSync(file) ? statSync(file).ino : 0;
    return replaced.mock.calls.length + (now === last ? 0 : 1);
  }

  test("43: with onFlush nothing is written before flush", async () => {
    const file = join(temporaryFolder(), "bot.pickle");
    const persistence = opened(file, { onFlush: true });
    const store = inInterval(persistence);
    await store.open(opening);
    await store.commit([{ changes: [{ key: { kind: "user", id: 1 }, record: { text: "{}", version: 0 } }] }]);
    await store.write();
    expect(existsSync(file)).toBe(false);
    await store.close();
    expect(rootOf(file).get("user_data")?.size).toBe(1);
  });

  test("37: what is not written is not lost by asking for a kind that is empty", async () => {
    const persistence = opened(copied("p12_empty.pickle"), { onFlush: true });
    await persistence.updateUserData(1, { a: 1 });
    expect((await persistence.getChatData()).size).toBe(0);
    expect((await persistence.getUserData()).get(1)).toEqual({ a: 1 });
  });

  test("a value that Python has no equal for is refused with its path, and everybody else's data is written", async () => {
    const file = copied("p12_empty.pickle");
    const errors: unknown[] = [];
    const store = inInterval(opened(file), errors);
    await store.open(opening);
    const text = store.codec.encode({ cart: [1, { made: undefined }] });
    await store.commit([
      {
        changes: [
          { key: { kind: "user", id: 42 }, record: { text, version: 0 } },
          { key: { kind: "user", id: 43 }, record: { text: '{"n":1}', version: 0 } },
        ],
      },
    ]);
    await store.write();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: "PERDURE_CANNOT_KEEP" });
    expect((errors[0] as Error).message).toContain("userData.42.cart[1].made: Python has no undefined");
    expect([...(rootOf(file).get("user_data")?.keys() ?? [])]).toEqual([43]);
  });

  test.each<[string, unknown, string]>([
    ["undefined", { a: undefined }, ".a: Python has no undefined"],
    ["a list as a key", new Map([[[1], 2]]), "Python takes no list"],
    ["an object in a Set", { s: new Set([{}]) }, "Python takes no list"],
    [
      "1 and true as keys",
      new Map<unknown, unknown>([
        [1, "a"],
        [true, "b"],
      ]),
      "Python takes it for equal",
    ],
    [
      "equal tuples in a Set",
      { s: new Set([new PythonTuple([1]), new PythonTuple([1])]) },
      "Python takes it for equal",
    ],
    ["a hole", { a: Object.assign(Array.from({ length: 0 }), { length: 2 }) }, "holes"],
    ["a Float64Array", { a: new Float64Array(1) }, "has no equal in Python"],
    ["an object without a prototype", { a: Object.create(null) }, "without a prototype"],
    ["a year that Python does not have", { a: new Date(Date.UTC(12_000, 0)) }, "years 1 to 9999"],
    ["an invalid Date", { a: new Date(Number.NaN) }, "invalid Date"],
  ])("refused: %s", async (_name, value, message) => {
    const file = copied("p12_empty.pickle");
    const before = readFileSync(file);
    const persistence = opened(file);
    await expect(persistence.updateUserData(1, value as object)).rejects.toThrow(withCode("PERDURE_CANNOT_KEEP"));
    await expect(persistence.updateUserData(1, value as object)).rejects.toThrow(message);
    expect(readFileSync(file)).toEqual(before);
  });

  test("64: what storeData switches off stays in the file", async () => {
    const file = copied("p01_flow.pickle");
    const before = rootOf(file);
    const persistence = opened(file, { storeData: { chatData: false, callbackData: false } });
    const store = inInterval(persistence);
    await store.open(opening);
    const change = { key: { kind: "chat", id: 1 }, record: { text: '{"mine":1}', version: 0 } } as const;
    await store.commit([{ changes: [change, { ...change, key: { kind: "user", id: 1 } }] }]);
    await store.close();
    expect(rootOf(file).get("chat_data")).toEqual(before.get("chat_data"));
    expect(rootOf(file).get("callback_data")).toEqual(before.get("callback_data"));
    expect(rootOf(file).get("user_data")?.get(1)).toEqual(new Map([["mine", 1]]));
  });

  test("48: an ended conversation is not in the file, nor one whose state was None", async () => {
    const file = join(temporaryFolder(), "bot.pickle");
    const conversations = new Map([
      [
        "c",
        new Map([
          [new PythonTuple([1, 1]), null],
          [new PythonTuple([2, 2]), 1],
        ]),
      ],
    ]);
    writeFileSync(
      file,
      writePickle(
        new Map<string, unknown>([
          ["user_data", new Map()],
          ["chat_data", new Map()],
          ["conversations", conversations],
        ]),
      ),
    );
    const persistence = opened(file);
    expect(await persistence.getConversations("c")).toEqual([[[2, 2], 1]]);
    await persistence.updateConversation("c", [3, 3], new PythonTuple(["a", 1]));
    await persistence.updateConversation("c", [2, 2], null);
    await persistence.updateConversation("unknown", [2, 2], null);
    expect([...(rootOf(file).get("conversations")?.keys() ?? [])]).toEqual(["c"]);
    const keys = entryOf(file, "conversations", "c").keys() as Iterable<PythonTuple>;
    expect([...keys].map(({ items }) => items)).toEqual([[3, 3]]);
  });

  test("numbers of states are names here, and numbers in the file", async () => {
    const file = copied("p10_conversations.pickle");
    const persistence = opened(file, { stateNames: { menu: { 0: "START", 3: "CONFIRM" } } });
    const states = new Map((await persistence.getConversations("menu")).map(([id, state]) => [id.join(), state]));
    expect(Object.fromEntries(states)).toEqual({
      "123,123": "START",
      "-1001234567890,55": "CONFIRM",
      "7,7": "TYPING",
      "9,9": -1,
    });
    await persistence.updateConversation("menu", [123, 123], "CONFIRM");
    const menu = rootOf(file).get("conversations")?.get("menu") as Map<PythonTuple, unknown>;
    expect([...menu.values()]).toEqual([3, 3, "TYPING", -1]);
    expect(() => opened(file, { stateNames: { menu: { 0: "A", 1: "A" } } })).toThrow(
      withCode("PERDURE_INVALID_OPTION"),
    );
  });

  test("50, 51, 53: the bot, another bot, and a text that looks like one", async () => {
    const file = copied("p12_empty.pickle");
    const [bot, other] = [{ token: "1:A" }, { token: "2:B" }];
    const live = {
      nameOf: (object: object) => (object === bot ? "bot" : object === other ? null : undefined),
      get: () => bot,
    };
    const persistence = opened(file);
    persistence.setBot(bot, live);
    const text = "a known bot replaced by PTB's PicklePersistence";
    await persistence.updateBotData({ bot, other, text, old: "bot_instance_replaced_by_ptb_persistence" });
    await persistence.flush();
    const again = await persistence.getBotData();
    expect(again).toEqual({ bot, other: null, text, old: "bot_instance_replaced_by_ptb_persistence" });
    expect((again as { bot: unknown }).bot).toBe(bot);
    const unset = opened(file);
    await persistence.flush();
    await expect(unset.getBotData()).rejects.toThrow("botData.bot: the bot stands here, and setBot was not called.");
  });

  test("61: an object of a class that is gone survives, and can be read and changed", async () => {
    const file = copied("p17_missing_class.pickle");
    const persistence = opened(file);
    const data = (await persistence.getUserData()).get(1) as { o: PythonObject };
    expect([data.o.name, data.o.get("a")]).toEqual(["gone_module.Lost", 1]);
    (data.o.state as { a: number }).a = 2;
    await persistence.updateUserData(1, data);
    await persistence.flush();
    const again = (await opened(file).getUserData()).get(1) as { o: PythonObject };
    expect(again.o.get("a")).toBe(2);
    expect((again.o.get("b") as unknown[])[0]).toBe(again.o);
  });

  test("values of Python are made by programs too", async () => {
    const file = join(temporaryFolder(), "bot.pickle");
    const value = {
      price: new PythonDecimal("1.10"),
      at: new PythonDatetime("2024-02-29T12:30:15.123456"),
      on: new Date(0),
    };
    const persistence = opened(file);
    await persistence.updateUserData(1, value);
    await persistence.flush();
    expect((await persistence.getUserData()).get(1)).toEqual(value);
    expect(value.at.toDate("Europe/Berlin").toISOString()).toBe("2024-02-29T11:30:15.123Z");
  });
});

describe("the file", () => {
  test("a second persistence is refused until the first has let go", async () => {
    const file = copied("p12_empty.pickle");
    const first = opened(file);
    await first.getUserData();
    await expect(opened(file).getUserData()).rejects.toThrow(withCode("PERDURE_OWNED"));
    await first.flush();
    const second = opened(file);
    expect((await second.getUserData()).size).toBe(0);
    await second.flush();
  });

  test("what another program has changed is not overwritten", async () => {
    const file = copied("p12_empty.pickle");
    const persistence = opened(file);
    await persistence.getUserData();
    copyFileSync(`${fixtures}p10_conversations.pickle`, file);
    const written = readFileSync(file);
    await expect(persistence.updateUserData(1, {})).rejects.toThrow("was changed by another program");
    expect(readFileSync(file)).toEqual(written);
  });

  test("a write that fails leaves the file, and the next one has everything", async () => {
    const file = copied("p12_empty.pickle");
    const before = readFileSync(file);
    const persistence = opened(file);
    await persistence.getUserData();
    mkdirSync(`${file}-new`);
    await expect(persistence.updateUserData(1, { a: 1 })).rejects.toThrow(withCode("PERDURE_CANNOT_OPEN"));
    expect(readFileSync(file)).toEqual(before);
    // The folder that stood in the way is taken away.
    rmdirSync(`${file}-new`);
    await persistence.updateUserData(2, { b: 2 });
    expect([...(rootOf(file).get("user_data")?.keys() ?? [])]).toEqual([1, 2]);
  });

  test("a writing that fails at its end is reported, and what it gave is given again", async () => {
    const file = copied("p12_empty.pickle");
    const errors: unknown[] = [];
    const store = inInterval(opened(file), errors);
    await store.open(opening);
    const key = { kind: "user", id: 1 } as const;
    await store.commit([{ changes: [{ key, record: { text: '{"a":1}', version: 0 } }] }]);
    mkdirSync(`${file}-new`);
    await store.write();
    expect(errors).toHaveLength(1);
    expect((errors[0] as Error).message).toContain("PicklePersistence.together failed");
    expect(store.hasUnwritten(key)).toBe(true);
    rmdirSync(`${file}-new`);
    await store.write();
    expect(store.hasUnwritten(key)).toBe(false);
    expect(entryOf(file, "user_data", 1)).toEqual(new Map([["a", 1]]));
    await store.close();
  });

  test("keeps its mode, and a link stays a link", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "real.pickle");
    copyFileSync(`${fixtures}p12_empty.pickle`, file);
    chmodSync(file, 0o640);
    symlinkSync(file, join(folder, "link.pickle"));
    const persistence = opened(join(folder, "link.pickle"));
    await persistence.updateUserData(1, {});
    await persistence.flush();
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(rootOf(file).get("user_data")?.size).toBe(1);
    expect(rootOf(join(folder, "link.pickle")).get("user_data")?.size).toBe(1);
    expect(readdirSync(folder).filter((name) => name.endsWith("-new"))).toEqual([]);
  });
});
