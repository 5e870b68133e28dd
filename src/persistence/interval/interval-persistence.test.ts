import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DrivenClock, isSettled, settled } from "../../../test/support/driven-clock.ts";
import { pollUpdate } from "../../../test/support/updates.ts";
import { withCode } from "../../../test/support/with-code.ts";
import type { MaybePromise } from "../../data/maybe-promise.ts";
import { keyText, type ConversationId, type RecordChange, type RecordKey } from "../../data/record.ts";
import { PerdureError } from "../../errors.ts";
import { DONE_MEMORY } from "../atomic-persistence.ts";
import { BasePersistence, type CallbackData, type ConversationEntry } from "../base-persistence.ts";
import { IntervalPersistence } from "./interval-persistence.ts";

type CallOf = readonly [method: string, ...parameters: unknown[]];

/** What anyone's own class may be: it keeps the very objects that it is given, and gives out those that it has. */
class Plain extends BasePersistence {
  bot_: object | undefined;
  readonly chats = new Map<number, object>();
  readonly users = new Map<number, object>();
  callbackData: CallbackData | undefined;
  readonly conversations = new Map<string, ConversationEntry[]>();
  readonly calls: CallOf[] = [];
  /** Called before each method; what it throws, the method rejects with. */
  before: (...call: CallOf) => unknown = () => {};
  /** Called after each method, before its caller hears of it: an answer may be late. */
  after: (...call: CallOf) => unknown = () => {};
  mostAtOnce = 0;
  #now = 0;

  async called<T>(call: CallOf, work: () => T): Promise<T> {
    this.calls.push(call);
    this.#now += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#now);
    try {
      await this.before(...call);
      const result = work();
      await this.after(...call);
      return result;
    } finally {
      this.#now -= 1;
    }
  }

  /** The calls since this was last asked for. */
  newCalls(): readonly CallOf[] {
    return this.calls.splice(0, Infinity);
  }

  getBotData(): Promise<object | undefined> {
    return this.called(["getBotData"], () => this.bot_);
  }
  getChatData(): Promise<ReadonlyMap<number, object>> {
    return this.called(["getChatData"], () => this.chats);
  }
  getUserData(): Promise<ReadonlyMap<number, object>> {
    return this.called(["getUserData"], () => this.users);
  }
  getCallbackData(): Promise<CallbackData | undefined> {
    return this.called(["getCallbackData"], () => this.callbackData);
  }
  getConversations(name: string): Promise<readonly ConversationEntry[]> {
    return this.called(["getConversations", name], () => this.conversations.get(name) ?? []);
  }
  updateBotData(data: object): Promise<void> {
    return this.called(["updateBotData", data], () => void (this.bot_ = data));
  }
  updateChatData(id: number, data: object): Promise<void> {
    return this.called(["updateChatData", id, data], () => void this.chats.set(id, data));
  }
  updateUserData(id: number, data: object): Promise<void> {
    return this.called(["updateUserData", id, data], () => void this.users.set(id, data));
  }
  updateCallbackData(data: CallbackData): Promise<void> {
    return this.called(["updateCallbackData", data], () => void (this.callbackData = data));
  }
  updateConversation(name: string, id: ConversationId, state: unknown): Promise<void> {
    return this.called(["updateConversation", name, id, state], () => {
      const others = (this.conversations.get(name) ?? []).filter(([other]) => String(other) !== String(id));
      this.conversations.set(name, state === null ? others : [...others, [id, state]]);
    });
  }
  dropChatData(id: number): Promise<void> {
    return this.called(["dropChatData", id], () => void this.chats.delete(id));
  }
  dropUserData(id: number): Promise<void> {
    return this.called(["dropUserData", id], () => void this.users.delete(id));
  }
  override flush(): Promise<void> {
    return this.called(["flush"], () => {});
  }
}

/** One that can tell its conversation handlers. */
class NamingPlain extends Plain {
  override conversationNames(): MaybePromise<readonly string[]> {
    return [...this.conversations.keys()];
  }
}

/** One that is read record by record. */
class LazyPlain extends Plain {
  override loadChatData(id: number): Promise<object | undefined> {
    return this.called(["loadChatData", id], () => this.chats.get(id));
  }
  override loadUserData(id: number): Promise<object | undefined> {
    return this.called(["loadUserData", id], () => this.users.get(id));
  }
}

interface Opened<P extends Plain> {
  readonly plain: P;
  readonly clock: DrivenClock;
  readonly errors: unknown[];
  readonly interval: IntervalPersistence;
}

function made<P extends Plain>(plain: P): Opened<P> {
  const clock = new DrivenClock();
  const errors: unknown[] = [];
  const interval = new IntervalPersistence(plain, { clock, onError: (error) => errors.push(error) });
  return { plain, clock, errors, interval };
}

async function opened<P extends Plain>(plain: P): Promise<Opened<P>> {
  const all = made(plain);
  await all.interval.open({ botId: 1, now: () => all.clock.now() });
  plain.newCalls();
  return all;
}

const BOT: RecordKey = { kind: "bot" };
const chat = (id: number): RecordKey => ({ kind: "chat", id });
const user = (id: number): RecordKey => ({ kind: "user", id });
const talk = (name: string, ...id: ConversationId): RecordKey => ({ kind: "conversation", name, id });
const entry = (id: string): RecordKey => ({ kind: "entry", collection: "orders", id });
const job = (id: string): RecordKey => ({ kind: "job", id });
const keyboard = (id: string): RecordKey => ({ kind: "keyboard", id });
const query = (id: string): RecordKey => ({ kind: "callbackQuery", id });

function put(key: RecordKey, value: unknown, time?: number): RecordChange {
  return { key, record: { text: JSON.stringify(value), version: 0, ...(time !== undefined && { time }) } };
}

const drop = (key: RecordKey): RecordChange => ({ key, record: undefined });
const commit = (to: IntervalPersistence, ...changes: RecordChange[]): MaybePromise<void> => to.commit([{ changes }]);

async function value(of: IntervalPersistence, key: RecordKey): Promise<unknown> {
  const [record] = await of.read([key]);
  return record === undefined ? undefined : JSON.parse(record.text);
}

/**
 * A plain method that waits until it is let go, or what it does with one id: before it has done its work, or after that, where what
 * it answers is what there was before.
 */
function barrier(plain: Plain, method: string, { id, hook = "before" }: BarrierOptions = {}): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  plain[hook] = (called, of) => (called === method && (id === undefined || of === id) ? promise : undefined);
  return () => {
    plain[hook] = () => {};
    resolve();
  };
}

interface BarrierOptions {
  readonly id?: number;
  readonly hook?: "before" | "after";
}

/** Lets a class reject everything that it is asked to load. */
const throwing =
  (error: Error) =>
  (plain: Plain): void => {
    plain.before = (method) => {
      if (method.startsWith("load")) throw error;
    };
  };

function failing(plain: Plain, ...methods: string[]): () => void {
  plain.before = (method) => {
    if (methods.includes(method)) throw new Error(`${method} is out of order`);
  };
  return () => (plain.before = () => {});
}

