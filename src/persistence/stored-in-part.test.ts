import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isSettled, settled } from "../../test/support/driven-clock.ts";
import { failFlushes } from "../../test/support/fail-flushes.ts";
import { FailingPersistence } from "../../test/support/failing-persistence.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { pollUpdate } from "../../test/support/updates.ts";
import { withCode } from "../../test/support/with-code.ts";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type { KeptRecord, RecordChange, RecordKey } from "../data/record.ts";
import type { AtomicPersistence, UnitCommit } from "./atomic-persistence.ts";
import { SqlitePersistence } from "./sqlite/sqlite-persistence.ts";
import { StoredInPart } from "./stored-in-part.ts";

const OFF = { userData: false, callbackData: false };
const chat = (id: number): RecordKey => ({ kind: "chat", id });
const user = (id: number): RecordKey => ({ kind: "user", id });
const keyboard = (id: string): RecordKey => ({ kind: "keyboard", id });
const query = (id: string): RecordKey => ({ kind: "callbackQuery", id });
const job = (id: string): RecordKey => ({ kind: "job", id });

const record = (text: string, time?: number): KeptRecord => ({ text, version: 0, ...(time !== undefined && { time }) });
const put = (key: RecordKey, text: string, time?: number): RecordChange => ({ key, record: record(text, time) });

interface Opened {
  readonly part: StoredInPart;
  readonly inner: SqlitePersistence;
  readonly reopen: () => Promise<void>;
}

async function opened(): Promise<Opened> {
  const inner = new SqlitePersistence({ path: join(temporaryFolder(), "bot.sqlite"), storeData: OFF });
  const part = new StoredInPart(inner);
  const open = async (): Promise<void> => part.open({ botId: 1, now: () => 0 });
  await open();
  const reopen = async (): Promise<void> => {
    await part.close();
    await open();
  };
  return { part, inner, reopen };
}

/** One whose inner persistence is asynchronous: its reads and commits wait, fail, or are counted, as a test says. */
async function openedSlow(Slow = FailingPersistence): Promise<{ part: StoredInPart; inner: FailingPersistence }> {
  const path = join(temporaryFolder(), "bot.sqlite");
  const inner = new Slow(new SqlitePersistence({ path, storeData: OFF }));
  Object.defineProperty(inner, "storeData", {
    value: { botData: true, chatData: true, userData: false, callbackData: false },
  });
  const part = new StoredInPart(inner as AtomicPersistence);
  await part.open({ botId: 1, now: () => 0 });
  return { part, inner };
}

/** What is done when somebody waits for it, and anew each time: builders of queries are so. TypeScript takes it for a promise. */
function awaited<T>(run: () => Promise<T>): Promise<T> {
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is tried here
  const result: PromiseLike<T> = { then: (onEnd, onError) => run().then(onEnd, onError) };
  return result as Promise<T>;
}

/** One that answers so. */
class QueryingPersistence extends FailingPersistence {
  override read(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]> {
    return awaited(() => super.read(keys));
  }

  override commit(units: readonly UnitCommit[]): Promise<void> {
    return awaited(() => super.commit(units));
  }
}

/** An operation of the inner persistence that waits until it is let go. */
function barrier(inner: FailingPersistence, operation: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  inner.before = (called) => (called === operation ? promise : undefined);
  return () => {
    inner.before = () => {};
    resolve();
  };
}

