import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { JsonFolderPersistence } from "../../../examples/json-folder-persistence.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { withCode } from "../../../test/support/with-code.ts";
import { jsonCodec, type Codec } from "../../data/codec.ts";
import type { RecordChange, RecordKey } from "../../data/record.ts";
import type { Acceptance, AtomicPersistence, FailedUpdate } from "../atomic-persistence.ts";
import type { CallbackData } from "../base-persistence.ts";
import { DictPersistence } from "../dict/dict-persistence.ts";
import { SqlitePersistence } from "../sqlite/sqlite-persistence.ts";
import { copyPersistence, type CopyProgress } from "./copy-persistence.ts";

const BOT = 77;
const NOW = Date.now();

function sqlite(name = "bot.sqlite", codec?: Codec): SqlitePersistence {
  return new SqlitePersistence({ path: join(temporaryFolder(), name), ownerTimeout: 0, durability: "os", codec });
}

async function using<T>(persistence: AtomicPersistence, work: () => Promise<T>): Promise<T> {
  await persistence.open({ botId: BOT, now: () => NOW });
  try {
    return await work();
  } finally {
    await persistence.close();
  }
}

const change = (key: RecordKey, text: string, version = 0, time?: number): RecordChange => ({
  key,
  record: { text, version, time },
});

const update = (id: number): never => ({ update_id: id, message: { text: `m${id}` } }) as never;

const CALLBACK_DATA: CallbackData = [
  [
    ["k1", 12.5, { b: { id: 1 } }],
    ["k2", 13, {}],
  ],
  { q1: "k1" },
];

/** Something of everything that a persistence keeps. */
async function fill(persistence: AtomicPersistence): Promise<void> {
  await persistence.commit([
    {
      changes: [
        change({ kind: "bot" }, '{"n":1}', 2),
        ...Array.from({ length: 1234 }, (_, n) => change({ kind: "chat", id: -n }, `{"n":${n}}`, 3)),
        change({ kind: "user", id: 2 ** 52 }, '{"$type":"x","name":"Ann"}'),
        change({ kind: "conversation", name: "greeting", id: [1, "inline"] }, '{"state":"NAME"}'),
        change({ kind: "entry", collection: "orders", id: "a b" }, "[1]"),
        change({ kind: "keyboard", id: "k" }, "{}", 0, 5000),
        change({ kind: "callbackQuery", id: "q" }, '"k"', 0, 6000),
        change({ kind: "job", id: "j" }, "{}", 0, 7000),
        change({ kind: "job", id: "idle" }, "{}"),
      ],
      alias: { from: -5, to: -500 },
    },
  ]);
  await persistence.accept([update(1), update(2), update(3), update(4)]);
  await persistence.commit([{ changes: [], done: 1 }]);
  await persistence.noteAttempts(3, 3);
  await persistence.commit([{ changes: [], done: 4, setAside: true }]);
}

interface Content {
  readonly records: readonly unknown[];
  readonly updates: readonly unknown[];
}

async function contentOf(persistence: AtomicPersistence): Promise<Content> {
  const kinds = ["bot", "chat", "user", "conversation", "entry", "keyboard", "callbackQuery", "job"] as const;
  const records: unknown[] = [];
  for (const kind of kinds) {
    const keys = await persistence.keys(kind, { limit: 10_000 });
    for (const [index, record] of (await persistence.read(keys)).entries()) records.push([keys[index], record]);
  }
  const open = (await persistence.openUpdates({ limit: 100 })).map(({ updateId, attempts }) => [updateId, attempts]);
  const failed: readonly FailedUpdate[] = await persistence.failedUpdates();
  return { records, updates: [open, failed, await persistence.chatAliases(), await persistence.doneUpdates()] };
}

