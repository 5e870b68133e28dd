import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  copyPersistence,
  DictPersistence,
  END,
  hears,
  PicklePersistence,
  PythonDecimal,
  type PythonObject,
  PythonTuple,
  SqlitePersistence,
  toBotApi,
  type BasePersistence,
  type CopyOptions,
} from "../src/index.ts";
import { PickleContent } from "../src/persistence/pickle/pickle-content.ts";
import { ToJavaScript } from "../src/persistence/pickle/python/to-javascript.ts";
import { readPickle } from "../src/persistence/pickle/reader/read-pickle.ts";
import { makeApp, textUpdate, type MyContext } from "./support/made-app.ts";
import { pressUpdate, ScriptedTelegram } from "./support/scripted-telegram.ts";
import { comparableOfValue } from "./support/tagged-python.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const fixtures = fileURLToPath(new URL("../src/persistence/pickle/fixtures/", import.meta.url));
const program = fileURLToPath(new URL("../examples/move-from-python.ts", import.meta.url));
const BOT = 77;

function copied(name: string, folder: string): string {
  const file = join(folder, name);
  copyFileSync(fixtures + name, file);
  return file;
}

const bot = { token: "1:A" };
const live = { nameOf: (object: object) => (object === bot ? "bot" : undefined), get: () => bot };

/** Everything in a file of python-telegram-bot, comparable. */
function contentOf(file: string): unknown {
  const content = new PickleContent(readPickle(readFileSync(file)) as Map<string, unknown>);
  return comparableOfValue(new ToJavaScript({ live }).value(content.roots, "root"), bot);
}

function pickle(filepath: string, stateNames = {}): PicklePersistence {
  return new PicklePersistence({ filepath, ownerTimeout: 0, stateNames });
}

function sqlite(folder: string): SqlitePersistence {
  return new SqlitePersistence({ path: join(folder, "bot.sqlite"), ownerTimeout: 0, durability: "os" });
}

async function using<T>(persistence: SqlitePersistence, work: () => Promise<T>): Promise<T> {
  persistence.setBot(bot, live);
  await persistence.open({ botId: BOT, now: () => 0 });
  try {
    return await work();
  } finally {
    persistence.close();
  }
}

const there: CopyOptions = { botId: BOT };

describe("from a pickle into SQLite and back", () => {
  // All but p12, in which is nothing: nothing comes back of it, not even a file; and p14, which is large and shows nothing more.
  const names = readdirSync(fixtures).filter((name) => /^p(0[1-9]|1[0135-79]|31|5[01]|60).*\.pickle$/.test(name));

  test.each(names)("%s comes back as it was", async (name) => {
    const folder = temporaryFolder();
    const file = copied(name, folder);
    const before = readFileSync(file);
    const result = await copyPersistence(pickle(file), sqlite(folder), there);
    expect(readFileSync(file)).toEqual(before);
    expect(result.mapping).toBeDefined();
    const back = join(folder, "back.pickle");
    await copyPersistence(sqlite(folder), pickle(back), { ...there, partial: true });
    expect(contentOf(back)).toEqual(contentOf(file));
  });

  test("several files of version 13", async () => {
    const folder = temporaryFolder();
    for (const kind of ["user_data", "chat_data", "bot_data", "callback_data", "conversations"])
      copyFileSync(`${fixtures}p52_v13_multi_py311_${kind}`, join(folder, `bot_${kind}`));
    const from = new PicklePersistence({ filepath: join(folder, "bot"), singleFile: false });
    const { records } = await copyPersistence(from, sqlite(folder), there);
    expect(records).toMatchObject({ bot: 1, conversation: 1, keyboard: 1 });
    expect(records.user).toBeGreaterThan(0);
  });

  test("values of Python, Telegram's objects and keyboards are there", async () => {
    const folder = temporaryFolder();
    await copyPersistence(pickle(copied("p01_flow.pickle", folder), { survey: { 1: "AGE" } }), sqlite(folder), there);
    const kept = sqlite(folder);
    await using(kept, async () => {
      const chat = (await kept.getChatData()).get(-100_200_300) as { last_message: PythonObject };
      expect(toBotApi(chat.last_message)).toMatchObject({ message_id: 4, text: "keep me", from: { id: 1002 } });
      expect(await kept.getConversations("survey")).toEqual([[[1001, 1001], "AGE"]]);
      // A button that the Python bot sent: the first half is the keyboard, the second the button in it.
      const data = "0a53e13e121d47d590cc6aa860f1582a0603105a01814b52ab05cf095f3561c5";
      const [record] = kept.read([{ kind: "keyboard", id: data.slice(0, 32) }]);
      const buttons = kept.codec.decode(record?.text ?? "") as Record<string, unknown>;
      expect(buttons[data.slice(32)]).toEqual({ id: 1, t: new PythonTuple([1, 2]) });
      expect(record?.time).toBe(1_700_000_123_456);
    });
  });

  test("the report tells what became what, and what does not map exactly", async () => {
    const folder = temporaryFolder();
    const { mapping } = await copyPersistence(pickle(copied("p06_dates.pickle", folder)), sqlite(folder), there);
    expect(mapping?.became).toMatchObject({
      "Decimal -> PythonDecimal": 4,
      "UUID -> PythonUuid": 1,
      "datetime -> Date": 1,
    });
    expect(mapping?.inexactCount).toBe(0);
    const other = temporaryFolder();
    const scalars = await copyPersistence(pickle(copied("p03_scalars.pickle", other)), sqlite(other), there);
    expect(scalars.mapping?.inexact).toContainEqual({
      path: "userData.1.floats[2]",
      what: "the float 1.0 becomes the number 1",
    });
  });
});