describe("what is switched off", () => {
  test("lives until the end, while all else is kept (1, 64)", async () => {
    const { part, inner, reopen } = await opened();
    const off = [put(user(1), "1"), put(keyboard("k"), "2", 5), put(query("q"), '"k"')];
    await part.commit([{ changes: [put(chat(1), "3"), ...off] }]);
    const keys = [query("q"), chat(1), user(1), user(2), keyboard("k")];
    expect(await part.read(keys)).toEqual([record('"k"'), record("3"), record("1"), undefined, record("2", 5)]);
    expect(inner.read([user(1), keyboard("k"), query("q")])).toEqual([undefined, undefined, undefined]);
    await reopen();
    expect(await part.read(keys)).toEqual([undefined, record("3"), undefined, undefined, undefined]);
    await part.close();
  });

  test("what the file has of it stays there, unseen (64)", async () => {
    const { part, inner, reopen } = await opened();
    await inner.commit([{ changes: [put(user(1), "old")] }]);
    expect(part.read([user(1)])).toEqual([undefined]);
    expect(part.keys("user", { limit: 9 })).toEqual([]);
    await part.commit([{ changes: [put(user(1), "new"), { key: user(1), record: undefined }] }]);
    await reopen();
    expect(inner.read([user(1)])).toEqual([record("old")]);
    await part.close();
  });

  test("is listed and found by its time, as the rest is", async () => {
    const { part } = await opened();
    const changes = [put(user(10), "1"), put(user(9), "1"), put(chat(3), "1"), put(keyboard("k"), "1", 5)];
    await part.commit([{ changes: [...changes, put(job("j"), "1", 7), put(keyboard("later"), "1", 9)] }]);
    expect(part.keys("user", { limit: 9 })).toEqual([user(9), user(10)]);
    expect(part.keys("user", { limit: 9, after: { kind: "user", id: 9 } })).toEqual([user(10)]);
    expect(part.keys("chat", { limit: 9 })).toEqual([chat(3)]);
    expect(part.earliest("keyboard", { until: 8, limit: 9 })).toEqual([{ key: keyboard("k"), record: record("1", 5) }]);
    expect(part.earliest("job", { until: 8, limit: 9 })).toEqual([{ key: job("j"), record: record("1", 7) }]);
    await part.close();
  });

  test("what is done and set aside is so also where all changes are in memory", async () => {
    const { part, inner } = await opened();
    expect(part.accept([pollUpdate(1), pollUpdate(2)])).toEqual(["accepted", "accepted"]);
    expect(await part.noteAttempts(2, 2)).toBe(true);
    expect(await part.openUpdates({ limit: 9 })).toHaveLength(2);
    const alias = { from: -1, to: -100 };
    await part.commit([
      { changes: [put(user(1), "1")], done: 1 },
      { changes: [], done: 2, setAside: true },
      { changes: [put(user(2), "1")], alias },
    ]);
    expect(inner.accept([pollUpdate(1), pollUpdate(2)])).toEqual(["done", "done"]);
    expect(await part.failedUpdates()).toEqual([{ update: pollUpdate(2), attempts: 2, failedAt: 0 }]);
    expect(part.chatAliases()).toEqual([alias]);
    expect(part.doneUpdates()).toEqual([{ first: 1, last: 2, since: 0, until: 0 }]);
    await part.close();
  });

  test("a refused commit leaves what is in memory as it was", async () => {
    const { part } = await opened();
    await part.commit([{ changes: [put(user(1), "old")] }]);
    const broken = { key: chat(2), record: { text: 5 as never, version: "x" as never } };
    expect(() => part.commit([{ changes: [put(user(1), "new"), broken] }])).toThrow(withCode("PERDURE_REFUSED"));
    expect(part.read([user(1)])).toEqual([record("old")]);
    await part.close();
  });

  test("exclusively, both parts go back when the work fails, and both stay when it does not", async () => {
    const { part } = await opened();
    await part.commit([{ changes: [put(user(1), "old"), put(chat(1), "old")] }]);
    const change = async (text: string): Promise<void> => {
      await part.commit([{ changes: [put(user(1), text), put(chat(1), text), put(user(2), text)] }]);
      expect(await part.read([user(1), chat(1)])).toEqual([record(text), record(text)]);
    };
    const failing = part.exclusively(async () => {
      await change("new");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await part.read([user(1), chat(1), user(2)])).toEqual([record("old"), record("old"), undefined]);
    expect(part.keys("user", { limit: 9 })).toEqual([user(1)]);
    await part.exclusively(() => change("newer"));
    expect(await part.read([user(1), chat(1)])).toEqual([record("newer"), record("newer")]);
    await part.close();
  });

  test("while it is used exclusively, what others do waits, also where it is all in memory", async () => {
    const { part } = await opened();
    await part.commit([{ changes: [put(user(1), "old")] }]);
    const gate = Promise.withResolvers<void>();
    const working = part.exclusively(async () => {
      await part.commit([{ changes: [put(user(1), "taken back")] }]);
      await gate.promise;
      throw new Error("no");
    });
    await new Promise((resolve) => setImmediate(resolve));
    const others: (() => unknown)[] = [
      () => part.commit([{ changes: [put(user(2), "other")] }]),
      () => part.read([user(1)]),
      () => part.keys("user", { limit: 9 }),
      () => part.earliest("keyboard", { until: 9, limit: 9 }),
    ];
    for (const other of others) expect(other).toThrow(withCode("PERDURE_BUSY"));
    gate.resolve();
    await expect(working).rejects.toThrow("no");
    await part.commit([{ changes: [put(user(2), "other")] }]);
    expect(await part.read([user(1), user(2)])).toEqual([record("old"), record("other")]);
    await part.close();
  });

  describe("when the stored part could not be flushed, and is there all the same", () => {
    /** What commits it, and what does so again once the disk works. */
    async function failed(part: StoredInPart, unit: UnitCommit): Promise<() => MaybePromise<void>> {
      const mend = failFlushes("EIO");
      const meanwhile = (part.commit([unit]) as Promise<void>).catch((error: unknown) => error);
      const keys = unit.changes.map(({ key }) => key);
      const seen = part.read(keys);
      expect(await meanwhile).toEqual(withCode("PERDURE_IO"));
      expect(await seen).toEqual(await part.read(keys));
      return () => {
        mend();
        return part.commit([unit]);
      };
    }

    test("so is the other one, before and after it is committed again", async () => {
      const { part } = await opened();
      await part.commit([{ changes: [put(user(1), "old"), put(chat(1), "old")] }]);
      const changes = [put(user(1), "new"), put(chat(1), "between"), put(chat(1), "new")];
      const again = await failed(part, { changes });
      const both = [record("new"), record("new")];
      expect(await part.read([user(1), chat(1)])).toEqual(both);
      await again();
      expect(await part.read([user(1), chat(1)])).toEqual(both);
      await part.close();
    });

    test("also where all that is stored is the done mark", async () => {
      const { part } = await opened();
      const again = await failed(part, { changes: [put(user(1), "new")], done: 1 });
      expect(part.doneUpdates()).toHaveLength(1);
      expect(await part.read([user(1)])).toEqual([record("new")]);
      await again();
      await part.close();
    });
  });

  test("closed, it says so of both parts", async () => {
    const { part } = await opened();
    await part.close();
    await part.close();
    expect(() => part.read([user(1)])).toThrow(withCode("PERDURE_CLOSED"));
    expect(() => part.read([chat(1)])).toThrow(withCode("PERDURE_CLOSED"));
    expect(() => part.keys("user", { limit: 1 })).toThrow(withCode("PERDURE_CLOSED"));
    expect(() => part.commit([{ changes: [put(user(1), "1")] }])).toThrow(withCode("PERDURE_CLOSED"));
    expect(() => part.earliest("keyboard", { until: 1, limit: 1 })).toThrow(withCode("PERDURE_CLOSED"));
    await expect(part.exclusively(async () => {})).rejects.toThrow(withCode("PERDURE_CLOSED"));
  });

  test("an opening that fails leaves it closed", async () => {
    const part = new StoredInPart(
      new SqlitePersistence({ path: join(temporaryFolder(), "none", "bot.sqlite"), storeData: OFF }),
    );
    await expect(part.open({ botId: 1, now: () => 0 })).rejects.toThrow(withCode("PERDURE_CANNOT_OPEN"));
    expect(() => part.read([user(1)])).toThrow(withCode("PERDURE_CLOSED"));
  });

  test("its codec, abilities, switches and bot are those of the inner one", async () => {
    const { part, inner } = await opened();
    expect([part.codec, part.abilities]).toEqual([inner.codec, inner.abilities]);
    expect(part.storeData).toEqual({ botData: true, chatData: true, ...OFF });
    const live = { nameOf: () => undefined, get: () => undefined };
    inner.setBot("the bot", live);
    expect([part.bot, part.live]).toEqual(["the bot", live]);
    await part.updateUserData(1, { a: 1 });
    expect(await part.getUserData()).toEqual(new Map([[1, { a: 1 }]]));
    await part.close();
  });
});

describe("with a slow inner persistence", () => {
  const both = (text: string): RecordChange[] => [put(chat(1), text), put(user(1), text)];

  test("who reads during a commit sees both parts of it or none", async () => {
    const { part, inner } = await openedSlow();
    await part.commit([{ changes: both("old") }]);
    const { promise: late, resolve: release } = Promise.withResolvers<void>();
    inner.after = () => late;
    const committing = part.commit([{ changes: both("new") }]) as Promise<void>;
    await settled();
    const reading = part.read([chat(1), user(1)]) as Promise<unknown>;
    const ofMemory = part.read([user(1)]) as Promise<unknown>;
    expect(await isSettled(Promise.race([reading, ofMemory]))).toBe(false);
    release();
    await committing;
    expect(await reading).toEqual([record("new"), record("new")]);
    expect(await ofMemory).toEqual([record("new")]);
    await part.close();
  });

  test("a commit during a read of both parts takes effect after it", async () => {
    const { part, inner } = await openedSlow();
    await part.commit([{ changes: both("old") }]);
    const release = barrier(inner, "read");
    const reading = part.read([chat(1), user(1)]);
    await settled();
    const committing = part.commit([{ changes: both("new") }]);
    await settled();
    release();
    expect(await reading).toEqual([record("old"), record("old")]);
    await committing;
    expect(await part.read([chat(1), user(1)])).toEqual([record("new"), record("new")]);
    await part.close();
  });

  test("commits take effect in their order, those with and those without a part in the inner one", async () => {
    const { part, inner } = await openedSlow();
    const release = barrier(inner, "commit");
    const first = part.commit([{ changes: both("1") }]);
    const second = part.commit([{ changes: [put(user(1), "2")] }]);
    const third = part.commit([{ changes: [put(chat(1), "3")] }]);
    release();
    await Promise.all([first, second, third]);
    expect(await part.read([chat(1), user(1)])).toEqual([record("3"), record("2")]);
    expect(inner.commits).toHaveLength(2);
    await part.close();
  });

  test("a commit that fails leaves memory as it was, and holds up no later one", async () => {
    const { part, inner } = await openedSlow();
    await part.commit([{ changes: both("old") }]);
    inner.before = (_, units) => {
      if (units?.[0]?.changes[0]?.record?.text === "new") throw new Error("busy");
    };
    const failing = part.commit([{ changes: both("new") }]) as Promise<void>;
    const later = part.commit([{ changes: [put(user(2), "2")] }]);
    await expect(failing).rejects.toThrow("busy");
    await later;
    expect(await part.read([chat(1), user(1), user(2)])).toEqual([record("old"), record("old"), record("2")]);
    await part.close();
  });

  test("what needs nothing of it does not wait", async () => {
    const { part } = await openedSlow();
    await part.commit([{ changes: both("1") }]);
    await settled();
    expect(part.read([user(1)])).toEqual([record("1")]);
    expect(part.commit([{ changes: [put(user(1), "2")] }])).toBeUndefined();
    expect(part.keys("user", { limit: 9 })).toEqual([user(1)]);
    await part.close();
  });

  test("working exclusively begins when the commits before it have ended, and does not take them back", async () => {
    const { part, inner } = await openedSlow();
    const release = barrier(inner, "commit");
    const committing = part.commit([{ changes: both("1") }]);
    const working = part.exclusively(async () => {
      await committing;
      throw new Error("no");
    });
    const ends = Promise.allSettled([committing, working]);
    await settled();
    release();
    expect((await ends).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await part.read([chat(1), user(1)])).toEqual([record("1"), record("1")]);
    await part.close();
  });

  test("a commit that waits when it is closed is not acknowledged", async () => {
    const { part, inner } = await openedSlow();
    const release = barrier(inner, "commit");
    const first = part.commit([{ changes: both("1") }]) as Promise<void>;
    const second = part.commit([{ changes: [put(user(1), "2")] }]) as Promise<void>;
    const ends = Promise.allSettled([first, second]);
    await part.close();
    release();
    expect(await ends).toEqual([
      { status: "rejected", reason: withCode("PERDURE_CLOSED") },
      { status: "rejected", reason: withCode("PERDURE_CLOSED") },
    ]);
  });
});

describe("with an inner persistence that answers with what can only be awaited", () => {
  const both = (text: string): RecordChange[] => [put(chat(1), text), put(user(1), text)];

  test("a commit is made, once, whether or not somebody waits for it, and then its part in memory", async () => {
    const { part, inner } = await openedSlow(QueryingPersistence);
    const release = barrier(inner, "commit");
    void part.commit([{ changes: both("1") }]);
    const reading = part.read([user(1)]) as Promise<unknown>;
    expect(await isSettled(reading)).toBe(false);
    release();
    expect(await reading).toEqual([record("1")]);
    expect(inner.commits).toHaveLength(1);
    expect(inner.inner.read([chat(1)])).toEqual([record("1")]);
    await part.close();
  });

  test("a commit that fails leaves memory as it was", async () => {
    const { part, inner } = await openedSlow(QueryingPersistence);
    await part.commit([{ changes: both("old") }]);
    inner.before = (operation) => {
      if (operation === "commit") throw new Error("busy");
    };
    await expect(part.commit([{ changes: both("new") }])).rejects.toThrow("busy");
    expect(await part.read([chat(1), user(1)])).toEqual([record("old"), record("old")]);
    await part.close();
  });

  test("reads of one part and of both find what there is, and ask once", async () => {
    const { part, inner } = await openedSlow(QueryingPersistence);
    await part.commit([{ changes: both("1") }]);
    // Until then they would wait for the commit, and not be those of the inner one.
    await settled();
    let reads = 0;
    inner.before = (operation) => void (reads += operation === "read" ? 1 : 0);
    expect(await part.read([chat(1)])).toEqual([record("1")]);
    expect(await part.read([user(1), chat(1), chat(2)])).toEqual([record("1"), record("1"), undefined]);
    await settled();
    expect(reads).toBe(2);
    await part.commit([{ changes: both("2") }]);
    expect(await part.read([user(1), chat(1)])).toEqual([record("2"), record("2")]);
    await part.close();
  });
});