describe("opening", () => {
  test("loads users, chats, the bot's and the callback data in this order, conversations by handler when asked for (84)", async () => {
    const { interval, plain } = made(new Plain());
    plain.bot_ = { greeted: 3 };
    plain.chats.set(-100, { messages: 1 });
    plain.users.set(7, { name: "Ann" });
    plain.callbackData = [[["k", 12.5, { b: { any: 1 } }]], { q: "k" }];
    plain.conversations.set("order", [[[1, 2], "NAME"]]);
    await interval.open({ botId: 1, now: () => 0 });
    expect(plain.newCalls()).toEqual([["getUserData"], ["getChatData"], ["getBotData"], ["getCallbackData"]]);
    expect(await interval.read([BOT, chat(-100), user(7), user(8)])).toEqual([
      { text: '{"greeted":3}', version: 0 },
      { text: '{"messages":1}', version: 0 },
      { text: '{"name":"Ann"}', version: 0 },
      undefined,
    ]);
    expect(await interval.read([keyboard("k"), query("q")])).toEqual([
      { text: '{"b":{"any":1}}', version: 0, time: 12_500 },
      { text: '"k"', version: 0 },
    ]);
    expect(plain.newCalls()).toEqual([]);
    expect(await value(interval, talk("order", 1, 2))).toEqual({ state: "NAME" });
    expect(await value(interval, talk("order", 3, 4))).toBeUndefined();
    expect(plain.newCalls()).toEqual([["getConversations", "order"]]);
  });

  test("what is switched off is not loaded and not written, and lives until the end (2, 84)", async () => {
    const storeData = { botData: false, chatData: false, userData: false, callbackData: false };
    const { interval, plain } = made(new Plain({ storeData, updateInterval: 0 }));
    plain.bot_ = { old: 1 };
    await interval.open({ botId: 1, now: () => 0 });
    const changes = [
      put(BOT, { a: 1 }),
      put(chat(1), {}),
      put(user(1), {}),
      put(keyboard("k"), {}),
      put(query("q"), "k"),
    ];
    await commit(interval, ...changes, put(talk("order", 1), { state: 1 }));
    expect(await value(interval, BOT)).toEqual({ a: 1 });
    expect(await interval.keys("keyboard", { limit: 9 })).toEqual([keyboard("k")]);
    expect(interval.hasUnwritten(BOT)).toBe(false);
    await interval.close();
    // Conversations have no switch (4).
    expect(plain.newCalls()).toEqual([["updateConversation", "order", [1], 1], ["flush"]]);
    await interval.open({ botId: 1, now: () => 0 });
    expect(await interval.read([BOT, chat(1), keyboard("k")])).toEqual([undefined, undefined, undefined]);
  });

  test("shares no object with the class that it loads from (12, 85)", async () => {
    const { interval, plain } = made(new Plain());
    const kept = { cart: ["apple"] };
    plain.chats.set(1, kept);
    await interval.open({ botId: 1, now: () => 0 });
    kept.cart.push("pear");
    expect(await value(interval, chat(1))).toEqual({ cart: ["apple"] });
  });

  test("a getter that rejects makes it reject, and nothing is kept", async () => {
    const { interval, plain } = made(new Plain());
    plain.users.set(1, {});
    const boom = new Error("no connection");
    plain.before = (method) => {
      if (method === "getBotData") throw boom;
    };
    const opening = interval.open({ botId: 1, now: () => 0 });
    await expect(opening).rejects.toThrow(withCode("PERDURE_IO"));
    await expect(opening).rejects.toThrow("Plain.getBotData failed: no connection");
    await expect(opening).rejects.toHaveProperty("cause", boom);
    expect(() => interval.read([user(1)])).toThrow(withCode("PERDURE_CLOSED"));
    plain.before = () => {};
    await interval.open({ botId: 1, now: () => 0 });
    expect(await value(interval, user(1))).toEqual({});
  });

  test.each<[string, (plain: Plain) => unknown, string]>([
    [
      "an object for the map of chats",
      (p) => (p.getChatData = () => ({}) as never),
      "Plain.getChatData has returned no Map",
    ],
    [
      "nothing for the map of users",
      (p) => (p.getUserData = () => undefined as never),
      "Plain.getUserData has returned no Map",
    ],
    [
      "a map with text for ids",
      (p) => p.chats.set("1" as never, {}),
      'Plain.getChatData has returned a Map with the key "1"',
    ],
    [
      "a map with a number for data",
      (p) => p.users.set(5, 7 as never),
      "Plain.getUserData has returned a Map in which 5",
    ],
    ["text for the bot's data (86)", (p) => (p.bot_ = "{}" as never), "Plain.getBotData has returned no object"],
    ["null for the bot's data (86)", (p) => (p.bot_ = null as never), "Plain.getBotData has returned no object"],
    [
      "one part of callback data (87)",
      (p) => (p.callbackData = [[]] as never),
      "Plain.getCallbackData has returned no pair",
    ],
    [
      "an object for callback data (87)",
      (p) => (p.callbackData = {} as never),
      "Plain.getCallbackData has returned no pair",
    ],
    [
      "a keyboard without time (87)",
      (p) => (p.callbackData = [[["k", {}]], {}] as never),
      "Plain.getCallbackData has returned a keyb",
    ],
    [
      "a query without keyboard (87)",
      (p) => (p.callbackData = [[], { q: 5 }] as never),
      'Plain.getCallbackData has returned a query "q"',
    ],
  ])("refuses %s", async (_, spoil, message) => {
    const { interval, plain } = made(new Plain());
    spoil(plain);
    const opening = interval.open({ botId: 1, now: () => 0 });
    await expect(opening).rejects.toThrow(TypeError);
    await expect(opening).rejects.toThrow(message);
  });

  test.each([[{}], [[[[1, 2]]]], [[[{ chat: 1 }, "NAME"]]]])("refuses %j for conversations", async (wrong) => {
    const { interval, plain } = await opened(new Plain());
    plain.getConversations = () => wrong as never;
    const reading = interval.read([talk("order", 1)]) as Promise<unknown>;
    await expect(reading).rejects.toThrow("Plain.getConversations has returned");
  });

  test("a handler's conversations that cannot be read are not taken for none", async () => {
    const { interval, plain } = await opened(new Plain());
    plain.conversations.set("order", [[[1], "NAME"]]);
    const repair = failing(plain, "getConversations");
    await expect(interval.read([talk("order", 1)])).rejects.toThrow(withCode("PERDURE_IO"));
    repair();
    expect(await value(interval, talk("order", 1))).toEqual({ state: "NAME" });
  });

  test("a handler's conversations are loaded once, also when several are asked for at once", async () => {
    const { interval, plain } = await opened(new Plain());
    await Promise.all([interval.read([talk("order", 1), talk("order", 2)]), interval.read([talk("order", 3)])]);
    expect(plain.newCalls()).toEqual([["getConversations", "order"]]);
  });

  test("a stored state of null is no conversation (14)", async () => {
    const { interval, plain } = await opened(new Plain());
    plain.conversations.set("order", [
      [[1], null],
      [[2], 0],
    ]);
    expect(await interval.keys("conversation", { within: "order", limit: 9 })).toEqual([talk("order", 2)]);
  });

  test("what was changed before its handler was loaded stands (85)", async () => {
    const { interval, plain } = await opened(new Plain());
    plain.conversations.set("order", [
      [[1], "OLD"],
      [[2], "OLD"],
      [[3], "OLD"],
    ]);
    await commit(interval, put(talk("order", 1), { state: "NEW" }), drop(talk("order", 2)));
    expect(await value(interval, talk("order", 3))).toEqual({ state: "OLD" });
    expect(await value(interval, talk("order", 1))).toEqual({ state: "NEW" });
    expect(await value(interval, talk("order", 2))).toBeUndefined();
  });

  test("twice is refused, and after an end everything is loaded anew", async () => {
    const { interval, plain } = await opened(new Plain());
    await expect(interval.open({ botId: 1, now: () => 0 })).rejects.toThrow(withCode("PERDURE_OWNED"));
    await interval.close();
    plain.chats.set(1, { from: "elsewhere" });
    await interval.open({ botId: 1, now: () => 0 });
    expect(await value(interval, chat(1))).toEqual({ from: "elsewhere" });
  });

  test("its codec, its switches and its interval are those of the class, and its abilities are honest (2, 3)", () => {
    const plain = new Plain({ updateInterval: "500ms", storeData: { chatData: false } });
    const { interval } = made(plain);
    expect(interval.codec).toBe(plain.codec);
    expect(interval.updateInterval).toBe(500);
    expect(interval.storeData).toEqual(plain.storeData);
    expect(interval.abilities).toEqual({ atomic: false, durable: "no", shared: false, lazy: false });
    expect(made(new LazyPlain()).interval.abilities.lazy).toBe(true);
    const live = { nameOf: () => undefined, get: () => undefined };
    plain.setBot("the bot", live);
    expect([interval.bot, interval.live]).toEqual(["the bot", live]);
  });
});