describe("copyPersistence", () => {
  test("from one file to another carries everything: records, versions, times, inbox, set aside, done, aliases", async () => {
    const [from, to] = [sqlite(), sqlite()];
    const before = await using(from, async () => {
      await fill(from);
      return contentOf(from);
    });
    const progress: CopyProgress[] = [];
    const result = await copyPersistence(from, to, { botId: BOT, onProgress: (step) => void progress.push(step) });
    expect(result.records).toEqual({
      bot: 1,
      chat: 1234,
      user: 1,
      conversation: 1,
      keyboard: 1,
      callbackQuery: 1,
      entry: 1,
      job: 2,
    });
    expect([result.openUpdates, result.failedUpdates, result.leftOut]).toEqual([2, 1, {}]);
    expect(await using(to, () => contentOf(to))).toEqual(before);
    expect(await using(from, () => contentOf(from))).toEqual(before);
    expect(progress.filter(({ kind }) => kind === "chat")).toEqual([
      { phase: "copying", kind: "chat", count: 500 },
      { phase: "copying", kind: "chat", count: 1000 },
      { phase: "copying", kind: "chat", count: 1234 },
      { phase: "verifying", kind: "chat", count: 500 },
      { phase: "verifying", kind: "chat", count: 1000 },
      { phase: "verifying", kind: "chat", count: 1234 },
    ]);
  });

  test("from PTB's JSON to a file, and back, gives the same texts", async () => {
    const texts = {
      userDataJson: '{"1": {"2": [1, 2.5], "name": "Ann"}}',
      chatDataJson: '{"-100": {"n": 1}}',
      botDataJson: '{"n": 0}',
      conversationsJson: '{"greeting": {"[1, 2]": "NAME"}}',
      callbackDataJson: '[[["k1", 12.5, {"b": {"id": 1}}], ["k2", 13.0, {}]], {"q1": "k1"}]',
    };
    const file = sqlite();
    const result = await copyPersistence(new DictPersistence(texts), file, { botId: BOT });
    expect(result.records).toMatchObject({ bot: 1, chat: 1, user: 1, conversation: 1, keyboard: 2, callbackQuery: 1 });
    const back = new DictPersistence();
    await copyPersistence(file, back, { botId: BOT });
    const { userDataJson, chatDataJson, botDataJson, conversationsJson, callbackDataJson } = back;
    expect({ userDataJson, chatDataJson, botDataJson, conversationsJson, callbackDataJson }).toEqual(texts);
  });

  test("to a class of one's own and back; conversations of a class that cannot tell their names are to be named", async () => {
    const folder = mkdtempSync(join(tmpdir(), "perdure-"));
    const from = new DictPersistence();
    await from.updateChatData(1, { list: new Map([["a", 1n]]) });
    await from.updateUserData(2, { name: "Ann" });
    await from.updateConversation("greeting", [1, 2], "NAME");
    await from.updateCallbackData(CALLBACK_DATA);
    const files = new JsonFolderPersistence({ folder });
    await copyPersistence(from, files, { conversations: ["greeting"] });
    const to = new DictPersistence();
    await expect(copyPersistence(files, to)).rejects.toThrow(withCode("PERDURE_INVALID_OPTION"));
    const result = await copyPersistence(files, to, { conversations: ["greeting"] });
    expect(result.records).toMatchObject({ chat: 1, user: 1, conversation: 1, keyboard: 2, callbackQuery: 1 });
    expect(await to.getChatData()).toEqual(new Map([[1, { list: new Map([["a", 1n]]) }]]));
    expect(await to.getConversations("greeting")).toEqual([[[1, 2], "NAME"]]);
    expect(await to.getCallbackData()).toEqual(CALLBACK_DATA);
    rmSync(folder, { recursive: true });
  });

  test("values that have been through migrations elsewhere are not to go through them again: versions", async () => {
    const from = new DictPersistence();
    await from.updateChatData(1, { n: 1 });
    await from.updateUserData(1, { n: 1 });
    const to = sqlite();
    await copyPersistence(from, to, { botId: BOT, versions: { chat: 2 } });
    const records = await using(to, async () =>
      to.read([
        { kind: "chat", id: 1 },
        { kind: "user", id: 1 },
      ]),
    );
    expect(records.map((record) => record?.version)).toEqual([2, 0]);
  });

  test("refuses what the other has no place for, and tells it; partial copies the rest", async () => {
    const from = sqlite();
    await using(from, () => fill(from));
    const to = new DictPersistence();
    const refused = copyPersistence(from, to, { botId: BOT });
    await expect(refused).rejects.toThrow(withCode("PERDURE_UNSUPPORTED"));
    await expect(refused).rejects.toThrow(
      "entry: 1, job: 2, open updates: 2, failed updates: 1, chat aliases: 1, versions: 1235",
    );
    expect(await to.getChatData()).toEqual(new Map());
    const { leftOut, records } = await copyPersistence(from, to, { botId: BOT, partial: true });
    expect(leftOut).toEqual({
      entry: 1,
      job: 2,
      "open updates": 2,
      "failed updates": 1,
      "chat aliases": 1,
      versions: 1235,
    });
    expect(records).toMatchObject({ chat: 1234, entry: 0, job: 0 });
    expect((await to.getChatData()).size).toBe(1234);
  });

  test("refuses a target that keeps something, the same object, and a botId that is missing or none; nothing is touched", async () => {
    const [from, to] = [sqlite(), sqlite()];
    await using(from, () => fill(from));
    await using(to, async () => to.updateChatData(9, { mine: true }));
    await expect(copyPersistence(from, to, { botId: BOT })).rejects.toThrow(withCode("PERDURE_NOT_EMPTY"));
    expect(await using(to, () => to.getChatData())).toEqual(new Map([[9, { mine: true }]]));
    await expect(copyPersistence(from, from, { botId: BOT })).rejects.toThrow(TypeError);
    for (const botId of [undefined, Number.NaN, 0, -7, 1.5]) {
      const copying = copyPersistence(from, sqlite(), { botId });
      await expect(copying).rejects.toThrow(withCode("PERDURE_INVALID_OPTION"));
    }
    await expect(copyPersistence(new DictPersistence(), new DictPersistence())).resolves.toMatchObject({ leftOut: {} });
  });

  test("keeps nothing when a value cannot be kept by the other's codec, or when onProgress throws", async () => {
    class Cart {}
    const how = { encode: () => 0, decode: () => new Cart() };
    const from = sqlite("from.sqlite", jsonCodec().register("Cart", Cart, how));
    await using(from, async () => {
      await fill(from);
      await from.updateUserData(5, { cart: new Cart() });
    });
    const to = sqlite();
    const failing = copyPersistence(from, to, { botId: BOT });
    await expect(failing).rejects.toThrow(withCode("PERDURE_CANNOT_KEEP"));
    await expect(failing).rejects.toThrow("userData.5.cart");
    const onProgress = ({ kind }: CopyProgress): void => {
      if (kind === "job") throw new Error("enough");
    };
    const knowing = sqlite("to.sqlite", jsonCodec().register("Cart", Cart, how));
    await expect(copyPersistence(from, knowing, { botId: BOT, onProgress })).rejects.toThrow("enough");
    for (const persistence of [to, knowing]) {
      const { records, updates } = await using(persistence, () => contentOf(persistence));
      expect([records, updates]).toEqual([[], [[], [], [], []]]);
    }
    await expect(copyPersistence(from, knowing, { botId: BOT })).resolves.toMatchObject({ leftOut: {} });
  });

  test("finds a target that does not keep what it was given", async () => {
    class Forgetful extends DictPersistence {
      override async updateUserData(id: number, data: object): Promise<void> {
        await super.updateUserData(id, id === 3 ? { ...data, n: 0 } : data);
      }
    }
    const from = new DictPersistence();
    for (const id of [2, 3]) await from.updateUserData(id, { n: 7 });
    const copying = copyPersistence(from, new Forgetful());
    await expect(copying).rejects.toThrow(withCode("PERDURE_NOT_COPIED"));
    await expect(copying).rejects.toThrow('userData.3 was given as {"n":7} and came back as {"n":0}');
  });

  test("does not leave out silently what the target's storeData switches off", async () => {
    const from = new DictPersistence();
    await from.updateUserData(1, { n: 1 });
    const to = new DictPersistence({ storeData: { userData: false } });
    await expect(copyPersistence(from, to)).rejects.toThrow("user: 1");
  });

  test("refuses a target that remembers only done updates, or only chats that have moved", async () => {
    const from = sqlite();
    await using(from, () => fill(from));
    for (const remembered of [{ done: 3 }, { alias: { from: -1, to: -100 } }]) {
      const to = sqlite();
      await using(to, async () => to.commit([{ changes: [], ...remembered }]));
      await expect(copyPersistence(from, to, { botId: BOT })).rejects.toThrow(withCode("PERDURE_NOT_EMPTY"));
      expect((await using(to, () => contentOf(to))).records).toEqual([]);
    }
  });

  test("finds a target that does not accept an open update, and keeps nothing", async () => {
    class Knowing extends SqlitePersistence {
      override accept(): readonly Acceptance[] {
        return ["done"];
      }
    }
    const from = sqlite();
    await using(from, () => fill(from));
    const to = new Knowing({ path: join(temporaryFolder(), "bot.sqlite"), ownerTimeout: 0 });
    const copying = copyPersistence(from, to, { botId: BOT });
    await expect(copying).rejects.toThrow(withCode("PERDURE_NOT_COPIED"));
    await expect(copying).rejects.toThrow("The open update 2 was taken for done");
    expect((await using(to, () => contentOf(to))).records).toEqual([]);
  });

  test("counts all open updates that there is no place for, not only the first page", async () => {
    const from = sqlite();
    await using(from, async () => from.accept(Array.from({ length: 1234 }, (_, id) => update(id + 1))));
    const { leftOut } = await copyPersistence(from, new DictPersistence(), { botId: BOT, partial: true });
    expect(leftOut).toEqual({ "open updates": 1234 });
  });

  test("from a file that a person has edited, with one codec for both, keeps the value and not its layout", async () => {
    const codec = jsonCodec();
    const from = sqlite("bot.sqlite", codec);
    const edited = change({ kind: "chat", id: -1 }, '{ "log": ["x"] }');
    await using(from, async () => from.commit([{ changes: [edited] }]));
    const to = new DictPersistence({ codec });
    const { records } = await copyPersistence(from, to, { botId: BOT });
    expect(records).toMatchObject({ chat: 1 });
    expect(await to.getChatData()).toEqual(new Map([[-1, { log: ["x"] }]]));
  });

  test("from an atomic one copies all conversations, also those that conversations does not name", async () => {
    const from = sqlite();
    await using(from, async () => {
      await from.updateConversation("named", [1], "A");
      await from.updateConversation("not named", [1], "B");
    });
    const to = new DictPersistence();
    const { records } = await copyPersistence(from, to, { botId: BOT, conversations: ["named"] });
    expect(records).toMatchObject({ conversation: 2 });
    expect(await to.getConversations("not named")).toEqual([[[1], "B"]]);
  });

  test("copies the conversations of a name that is given twice once", async () => {
    const from = new JsonFolderPersistence({ folder: temporaryFolder() });
    await from.updateConversation("greeting", [1], "NAME");
    const to = sqlite();
    const { records } = await copyPersistence(from, to, { botId: BOT, conversations: ["greeting", "greeting"] });
    expect(records).toMatchObject({ conversation: 1 });
    expect(await using(to, async () => to.getConversations("greeting"))).toEqual([[[1], "NAME"]]);
  });

  test("a keyboard without a time of use is the longest unused one in PTB's shape (PTB 10)", async () => {
    const from = sqlite();
    await using(from, async () => from.commit([{ changes: [change({ kind: "keyboard", id: "k" }, "{}")] }]));
    const to = new DictPersistence();
    const { records } = await copyPersistence(from, to, { botId: BOT });
    expect(records).toMatchObject({ keyboard: 1 });
    expect(await to.getCallbackData()).toEqual([[["k", 0, {}]], {}]);
  });

  test("leaves both with the bot that they had, or without one, also when it fails", async () => {
    const live = { nameOf: () => undefined, get: () => undefined };
    for (const failures of [0, 1]) {
      const [from, to] = [sqlite(), new DictPersistence()];
      from.setBot("the bot", live);
      for (let id = 0; id < failures; id += 1) await to.updateChatData(id, { mine: true });
      const [{ status }] = await Promise.allSettled([copyPersistence(from, to, { botId: BOT })]);
      expect(status).toBe(failures === 0 ? "fulfilled" : "rejected");
      expect([from.bot, from.live, to.bot, to.live]).toEqual(["the bot", live, undefined, undefined]);
    }
  });
});
