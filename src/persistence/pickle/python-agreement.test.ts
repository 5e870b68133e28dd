import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { PickleContent } from "./pickle-content.ts";
import { PicklePersistence } from "./pickle-persistence.ts";
import { FromJavaScript } from "./python/from-javascript.ts";
import { ToJavaScript } from "./python/to-javascript.ts";
import { readPickle } from "./reader/read-pickle.ts";
import { writePickle } from "./writer/write-pickle.ts";

/** A Python that can import python-telegram-bot, if there is one. `.ci/run` sets it. */
const python = process.env["PERDURE_PTB_PYTHON"] ?? "python3";
const hasPython = spawnSync(python, ["--version"]).status === 0;
const hasPtb = hasPython && spawnSync(python, ["-c", "import telegram.ext"]).status === 0;

const withoutPython = hasPython ? "" : " (skipped: there is no python3 here)";
const withoutPtb = hasPtb ? "" : " (skipped: python-telegram-bot is not installed here; see .ci/run)";

const fixtures = fileURLToPath(new URL("fixtures/", import.meta.url));
const expectationOf = (name: string): { root?: unknown; ptb_initialize?: string; layout: string } =>
  JSON.parse(readFileSync(`${fixtures}${name}.expected.json`, "utf8"));
const names = readdirSync(fixtures).filter((name) => !name.endsWith(".json") && !name.endsWith(".md"));
const wellFormed = names.filter((name) => expectationOf(name).root !== undefined && !name.startsWith("p32"));

class Bot {}
const bot = new Bot();
const live = { nameOf: (object: object) => (object === bot ? "bot" : undefined), get: () => bot };

/**
 * Loads pairs of files with Python's own pickle and compares them. Classes that are not there are made up: their objects are what the
 * pickle said of them.
 */
const COMPARE = `
import datetime, json, pickle, sys
REAL = {"builtins", "collections", "copyreg", "datetime", "decimal", "uuid", "zoneinfo", "_codecs", "_operator"}
REAL |= {"__builtin__", "copy_reg"}
class Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__"): raise AttributeError(name)
        if not name.isupper(): return Reader().find_class(cls.__name__.rsplit(".", 1)[0], cls.__name__.rsplit(".", 1)[1] + "." + name)
        return ("member of", cls.__name__, name)
def made_up(module, name):
    def new(cls, *args, **kwargs):
        self = object.__new__(cls); self.__dict__["made"] = (args, kwargs); return self
    def setstate(self, state): self.__dict__["state"] = state
    def extend(self, items): self.__dict__.setdefault("items", []).extend(items)
    def setitem(self, key, value): self.__dict__.setdefault("entries", {})[key] = value
    body = {"__new__": new, "__init__": lambda self, *a, **k: None, "__setstate__": setstate, "extend": extend,
            "append": lambda self, item: extend(self, [item]), "__setitem__": setitem}
    return Meta(module + "." + name, (), body)
class Reader(pickle.Unpickler):
    made = {}
    def persistent_load(self, pid): return ("persistent", pid)
    def __init__(self, file=None): file and super().__init__(file)
    def find_class(self, module, name):
        if module == "pytz": return lambda *args: datetime.timezone(datetime.timedelta(0), "%s %r" % (name, args))
        if module.split(".")[0] in REAL: return super().find_class(module, name)
        return Reader.made.setdefault((module, name), made_up(module, name))
def shape(value, open_):
    if value is None or isinstance(value, (bool, str, bytes)): return (type(value).__name__, value)
    if isinstance(value, (int, float)): return ("number", repr(float(value)) if value == value and abs(value) < 2**53 else repr(value))
    if id(value) in open_: return "circle"
    open_ = open_ | {id(value)}
    of = lambda each: shape(each, open_)
    if isinstance(value, (list, tuple)): return (type(value).__name__, [of(each) for each in value])
    if isinstance(value, dict): return (type(value).__name__, sorted(([of(k), of(v)] for k, v in value.items()), key=repr), repr(getattr(value, "default_factory", None)))
    if isinstance(value, (set, frozenset)): return (type(value).__name__, sorted(map(of, value), key=repr))
    if type(value).__class__ is Meta: return (type(value).__name__, of({k: v for k, v in value.__dict__.items() if v != ((), {})}))
    if type(value).__name__ == "deque": return ("deque", [of(each) for each in value], value.maxlen)
    return (type(value).__name__, repr(value))
def load(path):
    with open(path, "rb") as file: return shape(Reader(file).load(), frozenset())
def parts(first, second):
    yield first, second
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        if len(first) != len(second): yield "%d parts" % len(first), "%d parts" % len(second)
        for pair in zip(first, second): yield from parts(*pair)
def compared(first, second):
    try:
        first, second = load(first), load(second)
        return None if first == second else "differs: %r %r" % next((a, b) for a, b in parts(first, second) if a != b and repr(a)[:1] not in "([")
    except Exception as error:
        return repr(error)
sys.setrecursionlimit(20000)
json.dump([compared(*pair) for pair in json.load(sys.stdin)], sys.stdout)
`;