describe("records", () => {
  test("a commit is seen at once by all reads, whatever is written", async () => {
    const { interval } = await opened(new Plain());
    expect(commit(interval, put(chat(1), { a: 1 }), put(job("j"), {}, 5), put(entry("e"), 1))).toBeUndefined();
    expect(interval.read([chat(1), entry("e"), job("j")])).toEqual([
      { text: '{"a":1}', version: 0 },
      { text: "1", version: 0 },
      { text: "{}", version: 0, time: 5 },
    ]);
  });

  test("a later unit's change of the same record stands", async () => {
    const { interval } = await opened(new Plain());
    await interval.commit([{ changes: [put(chat(1), 1)] }, { changes: [put(chat(1), 2), drop(chat(2))] }]);
    expect(await value(interval, chat(1))).toBe(2);
  });

  test("keys are listed by pages, ids that are numbers ascending", async () => {
    const { interval } = await opened(new Plain());
    await commit(interval, ...[10, 9, -5, 100].map((id) => put(chat(id), {})));
    expect(interval.keys("chat", { limit: 3 })).toEqual([chat(-5), chat(9), chat(10)]);
    expect(interval.keys("chat", { limit: 3, after: { kind: "chat", id: 10 } })).toEqual([chat(100)]);
    await commit(interval, put(chat(11), {}), drop(chat(100)));
    expect(interval.keys("chat", { limit: 3, after: { kind: "chat", id: 10 } })).toEqual([chat(11)]);
  });

  test("for all names and ids, what is within one name stands together, and pages meet without gap or repetition", async () => {
    const names = fc.constantFrom("a", 'a"', "a,", "a]", "aa", "", "\u0000", "ä");
    const ids = fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(names, ids), { maxLength: 20 }),
        fc.integer({ min: 1, max: 5 }),
        async (all, limit) => {
          const { interval } = await opened(new Plain());
          const keys = all.map(([name, id]) => talk(name, ...id));
          await commit(interval, ...keys.map((key) => put(key, { state: 1 })));
          const listed: string[] = [];
          for (const name of new Set(all.map(([each]) => each))) {
            for (let after: RecordKey | undefined; ;) {
              const page = await interval.keys("conversation", { within: name, after: after as never, limit });
              expect(page.every((key) => key.name === name)).toBe(true);
              listed.push(...page.map(keyText));
              after = page.at(-1);
              if (after === undefined) break;
            }
          }
          expect(listed.sort()).toEqual([...new Set(keys.map(keyText))].sort());
          const together = (await interval.keys("conversation", { limit: 100 })).map(({ name }) => name);
          expect(together.filter((name, index) => name !== together[index - 1])).toHaveLength(new Set(together).size);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("all conversations are listed where the class can tell its handlers", async () => {
    const { interval, plain } = await opened(new NamingPlain());
    plain.conversations.set("order", [[[1], "A"]]);
    plain.conversations.set("help", [[[1], "B"]]);
    await commit(interval, put(talk("new", 1), { state: 1 }));
    const all = [talk("help", 1), talk("new", 1), talk("order", 1)];
    expect(await interval.keys("conversation", { limit: 9 })).toEqual(all);
    expect(await interval.conversationNames()).toEqual(["help", "new", "order"]);
  });

  test("jobs that are due come by their time", async () => {
    const { interval } = await opened(new Plain());
    await commit(
      interval,
      put(job("late"), {}, 30),
      put(job("b"), {}, 20),
      put(job("a"), {}, 10),
      put(job("none"), {}),
    );
    const due = interval.earliest("job", { until: 20, limit: 9 });
    expect(due.map(({ key, record }) => [key.id, record.time])).toEqual([
      ["a", 10],
      ["b", 20],
    ]);
    expect(interval.earliest("job", { until: 99, limit: 1 }).map(({ key }) => key.id)).toEqual(["a"]);
  });

  test("the methods of BasePersistence work on what is in memory", async () => {
    const { interval } = await opened(new Plain());
    await interval.updateChatData(1, { a: 1 });
    await interval.updateConversation("order", [1], "NAME");
    expect(await interval.getChatData()).toEqual(new Map([[1, { a: 1 }]]));
    expect(await interval.getConversations("order")).toEqual([[[1], "NAME"]]);
  });
});

describe("the inbox in memory", () => {
  test("means what it means elsewhere", async () => {
    const { interval, clock } = await opened(new Plain());
    expect(interval.accept([pollUpdate(9), pollUpdate(5), pollUpdate(9)])).toEqual(["accepted", "accepted", "open"]);
    const [first] = interval.openUpdates({ limit: 1 });
    expect(first).toEqual({ arrival: 1, updateId: 9, attempts: 1, update: pollUpdate(9) });
    expect(interval.openUpdates({ limit: 9, after: 1 }).map(({ updateId }) => updateId)).toEqual([5]);
    expect(interval.noteAttempts(5, 3)).toBe(true);
    expect(interval.noteAttempts(6, 3)).toBe(false);
    await interval.commit([
      { changes: [], done: 9 },
      { changes: [], done: 5, setAside: true, alias: { from: -1, to: -100 } },
    ]);
    expect(interval.openUpdates({ limit: 9 })).toEqual([]);
    expect(interval.accept([pollUpdate(9), pollUpdate(5), pollUpdate(6)])).toEqual(["done", "done", "accepted"]);
    expect(interval.failedUpdates()).toEqual([{ update: pollUpdate(5), attempts: 3, failedAt: clock.now() }]);
    expect(interval.chatAliases()).toEqual([{ from: -1, to: -100 }]);
    await clock.advance(25 * 60 * 60 * 1000 + 1);
    expect(interval.accept([pollUpdate(9)])).toEqual(["accepted"]);
  });

  test("a commit that is made twice has the effect of one", async () => {
    const { interval } = await opened(new Plain());
    interval.accept([pollUpdate(5)]);
    const units = [{ changes: [], done: 5, setAside: true }];
    await interval.commit(units);
    await interval.commit(units);
    expect(interval.failedUpdates()).toHaveLength(1);
  });

  test("done updates move to another one, and ranges that are none change nothing", async () => {
    const { interval, clock } = await opened(new Plain());
    await interval.commit([
      { changes: [], done: 5 },
      { changes: [], done: 6 },
    ]);
    const ranges = interval.doneUpdates();
    expect(ranges).toEqual([{ first: 5, last: 6, since: clock.now(), until: clock.now() }]);
    const { interval: other } = await opened(new Plain());
    await other.commit([{ changes: [], doneUpdates: ranges }]);
    expect(other.accept([pollUpdate(6), pollUpdate(7)])).toEqual(["done", "accepted"]);
    const wrong = { first: 2, last: 1, since: 0, until: 0 };
    expect(() => other.commit([{ changes: [put(chat(1), 1)], done: 7, doneUpdates: [wrong] }])).toThrow(TypeError);
    expect(other.read([chat(1)])).toEqual([undefined]);
    expect(other.accept([pollUpdate(7)])).toEqual(["open"]);
  });

  test("updates that another one has done are not open here any more, and all others stay so", async () => {
    const { interval, clock } = await opened(new Plain());
    interval.accept([pollUpdate(4), pollUpdate(5), pollUpdate(6), pollUpdate(7)]);
    const done = { first: 5, last: 6, since: clock.now(), until: clock.now() };
    await interval.commit([{ changes: [], doneUpdates: [done] }]);
    expect(interval.openUpdates({ limit: 9 }).map(({ updateId }) => updateId)).toEqual([4, 7]);
    expect(interval.noteAttempts(5, 2)).toBe(false);
    expect(interval.accept([pollUpdate(5), pollUpdate(6), pollUpdate(7)])).toEqual(["done", "done", "open"]);
  });

  test("what another one has done so long ago that it is forgotten is open here still", async () => {
    const { interval, clock } = await opened(new Plain());
    interval.accept([pollUpdate(5)]);
    const long = clock.now() - DONE_MEMORY - 1;
    await interval.commit([{ changes: [], doneUpdates: [{ first: 5, last: 5, since: long, until: long }] }]);
    expect(interval.openUpdates({ limit: 9 }).map(({ updateId }) => updateId)).toEqual([5]);
    expect(interval.accept([pollUpdate(5)])).toEqual(["open"]);
  });

  test("does not survive: after an end it is empty, and updates done are not known", async () => {
    const { interval } = await opened(new Plain());
    interval.accept([pollUpdate(1), pollUpdate(2)]);
    await interval.commit([{ changes: [put(job("j"), {}), put(entry("e"), {})], done: 1 }]);
    await interval.close();
    await interval.open({ botId: 1, now: () => 0 });
    expect(interval.openUpdates({ limit: 9 })).toEqual([]);
    expect(interval.accept([pollUpdate(1)])).toEqual(["accepted"]);
    expect(interval.read([job("j"), entry("e")])).toEqual([undefined, undefined]);
  });
});

describe("writing", () => {
  test("calls in a fixed order: callback data, bot, chats, users, conversations, drops after updates (111)", async () => {
    const { interval, plain } = await opened(new Plain());
    await commit(
      interval,
      put(talk("order", 1, "x"), { state: "NAME" }),
      drop(talk("order", 2)),
      drop(user(9)),
      put(user(8), { u: 8 }),
      drop(chat(5)),
      put(chat(6), { c: 6 }),
      put(chat(4), { c: 4 }),
      put(BOT, { b: 1 }),
      put(query("q"), "k2"),
      put(keyboard("k2"), { y: 2 }, 2500),
      put(keyboard("k1"), { x: 1 }, 1000),
    );
    await interval.write();
    expect(plain.newCalls()).toEqual([
      [
        "updateCallbackData",
        [
          [
            ["k1", 1, { x: 1 }],
            ["k2", 2.5, { y: 2 }],
          ],
          { q: "k2" },
        ],
      ],
      ["updateBotData", { b: 1 }],
      ["updateChatData", 6, { c: 6 }],
      ["updateChatData", 4, { c: 4 }],
      // Chat 5 and user 9 were never there: nothing is to be dropped.
      ["updateUserData", 8, { u: 8 }],
      ["updateConversation", "order", [1, "x"], "NAME"],
      ["updateConversation", "order", [2], null],
    ]);
    await commit(interval, drop(chat(6)), put(chat(7), {}), drop(user(8)));
    await interval.write();
    expect(plain.newCalls()).toEqual([
      ["updateChatData", 7, {}],
      ["dropChatData", 6],
      ["dropUserData", 8],
    ]);
  });

  test("nothing changed, nothing called; neither is a reading a change (101, 112)", async () => {
    const { interval, plain, clock } = await opened(new Plain());
    await interval.read([BOT, chat(1), user(1)]);
    await clock.advance(120_000);
    await interval.write();
    expect(plain.newCalls()).toEqual([]);
  });

  test("a record that is again as it was written is not written (112)", async () => {
    const { interval, plain } = made(new Plain());
    plain.chats.set(1, { a: 1 });
    plain.callbackData = [[["k", 1, {}]], {}];
    await interval.open({ botId: 1, now: () => 0 });
    plain.newCalls();
    await commit(interval, put(chat(1), { a: 2 }), put(chat(2), {}), put(keyboard("k"), {}, 2000));
    expect([chat(1), chat(2), keyboard("k")].map((key) => interval.hasUnwritten(key))).toEqual([true, true, true]);
    await commit(interval, put(chat(1), { a: 1 }), drop(chat(2)), put(keyboard("k"), {}, 1000));
    expect([chat(1), chat(2), keyboard("k")].map((key) => interval.hasUnwritten(key))).toEqual([false, false, false]);
    await interval.write();
    expect(plain.newCalls()).toEqual([]);
  });

  test("dropped and made again in one interval, the new value is written (102, 103)", async () => {
    const { interval, plain } = made(new Plain());
    plain.chats.set(1, { old: true });
    await interval.open({ botId: 1, now: () => 0 });
    await commit(interval, drop(chat(1)));
    await commit(interval, put(chat(1), { new: true }));
    await interval.write();
    expect(plain.chats.get(1)).toEqual({ new: true });
  });

  test("every value is a copy of its own (12, 13)", async () => {
    const { interval, plain } = await opened(new Plain());
    await commit(interval, put(chat(1), { a: 1 }));
    await interval.write();
    (plain.chats.get(1) as { a: number }).a = 99;
    expect(await value(interval, chat(1))).toEqual({ a: 1 });
    await commit(interval, put(chat(1), { a: 2 }));
    await interval.write();
    expect(plain.chats.get(1)).toEqual({ a: 2 });
  });

  test("the bot's data that was removed becomes empty", async () => {
    const { interval, plain } = made(new Plain());
    plain.bot_ = { a: 1 };
    await interval.open({ botId: 1, now: () => 0 });
    await commit(interval, drop(BOT));
    await interval.write();
    expect(plain.bot_).toEqual({});
  });

  test("all of one writing is of one moment, and what changes meanwhile is written by the next", async () => {
    const { interval, plain } = await opened(new Plain());
    await commit(interval, put(BOT, { n: 1 }), put(chat(1), { n: 1 }));
    const release = barrier(plain, "updateBotData");
    const writing = interval.write();
    await settled();
    await commit(interval, put(chat(1), { n: 2 }), put(chat(2), { n: 2 }));
    expect([BOT, chat(1)].map((key) => interval.hasUnwritten(key))).toEqual([true, true]);
    release();
    await writing;
    expect(plain.newCalls()).toEqual([
      ["updateBotData", { n: 1 }],
      ["updateChatData", 1, { n: 1 }],
    ]);
    expect([BOT, chat(1), chat(2)].map((key) => interval.hasUnwritten(key))).toEqual([false, true, true]);
    await interval.write();
    expect(plain.newCalls()).toEqual([
      ["updateChatData", 1, { n: 2 }],
      ["updateChatData", 2, { n: 2 }],
    ]);
  });

  test("changed back while it is written, it is written again: the class has the other value", async () => {
    const { interval, plain } = made(new Plain());
    plain.chats.set(1, { a: 1 });
    plain.bot_ = {};
    await interval.open({ botId: 1, now: () => 0 });
    await commit(interval, put(BOT, { b: 1 }), put(chat(1), { a: 2 }));
    const release = barrier(plain, "updateBotData");
    const writing = interval.write();
    await settled();
    await commit(interval, put(chat(1), { a: 1 }));
    release();
    await writing;
    expect(plain.chats.get(1)).toEqual({ a: 2 });
    await interval.write();
    expect(plain.chats.get(1)).toEqual({ a: 1 });
  });

  test("changed meanwhile and then to what was written, it is not written again (112)", async () => {
    const { interval, plain } = await opened(new Plain());
    await commit(interval, put(chat(1), { n: 1 }));
    const release = barrier(plain, "updateChatData");
    const writing = interval.write();
    await settled();
    await commit(interval, put(chat(1), { n: 2 }));
    release();
    await writing;
    await commit(interval, put(chat(1), { n: 1 }));
    await interval.write();
    expect(plain.newCalls()).toEqual([["updateChatData", 1, { n: 1 }]]);
  });

  test("two at once are one after the other (110)", async () => {
    const { interval, plain } = await opened(new Plain());
    await commit(interval, put(chat(1), { n: 1 }));
    const release = barrier(plain, "updateChatData");
    const first = interval.write();
    await settled();
    await commit(interval, put(chat(1), { n: 2 }));
    const others = Promise.all([interval.write(), interval.write()]);
    expect(await isSettled(others)).toBe(false);
    release();
    await Promise.all([first, others]);
    expect(plain.newCalls()).toEqual([
      ["updateChatData", 1, { n: 1 }],
      ["updateChatData", 1, { n: 2 }],
    ]);
    expect(plain.mostAtOnce).toBe(1);
  });

  test.each(Array.from({ length: 24 }, (_, ticks) => ticks))(
    "two at once are one after the other, also where one is asked for %i microtasks after a call (110)",
    async (ticks) => {
      const { interval, plain } = made(new Plain());
      plain.chats.set(9, { n: 1 });
      await interval.open({ botId: 1, now: () => 0 });
      const comesBack = async (): Promise<void> => {
        for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
        const writing = interval.write();
        await commit(interval, put(chat(9), { n: 2 }));
        await writing;
      };
      let third: Promise<void> | undefined;
      plain.before = async (method) => {
        if (method !== "updateChatData") return;
        await settled();
        third ??= comesBack();
      };
      await commit(interval, put(chat(1), {}));
      const first = interval.write();
      await commit(interval, drop(chat(9)), put(chat(2), {}), put(chat(3), {}));
      await Promise.all([first, interval.write()]);
      await third;
      await interval.write();
      expect(plain.chats.get(9)).toEqual({ n: 2 });
      expect(interval.hasUnwritten(chat(9))).toBe(false);
    },
  );

  test("a call that fails is told once, keeps its record for the next time, and holds up no other (113, 114)", async () => {
    const { interval, plain, errors, clock } = await opened(new Plain());
    const repair = failing(plain, "updateChatData");
    await commit(interval, put(BOT, { b: 1 }), put(chat(1), { a: 1 }), put(user(2), { u: 2 }));
    await interval.write();
    expect([plain.bot_, plain.users.get(2)]).toEqual([{ b: 1 }, { u: 2 }]);
    expect(errors).toEqual([withCode("PERDURE_IO")]);
    expect(String(errors[0])).toContain(
      "Plain.updateChatData failed, and chatData.1 may not be kept: updateChatData is out",
    );
    expect((errors[0] as Error).cause).toEqual(new Error("updateChatData is out of order"));
    repair();
    plain.newCalls();
    await clock.advance(60_000);
    expect(plain.newCalls()).toEqual([["updateChatData", 1, { a: 1 }]]);
    expect(errors).toHaveLength(1);
  });

  test("after a failure the newest value is written, also where it is what was there before: nobody knows what the class has (113)", async () => {
    const { interval, plain } = made(new Plain());
    plain.chats.set(1, { a: 1 });
    await interval.open({ botId: 1, now: () => 0 });
    const repair = failing(plain, "updateChatData");
    await commit(interval, put(chat(1), { a: 2 }));
    await interval.write();
    repair();
    plain.newCalls();
    await commit(interval, put(chat(1), { a: 1 }));
    await interval.write();
    expect(plain.newCalls()).toEqual([["updateChatData", 1, { a: 1 }]]);
  });

  test("a value that cannot be copied is told and keeps up nothing else (118)", async () => {
    const { interval, plain, errors } = await opened(new Plain());
    await interval.commit([{ changes: [{ key: chat(1), record: { text: "no JSON", version: 0 } }, put(chat(2), {})] }]);
    await interval.write();
    expect(errors).toEqual([withCode("PERDURE_CANNOT_DECODE")]);
    expect(plain.newCalls()).toEqual([["updateChatData", 2, {}]]);
    expect(interval.hasUnwritten(chat(1))).toBe(true);
  });

  test("the code of a class's own error stays (114)", async () => {
    const { interval, plain, errors } = await opened(new Plain());
    plain.before = () => {
      throw new PerdureError("PERDURE_DISK_FULL", "no room");
    };
    await commit(interval, put(BOT, {}));
    await interval.write();
    expect(errors).toEqual([withCode("PERDURE_DISK_FULL")]);
  });

  test("has unwritten changes from the commit until the call has resolved: a refresh would lose them (20)", async () => {
    const { interval, plain } = await opened(new Plain());
    expect(interval.hasUnwritten(chat(1))).toBe(false);
    await commit(interval, put(chat(1), { a: 1 }));
    expect(interval.hasUnwritten(chat(1))).toBe(true);
    const release = barrier(plain, "updateChatData");
    const writing = interval.write();
    await settled();
    expect(interval.hasUnwritten(chat(1))).toBe(true);
    release();
    await writing;
    expect(interval.hasUnwritten(chat(1))).toBe(false);
  });

  test("for all histories, one writing without failure leaves the class with what is in memory", async () => {
    const step = fc.record({
      id: fc.integer({ min: 1, max: 3 }),
      value: fc.option(fc.integer({ min: 0, max: 2 })),
      write: fc.boolean(),
      fails: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.constantFrom(Plain, LazyPlain), async (steps, Class) => {
        const { interval, plain } = made(new Class());
        plain.chats.set(1, { n: 1 });
        await interval.open({ botId: 1, now: () => 0 });
        const model = new Map<number, unknown>([[1, { n: 1 }]]);
        const writings: Promise<void>[] = [];
        for (const { id, value: n, write, fails } of steps) {
          await commit(interval, n === null ? drop(chat(id)) : put(chat(id), { n }));
          if (n === null) model.delete(id);
          else model.set(id, { n });
          plain.before = (method) => {
            if (fails && /update|drop/.test(method)) throw new Error("no");
          };
          if (write) writings.push(interval.write());
          if (id === 3) await settled();
        }
        await Promise.all(writings);
        plain.before = () => {};
        await interval.write();
        expect(Object.fromEntries(plain.chats)).toEqual(Object.fromEntries(model));
        for (const id of [1, 2, 3]) expect(await value(interval, chat(id))).toEqual(model.get(id));
        plain.newCalls();
        await interval.write();
        expect(plain.newCalls()).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });
});

describe("the interval", () => {
  test("begins at the opening, and anew at the end of each writing; nothing is written at the start (107, 108)", async () => {
    const { interval, plain, clock } = await opened(new Plain({ updateInterval: "10s" }));
    await commit(interval, put(chat(1), { n: 1 }));
    await clock.advance(9_999);
    expect(plain.newCalls()).toEqual([]);
    const release = barrier(plain, "updateChatData");
    await clock.advance(1);
    await clock.advance(7_000);
    release();
    await settled();
    expect(plain.newCalls()).toHaveLength(1);
    await commit(interval, put(chat(1), { n: 2 }));
    await clock.advance(9_999);
    expect(plain.newCalls()).toEqual([]);
    await clock.advance(1);
    expect(plain.newCalls()).toEqual([["updateChatData", 1, { n: 2 }]]);
  });

  test("is a minute by default (2)", async () => {
    const { interval, plain, clock } = await opened(new Plain());
    await commit(interval, put(chat(1), {}));
    await clock.advance(59_999);
    expect(plain.newCalls()).toEqual([]);
    await clock.advance(1);
    expect(plain.newCalls()).toHaveLength(1);
  });

  test("of 0 writes in each commit, and calls nothing meanwhile (109)", async () => {
    const { interval, plain, clock } = await opened(new Plain({ updateInterval: 0 }));
    await clock.advance(1_000_000);
    expect(plain.newCalls()).toEqual([]);
    const release = barrier(plain, "updateChatData");
    const committing = commit(interval, put(chat(1), { n: 1 })) as Promise<void>;
    expect(await isSettled(committing)).toBe(false);
    release();
    await committing;
    expect(plain.chats.get(1)).toEqual({ n: 1 });
    expect(commit(interval, put(chat(1), { n: 1 }))).toBeUndefined();
  });

  test("of 0: commits that come during a writing share the next one (109)", async () => {
    const { interval, plain } = await opened(new Plain({ updateInterval: 0 }));
    const release = barrier(plain, "updateChatData");
    const commits = [1, 2, 3].map((n) => commit(interval, put(chat(1), { n })));
    await settled();
    release();
    await Promise.all(commits);
    expect(plain.newCalls()).toEqual([
      ["updateChatData", 1, { n: 1 }],
      ["updateChatData", 1, { n: 3 }],
    ]);
  });

  test("of 0: a failure does not fail the commit; it is tried again after 1 s, and with pauses that grow up to a minute (109, 113)", async () => {
    const { interval, plain, clock, errors } = await opened(new Plain({ updateInterval: 0 }));
    const repair = failing(plain, "updateChatData");
    await commit(interval, put(chat(1), {}));
    const beginning = clock.now();
    const times: number[] = [];
    const fail = plain.before;
    plain.before = (...call) => {
      times.push(clock.now() - beginning);
      fail(...call);
    };
    await clock.advance(200_000);
    expect(times.map((time) => time / 1000)).toEqual([1, 3, 7, 15, 31, 63, 123, 183]);
    expect(errors).toHaveLength(9);
    repair();
    await clock.advance(60_000);
    expect(plain.chats.get(1)).toEqual({});
    plain.newCalls();
    await clock.advance(1_000_000);
    expect(plain.newCalls()).toEqual([]);
    failing(plain, "updateChatData");
    await commit(interval, put(chat(1), { again: true }));
    await clock.advance(999);
    expect(plain.newCalls()).toHaveLength(1);
    await clock.advance(1);
    expect(plain.newCalls()).toHaveLength(1);
  });

  test("of 0: whoever asks for a writing gets one of everything, also where a commit's is next (110)", async () => {
    const { interval, plain } = await opened(new Plain({ updateInterval: 0 }));
    const repair = failing(plain, "updateChatData");
    await commit(interval, put(chat(1), {}));
    repair();
    const release = barrier(plain, "updateUserData");
    const commits = [commit(interval, put(user(1), {})), commit(interval, put(user(2), {}))];
    const writing = interval.write();
    await settled();
    release();
    await Promise.all([...commits, writing]);
    expect(plain.chats.get(1)).toEqual({});
  });

  test("of 0: other commits do not try again what has failed, a newer value does (109)", async () => {
    const { interval, plain, clock } = await opened(new Plain({ updateInterval: 0 }));
    plain.before = (_, id) => {
      if (id === 1) throw new Error("never");
    };
    await commit(interval, put(chat(1), { n: 1 }));
    plain.newCalls();
    await commit(interval, put(chat(2), {}));
    expect(plain.newCalls()).toEqual([["updateChatData", 2, {}]]);
    await commit(interval, put(chat(1), { n: 2 }));
    expect(plain.newCalls()).toEqual([["updateChatData", 1, { n: 2 }]]);
    plain.before = () => {};
    await clock.advance(1000);
    expect(plain.chats.get(1)).toEqual({ n: 2 });
  });
});

describe("the end", () => {
  test("writes what is left, then flushes, then is closed (119)", async () => {
    const { interval, plain, clock } = await opened(new Plain());
    await commit(interval, put(chat(1), { n: 1 }));
    await interval.close();
    expect(plain.newCalls()).toEqual([["updateChatData", 1, { n: 1 }], ["flush"]]);
    expect(() => interval.read([])).toThrow(withCode("PERDURE_CLOSED"));
    expect(() => commit(interval)).toThrow(withCode("PERDURE_CLOSED"));
    expect(() => interval.keys("chat", { limit: 1 })).toThrow(withCode("PERDURE_CLOSED"));
    expect(() => interval.accept([])).toThrow(withCode("PERDURE_CLOSED"));
    await expect(interval.write()).rejects.toThrow(withCode("PERDURE_CLOSED"));
    await interval.close();
    await clock.advance(1_000_000);
    expect(plain.newCalls()).toEqual([]);
  });

  test("flushes where nothing has changed (21, 119)", async () => {
    const { interval, plain } = await opened(new Plain());
    await interval.close();
    expect(plain.newCalls()).toEqual([["flush"]]);
  });

  test.each([0, "10s"] as const)("leaves no timer behind, with an interval of %s", async (updateInterval) => {
    const timers = new Set<object>();
    const after = (): (() => void) => {
      const timer = {};
      timers.add(timer);
      return () => timers.delete(timer);
    };
    const plain = new Plain({ updateInterval });
    const interval = new IntervalPersistence(plain, { clock: { now: () => 0, after }, onError() {} });
    await interval.open({ botId: 1, now: () => 0 });
    const repair = failing(plain, "updateChatData");
    await commit(interval, put(chat(1), {}));
    expect(timers.size).toBe(1);
    repair();
    await interval.close();
    expect(timers.size).toBe(0);
  });

  test("an opening that begins meanwhile waits, and loads what was written", async () => {
    const { interval, plain } = await opened(new Plain());
    plain.before = () => settled();
    await commit(interval, put(BOT, { n: 1 }), put(chat(1), { n: 1 }), put(user(1), { n: 1 }));
    const closing = interval.close();
    await interval.open({ botId: 1, now: () => 0 });
    await closing;
    for (const key of [BOT, chat(1), user(1)]) expect(await value(interval, key)).toEqual({ n: 1 });
    expect(interval.hasUnwritten(BOT)).toBe(false);
  });

  test("tries twice more, without waiting (113, 119)", async () => {
    const { interval, plain } = await opened(new Plain());
    let failures = 2;
    plain.before = (method) => {
      if (method === "updateChatData" && failures-- > 0) throw new Error("busy");
    };
    await commit(interval, put(chat(1), { n: 1 }));
    await interval.close();
    expect(plain.chats.get(1)).toEqual({ n: 1 });
  });

  test("says what it could not write, after it has flushed (119, 120)", async () => {
    const { interval, plain } = await opened(new Plain());
    failing(plain, "updateChatData", "updateCallbackData");
    await commit(interval, put(BOT, { b: 1 }), put(chat(1), {}), put(keyboard("k"), {}, 1), put(query("q"), "k"));
    const closing = interval.close();
    await expect(closing).rejects.toThrow(withCode("PERDURE_IO"));
    await expect(closing).rejects.toThrow(
      /^Plain was closed without chatData\.1, callbackData: .*updateCallbackData is out of order/,
    );
    const { cause } = (await closing.catch((error: unknown) => error)) as { cause: AggregateError };
    expect(cause.errors).toHaveLength(2);
    expect(plain.bot_).toEqual({ b: 1 });
    expect(plain.calls.filter(([method]) => method === "updateChatData")).toHaveLength(3);
    expect(plain.calls.at(-1)).toEqual(["flush"]);
    await interval.close();
  });

  test("tells a flush that failed (21)", async () => {
    const { interval, plain } = await opened(new Plain());
    failing(plain, "flush");
    await expect(interval.close()).rejects.toThrow("Plain.flush failed, and what it was given may not be kept");
  });

  test("waits for a writing that runs", async () => {
    const { interval, plain } = await opened(new Plain());
    await commit(interval, put(chat(1), { n: 1 }));
    const release = barrier(plain, "updateChatData");
    const writing = interval.write();
    await settled();
    const closing = interval.close();
    expect(await isSettled(closing)).toBe(false);
    release();
    await Promise.all([writing, closing]);
    expect(plain.newCalls()).toEqual([["updateChatData", 1, { n: 1 }], ["flush"]]);
    expect(plain.mostAtOnce).toBe(1);
  });
});

describe("a class that loads record by record", () => {
  test("is not loaded at start but when a record is first read (8, 84)", async () => {
    const { interval, plain } = made(new LazyPlain());
    plain.chats.set(1, { n: 1 });
    await interval.open({ botId: 1, now: () => 0 });
    expect(plain.newCalls()).toEqual([["getBotData"], ["getCallbackData"]]);
    expect(await interval.read([chat(1), user(1), chat(1)])).toEqual([
      { text: '{"n":1}', version: 0 },
      undefined,
      { text: '{"n":1}', version: 0 },
    ]);
    expect(plain.newCalls()).toEqual([
      ["loadChatData", 1],
      ["loadUserData", 1],
    ]);
    await interval.read([chat(1), user(1)]);
    expect(plain.newCalls()).toEqual([]);
  });

  test("a load that fails is told, and not taken for nothing there", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    plain.chats.set(1, { n: 1 });
    const repair = failing(plain, "loadChatData");
    await expect(interval.read([chat(1)])).rejects.toThrow(
      "LazyPlain.loadChatData failed: loadChatData is out of order",
    );
    repair();
    expect(await value(interval, chat(1))).toEqual({ n: 1 });
    plain.chats.set(2, "text" as never);
    await expect(interval.read([chat(2)])).rejects.toThrow("LazyPlain.loadChatData has returned no object");
  });

  test(
    "what is written may leave the memory beyond 10 000, what is unwritten may not",
    { timeout: 60_000 },
    async () => {
      const { interval, plain } = await opened(new LazyPlain());
      await commit(interval, put(chat(-1), { kept: true }), drop(chat(-2)));
      plain.chats.set(-1, { kept: false });
      plain.chats.set(-2, { kept: false });
      for (let id = 1; id <= 10_001; id += 1) plain.chats.set(id, { id });
      for (let id = 1; id <= 10_001; id += 1) await interval.read([chat(id)]);
      plain.newCalls();
      expect(await interval.read([chat(-1), chat(-2), chat(2), chat(1)])).toEqual([
        { text: '{"kept":true}', version: 0 },
        undefined,
        { text: '{"id":2}', version: 0 },
        { text: '{"id":1}', version: 0 },
      ]);
      expect(plain.newCalls()).toEqual([["loadChatData", 1]]);
    },
  );

  test("more records in one read than stay in memory are all read", { timeout: 60_000 }, async () => {
    const { interval, plain } = await opened(new LazyPlain());
    const ids = Array.from({ length: 10_500 }, (_, index) => index + 1);
    for (const id of ids) plain.chats.set(id, { id });
    const records = await interval.read(ids.map(chat));
    expect(records.map((record) => JSON.parse(record?.text ?? "null") as unknown)).toEqual(ids.map((id) => ({ id })));
  });

  test("a change while it is loaded stands", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    plain.chats.set(1, { n: 1 });
    const release = barrier(plain, "loadChatData");
    const reading = value(interval, chat(1));
    await settled();
    await commit(interval, put(chat(1), { n: 2 }));
    release();
    expect(await reading).toEqual({ n: 2 });
    await interval.write();
    expect(plain.chats.get(1)).toEqual({ n: 2 });
  });

  test.each([
    ["changed", put(chat(1), { n: 2 }), { n: 2 }],
    ["dropped", drop(chat(1)), undefined],
  ])("%s, and written too, while it is loaded: that stands", async (_, change, expected) => {
    const { interval, plain } = await opened(new LazyPlain());
    plain.chats.set(1, { n: 1 });
    const release = barrier(plain, "loadChatData", { hook: "after" });
    const reading = value(interval, chat(1));
    await settled();
    await commit(interval, change);
    await interval.write();
    expect(plain.chats.get(1)).toEqual(expected);
    release();
    expect(await reading).toEqual(expected);
    expect(await value(interval, chat(1))).toEqual(expected);
  });

  test("a load that hangs holds up its own record only: no other load, no writing, and not the end", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    plain.chats.set(2, { n: 2 });
    await commit(interval, put(chat(1), { n: 1 }));
    const release = barrier(plain, "loadChatData", { id: 666 });
    const stuck = Promise.resolve(interval.read([chat(1), chat(666)]));
    const others = [
      value(interval, chat(2)),
      interval.write(),
      interval.keys("user", { limit: 9 }) as Promise<unknown>,
    ];
    expect(await Promise.all(others.map(isSettled))).toEqual([true, true, true]);
    expect([await others[0], plain.chats.get(1)]).toEqual([{ n: 2 }, { n: 1 }]);
    await commit(interval, put(chat(1), { n: 3 }));
    expect(await isSettled(interval.close())).toBe(true);
    expect(plain.chats.get(1)).toEqual({ n: 3 });
    expect(await isSettled(stuck)).toBe(false);
    release();
    await expect(stuck).rejects.toThrow(withCode("PERDURE_CLOSED"));
  });

  test("records are loaded side by side, and one that several ask for at once in one call", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    for (const id of [1, 2, 3]) plain.chats.set(id, { id });
    const release = barrier(plain, "loadChatData");
    const reads = [[chat(1), chat(2)], [chat(2), chat(3)], [chat(1)]].map(async (keys) => interval.read(keys));
    await settled();
    expect(plain.newCalls()).toEqual([1, 2, 3].map((id) => ["loadChatData", id]));
    release();
    const found = (await Promise.all(reads)).map((records) => records.map((record) => record?.text));
    expect(found).toEqual([['{"id":1}', '{"id":2}'], ['{"id":2}', '{"id":3}'], ['{"id":1}']]);
    expect(plain.newCalls()).toEqual([]);
  });

  test("a load that fails fails for all that wait for it, and is made anew by who asks next", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    plain.chats.set(1, { n: 1 });
    const repair = failing(plain, "loadChatData");
    const reads = [interval.read([chat(1)]), interval.read([chat(1)])];
    const outcomes = await Promise.allSettled(reads);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(plain.newCalls()).toHaveLength(1);
    repair();
    expect(await value(interval, chat(1))).toEqual({ n: 1 });
  });

  test("null is nothing there, as databases say it (8)", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    plain.chats.set(1, null as never);
    plain.users.set(1, null as never);
    expect(await interval.read([chat(1), user(1)])).toEqual([undefined, undefined]);
    await commit(interval, put(chat(1), { n: 1 }));
    await interval.write();
    expect(plain.chats.get(1)).toEqual({ n: 1 });
  });

  const WRONG_VALUES: readonly [string, (plain: Plain) => unknown, string][] = [
    ["is damaged", throwing(new PerdureError("PERDURE_CORRUPT", "half a text")), "half a text"],
    ["cannot be decoded", throwing(new PerdureError("PERDURE_CANNOT_DECODE", "no JSON")), "no JSON"],
    ["a newer version has written", throwing(new PerdureError("PERDURE_NEWER_FORMAT", "format 9")), "format 9"],
    ["is no object", (plain) => plain.chats.set(1, "text" as never), "no object"],
    ["cannot be kept", (plain) => plain.chats.set(1, { save: () => {} }), "save"],
  ];

  test.each(WRONG_VALUES)(
    "a value that %s is so at the next try too: PERDURE_REFUSED, of this chat only",
    async (_, spoil, reason) => {
      const { interval, plain } = await opened(new LazyPlain());
      plain.chats.set(2, { n: 2 });
      spoil(plain);
      const reading = Promise.resolve(interval.read([chat(1)]));
      await expect(reading).rejects.toThrow(withCode("PERDURE_REFUSED"));
      await expect(reading).rejects.toThrow(reason);
      plain.before = () => {};
      expect(await value(interval, chat(2))).toEqual({ n: 2 });
      plain.chats.set(1, { n: 1 });
      expect(await value(interval, chat(1))).toEqual({ n: 1 });
    },
  );

  test.each<[string, Error, string]>([
    ["an error of its own", new Error("no connection"), "PERDURE_IO"],
    // What `fetch` rejects with when there is no connection.
    ["a TypeError of its own", new TypeError("fetch failed"), "PERDURE_IO"],
    ["that it is busy", new PerdureError("PERDURE_BUSY", "busy"), "PERDURE_BUSY"],
    ["that it cannot do this", new PerdureError("PERDURE_UNSUPPORTED", "no"), "PERDURE_UNSUPPORTED"],
  ])("a load that rejects with %s keeps its meaning", async (_, error, code) => {
    const { interval, plain } = await opened(new LazyPlain());
    throwing(error)(plain);
    await expect(interval.read([chat(1)])).rejects.toThrow(withCode(code));
  });

  test("ids that cannot be listed, since what has them is damaged, are told so for good", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    plain.before = (method) => {
      if (method === "getChatData") throw new PerdureError("PERDURE_CORRUPT", "half a text");
      if (method === "getUserData") throw new PerdureError("PERDURE_UNSUPPORTED", "there is no list");
    };
    await expect(interval.keys("chat", { limit: 9 })).rejects.toThrow(withCode("PERDURE_REFUSED"));
    await expect(interval.keys("user", { limit: 9 })).rejects.toThrow(withCode("PERDURE_UNSUPPORTED"));
    plain.before = () => {};
    plain.users.set(1, { n: 1 });
    expect(await interval.keys("user", { limit: 9 })).toEqual([user(1)]);
  });

  test("for all histories with calls that take their time and fail, a read finds what was committed, and in the end the class has it", async () => {
    const step = fc.record({
      do: fc.constantFrom("commit", "commit", "read", "read later", "write", "write and wait", "commit exclusively"),
      id: fc.integer({ min: 1, max: 3 }),
      value: fc.option(fc.record({ n: fc.integer({ min: 0, max: 2 }) }), { nil: undefined }),
      fails: fc.boolean(),
    });
    const history = fc.array(step, { maxLength: 40, size: "max" });
    const pauses = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(history, pauses, fc.constantFrom(0, "60s" as const), async (steps, ticks, updateInterval) => {
        const { interval, plain } = made(new LazyPlain({ updateInterval }));
        plain.chats.set(1, { n: 0 });
        await interval.open({ botId: 1, now: () => 0 });
        let model = new Map<number, unknown>(plain.chats);
        let pause = 0;
        let fails = false;
        plain.after = async () => {
          for (let tick = ticks[(pause += 1) % ticks.length] ?? 0; tick > 0; tick -= 1) await Promise.resolve();
        };
        plain.before = async (...call) => {
          const failure = fails && new Error("no");
          await plain.after(...call);
          if (failure) throw failure;
        };
        const change = (id: number, n: unknown): MaybePromise<void> => {
          if (n === undefined) model.delete(id);
          else model.set(id, n);
          return commit(interval, n === undefined ? drop(chat(id)) : put(chat(id), n));
        };
        const found: unknown[] = [];
        const expected: unknown[] = [];
        const underWay: unknown[] = [];
        for (const { do: what, id, value: n, fails: isToFail } of steps) {
          fails = isToFail;
          if (what === "commit") underWay.push(change(id, n));
          else if (what === "write") underWay.push(interval.write());
          else if (what === "write and wait") await interval.write();
          else if (what === "read later") underWay.push(value(interval, chat(id)).catch(() => {}));
          else if (what === "read") {
            const wanted = model.get(id);
            found.push(await value(interval, chat(id)).catch(() => wanted));
            expected.push(wanted);
          } else {
            const before = new Map(model);
            const working = interval.exclusively(async () => {
              await change(id, n);
              if (isToFail) throw new Error("no");
            });
            await working.catch(() => (model = before));
          }
        }
        fails = false;
        await Promise.all(underWay);
        await interval.write();
        expect(found).toEqual(expected);
        expect(plain.chats).toEqual(model);
        for (const id of [1, 2, 3]) expect(await value(interval, chat(id))).toEqual(model.get(id));
      }),
      { numRuns: 150 },
    );
  });

  test("a drop of what nobody has read is written (15)", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    plain.chats.set(1, { n: 1 });
    await commit(interval, drop(chat(1)));
    expect(await value(interval, chat(1))).toBeUndefined();
    await interval.write();
    expect(plain.newCalls()).toEqual([["dropChatData", 1]]);
    expect(await value(interval, chat(1))).toBeUndefined();
    expect(plain.newCalls()).toEqual([]);
  });

  test("its ids are those that it has and those in memory, loaded once for all pages", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    for (const id of [5, 3, 4, -7]) plain.chats.set(id, {});
    await commit(interval, put(chat(1), {}), drop(chat(4)));
    expect(await interval.keys("chat", { limit: 2 })).toEqual([chat(-7), chat(1)]);
    await commit(interval, put(chat(2), {}), drop(chat(5)), put(chat(6), {}));
    await interval.write();
    plain.newCalls();
    expect(await interval.keys("chat", { limit: 2, after: { kind: "chat", id: 1 } })).toEqual([chat(2), chat(3)]);
    expect(await interval.keys("chat", { limit: 2, after: { kind: "chat", id: 3 } })).toEqual([chat(6)]);
    expect(plain.newCalls()).toEqual([]);
    plain.chats.set(100, {});
    expect(await interval.keys("chat", { limit: 9 })).toEqual([-7, 1, 2, 3, 6, 100].map(chat));
    expect(plain.newCalls()).toEqual([["getChatData"]]);
  });

  test("is asked for records side by side, for each once; everything else is one call at a time", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    plain.before = () => settled();
    await commit(interval, put(BOT, {}), put(chat(9), {}));
    const asked = [interval.read([chat(1)]), interval.read([chat(1), user(2)]), interval.keys("user", { limit: 1 })];
    await Promise.all([interval.write(), ...asked, interval.read([talk("order", 1)])]);
    await interval.close();
    expect(plain.calls).toHaveLength(7);
    expect(plain.mostAtOnce).toBe(4);
  });
});