describe("a dry run", () => {
  test("into SQLite keeps nothing, and counts what it would", async () => {
    const folder = temporaryFolder();
    const file = copied("p01_flow.pickle", folder);
    const before = readFileSync(file);
    const result = await copyPersistence(pickle(file), sqlite(folder), { ...there, dryRun: true });
    expect(result.records).toMatchObject({ bot: 1, chat: 3, user: 3, conversation: 1, keyboard: 1, callbackQuery: 1 });
    expect(result.refused).toEqual([]);
    expect(result.mapping?.became["the bot -> the bot"]).toBeGreaterThan(0);
    const kept = sqlite(folder);
    await using(kept, async () =>
      expect([(await kept.getUserData()).size, await kept.getBotData()]).toEqual([0, undefined]),
    );
    expect(readFileSync(file)).toEqual(before);
    await expect(copyPersistence(pickle(file), sqlite(folder), there)).resolves.toMatchObject({ records: { user: 3 } });
  });

  test("into a pickle tells what it would refuse, and makes no file", async () => {
    const folder = temporaryFolder();
    const from = sqlite(folder);
    await using(from, async () => {
      await from.updateUserData(1, { cart: [{ until: undefined }] });
      await from.updateUserData(2, { price: new PythonDecimal("1.10") });
      await from.updateChatData(3, { seen: new Map([[[1], 1]]) });
    });
    const file = join(folder, "back.pickle");
    const result = await copyPersistence(sqlite(folder), pickle(file), { ...there, dryRun: true });
    expect(result.records).toMatchObject({ user: 1, chat: 0 });
    expect(result.refused).toHaveLength(2);
    expect(result.refused?.join("\n")).toContain("userData.1.cart[0].until: Python has no undefined");
    expect(existsSync(file)).toBe(false);
  });
});

describe("a conversation that a Python bot began", () => {
  /** Answers in the state AGE, as user 1001. */
  async function goOn(persistence: BasePersistence): Promise<unknown> {
    const { bot: grammy, app } = makeApp({ persistence });
    const answered = Promise.withResolvers<string>();
    const age = hears(/\d+/, (ctx: MyContext) => {
      answered.resolve(`${ctx.msg?.text} ${JSON.stringify(ctx.userData)}`);
      return END as typeof END;
    });
    grammy.use(
      app.conversation({ name: "survey", persistent: true, entryPoints: [], states: { AGE: [age] }, fallbacks: [] }),
    );
    await grammy.handleUpdate(textUpdate("42", { chat: 1001, user: 1001 }));
    await app.shutdown();
    return answered.promise;
  }

  test("goes on in its state after the move", async () => {
    const folder = temporaryFolder();
    await copyPersistence(pickle(copied("p01_flow.pickle", folder), { survey: { 1: "AGE" } }), sqlite(folder), {
      botId: 1,
    });
    expect(await goOn(sqlite(folder))).toBe('42 {"n":5,"picked":"plain"}');
    const kept = sqlite(folder);
    await using(kept, async () => expect(await kept.getConversations("survey")).toEqual([]));
  });

  test("goes on in its state on the pickle itself, which is written at the end", async () => {
    const file = copied("p01_flow.pickle", temporaryFolder());
    expect(await goOn(pickle(file, { survey: { 1: "AGE" } }))).toBe('42 {"n":5,"picked":"plain"}');
    const { conversations, users } = new PickleContent(readPickle(readFileSync(file)) as Map<string, unknown>);
    expect([conversations.names, users.size]).toEqual([[], 3]);
  });
});