/** What really has python-telegram-bot do with a file: load all of it. Prints what it has found, or the error. */
const LOAD_WITH_PTB = `
import asyncio, json, sys
from telegram.ext import ApplicationBuilder, PicklePersistence
async def load(path):
    try:
        persistence = PicklePersistence(path)
        app = ApplicationBuilder().token("1:A").persistence(persistence).arbitrary_callback_data(True).build()
        users, chats = await persistence.get_user_data(), await persistence.get_chat_data()
        bot, callbacks = await persistence.get_bot_data(), await persistence.get_callback_data()
        return [repr(users), repr(chats), repr(bot), repr(callbacks), repr(persistence.conversations)]
    except Exception as error:
        return "%r <- %r" % (error, error.__cause__)
json.dump([asyncio.run(load(path)) for path in json.load(sys.stdin)], sys.stdout)
`;

function run(program: string, input: unknown): unknown[] {
  // The same order of sets in each run.
  const env = { ...process.env, PYTHONHASHSEED: "0" };
  const { status, stdout, stderr } = spawnSync(python, ["-c", program], {
    input: JSON.stringify(input),
    maxBuffer: 2 ** 28,
    env,
  });
  if (status !== 0) throw new Error(`${python} failed: ${stderr.toString()}`);
  return JSON.parse(stdout.toString()) as unknown[];
}

/** Files written of the descriptions in fixtures. */
function written(chosen: readonly string[], change: (description: unknown) => unknown): string[] {
  const folder = temporaryFolder();
  return chosen.map((name) => {
    const file = join(folder, name);
    writeFileSync(file, writePickle(change(readPickle(readFileSync(fixtures + name)))));
    return file;
  });
}

function throughJavaScript(description: unknown): unknown {
  const value = new ToJavaScript({ live }).value(description, "value");
  return new FromJavaScript(live).describe(value, "value");
}

/** Pairs that Python does not find the same, and why. */
function differences(chosen: readonly string[], files: readonly string[]): unknown[] {
  const outcomes = run(
    COMPARE,
    files.map((file, index) => [`${fixtures}${chosen[index]}`, file]),
  );
  return chosen.map((name, index) => [name, outcomes[index]]).filter(([, outcome]) => outcome !== null);
}

