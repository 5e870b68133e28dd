import { randomBytes } from "node:crypto";
import fs, { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { changeFs } from "../../../test/support/change-fs.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { LogFlush } from "./log-flush.ts";

/** The flushes that have begun in a thread, to be ended by a test. */
let inThread: ((error: Error | null) => void)[] = [];
let failure: Error | undefined;
const here = vi.fn<() => void>(() => {
  if (failure !== undefined) throw failure;
});

/** In milliseconds, for measuring how long flushes take. */
let time = 0;

beforeEach(() => {
  const now = vi.spyOn(performance, "now").mockImplementation(() => time);
  onTestFinished(() => now.mockRestore());
  inThread = [];
  failure = undefined;
  here.mockClear();
  changeFs({
    fdatasyncSync: here,
    fdatasync: (_descriptor: number, done: (error: Error | null) => void) => void inThread.push(done),
  });
});

const alone = (work: () => void): void => work();

/** One that has flushed what it found. */
async function logFlush(withoutWriters = alone): Promise<LogFlush> {
  const log = join(temporaryFolder(), "bot.sqlite-wal");
  writeFileSync(log, "");
  const flush = new LogFlush({ log, withoutWriters });
  await flush.now();
  here.mockClear();
  return flush;
}

/** Longer than a quick flush takes. */
function pass(): void {
  time += 2;
}

/** One whose last flush was slow. */
async function slowFlush(withoutWriters?: (work: () => void) => void): Promise<LogFlush> {
  const flush = await logFlush(withoutWriters);
  here.mockImplementationOnce(pass);
  flush.wrote();
  await flush.now();
  here.mockClear();
  return flush;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What has become of a promise by the next turn of the event loop. */
async function fateOf(promise: Promise<void> | undefined): Promise<string> {
  const waiting = nextTurn().then(() => "waits");
  return Promise.race([
    Promise.resolve(promise).then(
      () => "durable",
      (error: Error) => error.message,
    ),
    waiting,
  ]);
}

describe("a quick disk", () => {
  test("is waited for; when there is nothing to flush, it is not asked", async () => {
    const flush = await logFlush();
    expect(flush.now()).toBeUndefined();
    flush.wrote();
    expect(await fateOf(flush.now())).toBe("durable");
    expect(flush.now()).toBeUndefined();
    expect(flush.soon()).toBeUndefined();
    expect(here).toHaveBeenCalledTimes(1);
  });

  test("flushes once for what is written in one turn of the event loop, if the last of it is asked for at once", async () => {
    const flush = await logFlush();
    flush.wrote();
    const accepted = flush.soon();
    flush.wrote();
    const committed = flush.now();
    await Promise.all([accepted, committed]);
    await nextTurn();
    expect(here).toHaveBeenCalledTimes(1);
  });

  test("flushes at the end of the turn what nothing else takes along", async () => {
    const flush = await logFlush();
    flush.wrote();
    const accepted = flush.soon();
    expect(here).not.toHaveBeenCalled();
    await accepted;
    expect(here).toHaveBeenCalledTimes(1);
  });
});

describe("a slow disk", () => {
  test("flushes in a thread, and then once for all that was written meanwhile", async () => {
    const flush = await slowFlush();
    flush.wrote();
    const first = flush.now();
    const others = [1, 2, 3].map(() => {
      flush.wrote();
      return flush.now();
    });
    pass();
    expect(await fateOf(first)).toBe("waits");
    inThread[0]?.(null);
    expect(await Promise.all([first, ...others].map(fateOf))).toEqual(["durable", "waits", "waits", "waits"]);
    inThread[1]?.(null);
    expect(await Promise.all(others.map(fateOf))).toEqual(["durable", "durable", "durable"]);
    expect([inThread.length, here.mock.calls.length]).toEqual([2, 0]);
  });

  test("is waited for again once it is quick", async () => {
    const flush = await slowFlush();
    for (const end of [(): void => {}, pass]) {
      flush.wrote();
      const done = flush.now();
      end();
      inThread.shift()?.(null);
      await done;
    }
    expect(here).toHaveBeenCalledTimes(1);
  });
});

describe("a disk that fails", () => {
  const broken = new Error("EIO: i/o error, fdatasync");

  test("is not believed the next time: first the log is written again, while nobody else writes", async () => {
    const withoutWriters = vi.fn<(work: () => void) => void>(alone);
    const flush = await logFlush(withoutWriters);
    failure = broken;
    flush.wrote();
    await expect(flush.now()).rejects.toThrow("EIO");
    await expect(flush.now()).rejects.toThrow("EIO");
    expect(() => flush.mend()).toThrow("EIO");
    failure = undefined;
    withoutWriters.mockImplementationOnce(() => {
      throw new Error("busy");
    });
    await expect(flush.now()).rejects.toThrow("busy");
    expect(await fateOf(flush.now())).toBe("durable");
    expect(withoutWriters).toHaveBeenCalledTimes(4);
    flush.mend();
    flush.wrote();
    await flush.now();
    expect(withoutWriters).toHaveBeenCalledTimes(4);
  });

  test("with the same bytes, all of them", async () => {
    const path = join(temporaryFolder(), "bot.sqlite-wal");
    const content = randomBytes(2.5 * 2 ** 20);
    writeFileSync(path, content);
    const flush = new LogFlush({ log: path, withoutWriters: alone });
    failure = broken;
    await expect(flush.now()).rejects.toThrow("EIO");
    failure = undefined;
    const written = vi.fn<typeof fs.writeSync>(fs.writeSync);
    const restore = changeFs({ writeSync: written });
    await flush.now();
    restore();
    const bytes = written.mock.results.reduce((sum, { value }) => sum + Number(value), 0);
    expect(bytes).toBe(content.length);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test("in a thread: all who wait hear of it, those who came later as well", async () => {
    const withoutWriters = vi.fn<(work: () => void) => void>(alone);
    const flush = await slowFlush(withoutWriters);
    flush.wrote();
    const first = flush.now();
    flush.wrote();
    const second = flush.soon();
    inThread[0]?.(broken);
    expect(await Promise.all([first, second].map(fateOf))).toEqual([broken.message, broken.message]);
    expect(await fateOf(flush.now())).toBe("durable");
    expect(withoutWriters).toHaveBeenCalledTimes(1);
  });
});

describe("closing", () => {
  test.each([false, true])("flushes what is not flushed, and says what came of it: fails %s", async (fails) => {
    const flush = await logFlush();
    flush.wrote();
    const waiting = flush.soon();
    if (fails) failure = new Error("EIO");
    flush.close();
    expect(await fateOf(waiting)).toBe(fails ? "EIO" : "durable");
    await nextTurn();
    expect(here).toHaveBeenCalledTimes(1);
  });

  test("while a flush runs in a thread, keeps the descriptor for it", async () => {
    const flush = await slowFlush();
    flush.wrote();
    const waiting = flush.now();
    flush.close();
    expect(await fateOf(waiting)).toBe("durable");
    expect(here).toHaveBeenCalledTimes(1);
    inThread[0]?.(new Error("too late"));
    await nextTurn();
    expect(inThread).toHaveLength(1);
  });

  test("closes the descriptor", async () => {
    const openSync = vi.fn<typeof fs.openSync>(fs.openSync);
    const close = vi.fn<typeof fs.close>(fs.close);
    const restore = changeFs({ openSync, close });
    const flush = await logFlush();
    flush.close();
    restore();
    expect(close.mock.calls.map(([descriptor]) => descriptor)).toEqual([openSync.mock.results[0]?.value]);
  });
});