test("a button that a Python bot sent is answered", async () => {
  const folder = temporaryFolder();
  await copyPersistence(pickle(copied("p01_flow.pickle", folder)), sqlite(folder), { botId: 1 });
  const telegram = new ScriptedTelegram();
  // The keyboard was last used in 2023.
  const options = { persistence: sqlite(folder), callbackData: { ttl: "10000d" } } as const;
  const { bot: grammy } = makeApp(options, telegram.config({}));
  const pressed: unknown[] = [];
  grammy.on("callback_query", (ctx) => void pressed.push(ctx.callbackData));
  await grammy.handleUpdate(pressUpdate("0a53e13e121d47d590cc6aa860f1582a0603105a01814b52ab05cf095f3561c5"));
  await grammy.handleUpdate(pressUpdate("0a53e13e121d47d590cc6aa860f1582aeaf7acea78954d658c7315ac6fe20bbc"));
  expect(pressed).toEqual([{ id: 1, t: new PythonTuple([1, 2]) }, "plain"]);
});

test("python-telegram-bot's JSON moves too, with names for its states", async () => {
  const folder = temporaryFolder();
  const from = new DictPersistence({
    userDataJson: '{"1": {"n": 1}}',
    conversationsJson: '{"survey": {"[1, 1]": 0}}',
    callbackDataJson: '[[["k", 1.5, {"b": [1]}]], {"q": "k"}]',
    stateNames: { survey: { 0: "NAME" } },
  });
  await copyPersistence(from, sqlite(folder), there);
  const kept = sqlite(folder);
  await using(kept, async () => expect(await kept.getConversations("survey")).toEqual([[[1, 1], "NAME"]]));
  const back = new DictPersistence({ stateNames: { survey: { 0: "NAME" } } });
  await copyPersistence(sqlite(folder), back, { ...there, partial: true });
  expect([back.conversationsJson, back.callbackDataJson]).toEqual([
    '{"survey": {"[1, 1]": 0}}',
    '[[["k", 1.5, {"b": [1]}]], {"q": "k"}]',
  ]);
});

test("the program of the documentation moves a file, as it is typed there", () => {
  const page = readFileSync(new URL("../docs/moving-from-python-telegram-bot.md", import.meta.url), "utf8");
  const source = readFileSync(program, "utf8");
  expect(page).toContain(source.slice(source.indexOf("import")).replace("../src/index.ts", "perdure").trim());
  const folder = temporaryFolder();
  copied("p01_flow.pickle", folder);
  const start = (...args: string[]): { stdout: string; stderr: string; status: number | null } => {
    const node = ["--disable-warning=ExperimentalWarning", program, ...args];
    return spawnSync(process.execPath, node, { cwd: folder, encoding: "utf8" });
  };
  const run = (...args: string[]): string => {
    const { stdout, stderr, status } = start(...args);
    expect([status, stderr]).toEqual([0, ""]);
    return stdout;
  };
  const mistyped = start("p01_flo.pickle", "bot.sqlite", "77");
  expect([mistyped.status, mistyped.stderr]).toEqual([1, expect.stringContaining("p01_flo.pickle")]);
  const states = ["--states", '{"survey":{"1":"AGE"}}'];
  expect(run("p01_flow.pickle", "bot.sqlite", "77", ...states, "--dry-run")).toContain("Nothing was written");
  expect(run("p01_flow.pickle", "bot.sqlite", "77", ...states)).toMatch(/Copied:[^]*tuple -> PythonTuple/);
  expect(run("back.pickle", "bot.sqlite", "77", ...states, "--back")).toContain("Copied:");
  expect(contentOf(join(folder, "back.pickle"))).toEqual(contentOf(join(folder, "p01_flow.pickle")));
}, 30_000);