describe.skipIf(!hasPython)(`as Python's own pickle reads them${withoutPython}`, () => {
  test("files that were read and written are the same", () => {
    expect(
      differences(
        wellFormed,
        written(wellFormed, (description) => description),
      ),
    ).toEqual([]);
  });

  test("files all of whose values became JavaScript's, and were made anew of these, are the same", () => {
    // Another bot becomes null.
    const hasOther = (name: string): boolean => JSON.stringify(expectationOf(name).root).includes('{"$bot":"unknown"}');
    const chosen = wellFormed.filter((name) => !hasOther(name));
    expect(differences(chosen, written(chosen, throughJavaScript))).toEqual([]);
  });

  test("what a program keeps is what Python has", () => {
    const values = new Map<unknown, unknown>([
      ["int", 1],
      ["big", 2n ** 70n],
      ["small big", 5n],
      ["negative", -(2n ** 63n)],
      ["float", 0.5],
      ["huge", 2 ** 60],
      ["zero", -0],
      ["text", "ü😀\ud800"],
      ["map", new Map([["a", 1]])],
      ["set", new Set([1, "a"])],
      ["when", new Date(1_700_000_000_123)],
      ["bytes", new Uint8Array([1, 2])],
    ]);
    const file = join(temporaryFolder(), "values");
    writeFileSync(file, writePickle(new FromJavaScript(undefined).describe(Object.fromEntries(values), "value")));
    const program = `
import json, pickle, sys
value = pickle.load(open(json.load(sys.stdin), "rb"))
json.dump({key: ascii(each) for key, each in value.items()}, sys.stdout)`;
    expect(run(program, file)).toEqual({
      int: "1",
      big: "1180591620717411303424",
      "small big": "5",
      negative: "-9223372036854775808",
      float: "0.5",
      huge: "1.152921504606847e+18",
      zero: "-0.0",
      text: String.raw`'\xfc\U0001f600\ud800'`,
      map: "OrderedDict([('a', 1)])",
      set: expect.stringMatching(/^\{(1, 'a'|'a', 1)\}$/),
      when: "datetime.datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=datetime.timezone.utc)",
      bytes: String.raw`b'\x01\x02'`,
    });
  });
});

describe.skipIf(!hasPtb)(`as python-telegram-bot reads them${withoutPtb}`, () => {
  // Those with classes of a bot's own need the bot.
  const own = ["p05", "p07", "p11", "p13", "p19", "p31"];
  const loadable = names.filter((name) => {
    const { ptb_initialize, layout } = expectationOf(name);
    return ptb_initialize === "ok" && layout === "single" && !own.some((start) => name.startsWith(start));
  });

  test("files that were read and written give what the originals give", () => {
    const originals = loadable.map((name) => fixtures + name);
    const files = written(loadable, (root) => new PickleContent(root as Map<string, unknown>).roots);
    const found = run(LOAD_WITH_PTB, [...originals, ...files]);
    const [before, after] = [found.slice(0, loadable.length), found.slice(loadable.length)];
    expect(before.filter((each) => !Array.isArray(each))).toEqual([]);
    expect(after).toEqual(before);
    expect(loadable.length).toBeGreaterThan(6);
  });

  test("what a bot in TypeScript wrote into a Python bot's file is there", async () => {
    const file = join(temporaryFolder(), "bot.pickle");
    copyFileSync(`${fixtures}p14_large.pickle`, file);
    const persistence = new PicklePersistence({ filepath: file, stateNames: { big: { 2: "ASK" } } });
    await persistence.together(async () => {
      await persistence.updateUserData(7, { name: "Ann", when: new Date(0) });
      await persistence.updateBotData({ seen: new Map([[1, "a"]]) });
      await persistence.updateConversation("new", [7, 7], "NAME");
      await persistence.updateConversation("big", [7, 7], "ASK");
      await persistence.updateCallbackData([[["k", 12, { b: { page: 1 } }]], { q: "k" }]);
    });
    const [found] = run(LOAD_WITH_PTB, [file]) as [string[]];
    const [users = "", , bot, callbacks, conversations = ""] = found;
    expect(users).toContain(
      "7: {'name': 'Ann', 'when': datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)}",
    );
    expect(bot).toBe("{'seen': {1: 'a'}}");
    expect(callbacks).toBe("([('k', 12.0, {'b': {'page': 1}})], {'q': 'k'})");
    expect(conversations).toContain("'new': {(7, 7): 'NAME'}");
    expect(conversations).toContain("(7, 7): 2");
  });
});