describe("working exclusively", () => {
  test("what fails leaves everything as it was, and nothing is written meanwhile", async () => {
    const { interval, plain, clock } = await opened(new Plain());
    interval.accept([pollUpdate(1)]);
    await commit(interval, put(chat(1), { n: 1 }));
    const alias = { from: -1, to: -100 };
    const working = interval.exclusively(async () => {
      await commit(interval, put(chat(1), { n: 2 }), put(chat(2), {}), put(job("j"), {}, 1));
      await interval.commit([{ changes: [put(talk("order", 1), { state: 1 })], done: 1, setAside: true, alias }]);
      expect(await value(interval, chat(1))).toEqual({ n: 2 });
      expect(interval.openUpdates({ limit: 1 })).toEqual([]);
      await clock.advance(180_000);
      throw new Error("changed my mind");
    });
    await expect(working).rejects.toThrow("changed my mind");
    expect(plain.newCalls()).toEqual([]);
    expect(await value(interval, chat(1))).toEqual({ n: 1 });
    expect(interval.read([chat(2), job("j")])).toEqual([undefined, undefined]);
    expect(interval.keys("chat", { limit: 9 })).toEqual([chat(1)]);
    expect(interval.openUpdates({ limit: 9 }).map(({ updateId }) => updateId)).toEqual([1]);
    expect(interval.accept([pollUpdate(1)])).toEqual(["open"]);
    expect([...interval.failedUpdates(), ...interval.chatAliases(), ...interval.doneUpdates()]).toEqual([]);
    await clock.advance(60_000);
    expect(plain.newCalls()).toEqual([["updateChatData", 1, { n: 1 }]]);
  });

  test("of a class that loads record by record, too", async () => {
    const { interval, plain } = await opened(new LazyPlain());
    for (const id of [1, 2, 3]) plain.chats.set(id, { n: 0 });
    await interval.read([chat(1)]);
    await commit(interval, put(chat(2), { n: 1 }));
    const working = interval.exclusively(async () => {
      expect(await interval.keys("chat", { limit: 3 })).toEqual([chat(1), chat(2), chat(3)]);
      await commit(interval, put(chat(1), { n: 2 }), put(chat(2), { n: 2 }), drop(chat(3)), put(chat(4), { n: 2 }));
      throw new Error("no");
    });
    await expect(working).rejects.toThrow("no");
    expect(await interval.keys("chat", { limit: 9, after: { kind: "chat", id: 1 } })).toEqual([chat(2), chat(3)]);
    const values = await Promise.all([1, 2, 3, 4].map((id) => value(interval, chat(id))));
    expect(values).toEqual([{ n: 0 }, { n: 1 }, { n: 0 }, undefined]);
    expect([1, 2, 3, 4].map((id) => interval.hasUnwritten(chat(id)))).toEqual([false, true, false, false]);
  });

  test("conversations that were loaded meanwhile are loaded again after a failure", async () => {
    const { interval, plain } = await opened(new Plain());
    plain.conversations.set("order", [[[1], "NAME"]]);
    const working = interval.exclusively(async () => {
      await interval.read([talk("order", 1)]);
      throw new Error("no");
    });
    await expect(working).rejects.toThrow("no");
    expect(await value(interval, talk("order", 1))).toEqual({ state: "NAME" });
  });

  test("what succeeds stands, and is written with the next interval, or at once with an interval of 0", async () => {
    const slow = await opened(new Plain());
    expect(await slow.interval.exclusively(async () => commit(slow.interval, put(chat(1), {})) ?? "result")).toBe(
      "result",
    );
    expect(slow.plain.newCalls()).toEqual([]);
    await slow.clock.advance(60_000);
    expect(slow.plain.newCalls()).toHaveLength(1);
    const quick = await opened(new Plain({ updateInterval: 0 }));
    await quick.interval.exclusively(async () => {
      await commit(quick.interval, put(chat(1), { n: 1 }));
      await commit(quick.interval, put(chat(1), { n: 2 }));
      expect(quick.plain.newCalls()).toEqual([]);
    });
    expect(quick.plain.newCalls()).toEqual([["updateChatData", 1, { n: 2 }]]);
  });

  test("waits for a writing that runs, so that its outcome is not lost", async () => {
    const { interval, plain } = await opened(new Plain());
    await commit(interval, put(chat(1), { n: 1 }));
    const release = barrier(plain, "updateChatData");
    const writing = interval.write();
    await settled();
    let hasBegun = false;
    const working = interval.exclusively(async () => {
      hasBegun = true;
      throw new Error("no");
    });
    await settled();
    expect(hasBegun).toBe(false);
    release();
    await writing;
    await expect(working).rejects.toThrow("no");
    expect(interval.hasUnwritten(chat(1))).toBe(false);
  });

  test("writing, and working exclusively, in it are mistakes", async () => {
    const { interval } = await opened(new Plain());
    await interval.exclusively(async () => {
      await expect(interval.write()).rejects.toThrow(TypeError);
      await expect(interval.exclusively(async () => {})).rejects.toThrow(TypeError);
    });
    await interval.write();
  });

  test("an end meanwhile takes back what it has done, and writes the rest", async () => {
    const { interval, plain } = await opened(new Plain());
    await commit(interval, put(chat(1), { n: 1 }));
    const working = interval.exclusively(async () => {
      await commit(interval, put(chat(1), { n: 2 }));
      await interval.close();
    });
    await expect(working).rejects.toThrow(withCode("PERDURE_CLOSED"));
    expect(plain.newCalls()).toEqual([["updateChatData", 1, { n: 1 }], ["flush"]]);
  });
});
