import { join } from "node:path";
import type { Update } from "@grammyjs/types";
import { Bot, type ApiCallFn, type RawApi } from "grammy";
import { describe, expect, test } from "vitest";
import { DrivenClock, settled } from "../../test/support/driven-clock.ts";
import { FailingPersistence } from "../../test/support/failing-persistence.ts";
import { makeEngine } from "../../test/support/made-engine.ts";
import { newSqlite } from "../../test/support/new-sqlite.ts";
import { silentLogger } from "../../test/support/silent-logger.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { pollUpdate } from "../../test/support/updates.ts";
import { PerdureError } from "../errors.ts";
import { Lifetime } from "./lifetime.ts";
import { PollingGate } from "./polling-gate.ts";
import { PollingLoop } from "./polling-loop.ts";

type Payload = NonNullable<Parameters<RawApi["getUpdates"]>[0]>;

/** An engine over a file, and a Telegram that answers each getUpdates with the next of these lists of ids. */
async function start(path = join(temporaryFolder(), "bot.sqlite")) {
  const { engine, persistence, clock } = await makeEngine(new FailingPersistence(newSqlite(path)));
  const nothing = async (): Promise<void> => {};
  const lifetime = new Lifetime({ open: async () => engine, stop: nothing, close: nothing });
  const gate = new PollingGate({
    open: () => lifetime,
    isBeginning: () => true,
    current: () => lifetime,
    onPolling: () => {},
  });
  const answers: number[][] = [];
  const asked: Payload[] = [];
  const telegram = (async (_method: string, payload: Payload) => {
    asked.push(payload);
    return { ok: true, result: (answers.shift() ?? []).map(pollUpdate) };
  }) as unknown as ApiCallFn;
  const call = async (method: string, payload: object, signal?: AbortSignal, prev = telegram): Promise<number[]> => {
    const answer = await gate.transformer(prev, method as "getUpdates", payload, signal as never);
    if (!answer.ok) throw new Error(answer.description);
    const result: unknown = answer.result;
    return Array.isArray(result) ? (result as Update[]).map(({ update_id: id }) => id) : [];
  };
  return {
    engine,
    persistence,
    clock,
    lifetime,
    path,
    answers,
    asked,
    call,
    poll: (payload: Payload = { limit: 100, timeout: 30 }, signal?: AbortSignal) => call("getUpdates", payload, signal),
    handle: (id: number) => engine.handle(pollUpdate(id), nothing),
    offsets: () => asked.map(({ offset }) => offset),
  };
}

const busy = (): never => {
  throw new PerdureError("PERDURE_BUSY", "busy");
};

describe("the offset that Telegram gets", () => {
  test("confirms what was accepted, whatever the poller says", async () => {
    const { answers, poll, offsets } = await start();
    answers.push([7, 8], [9], []);
    for (const offset of [0, 8, 500]) await poll({ offset });
    expect(offsets()).toEqual([0, 9, 10]);
  });

  test("is the last id plus one, not the highest, since ids may start anew", async () => {
    const { answers, poll, offsets } = await start();
    answers.push([900, 5]);
    await poll();
    await poll();
    expect(offsets()).toEqual([0, 6]);
  });

  test("does not confirm what could not be accepted, and the poller does not get it", async () => {
    const { answers, poll, offsets, persistence } = await start();
    answers.push([1], [2], [2]);
    await poll();
    persistence.before = (operation) => {
      if (operation === "accept") throw new PerdureError("PERDURE_REFUSED", "no");
    };
    await expect(poll()).rejects.toThrow("no");
    persistence.before = () => {};
    expect(await poll()).toEqual([2]);
    expect(offsets()).toEqual([0, 2, 2]);
  });

  test("does not confirm what is not durable, also with the last call of a bot that stops", async () => {
    const { answers, poll, offsets, persistence, clock } = await start();
    answers.push([1], [], [2]);
    await poll();
    let isFull = true;
    persistence.before = (operation) => operation === "sync" && isFull && busy();
    const polling = poll();
    await settled();
    expect(await poll({ limit: 1 })).toEqual([]);
    expect(offsets()).toEqual([0, 0]);
    isFull = false;
    await clock.advance(50);
    expect(await polling).toEqual([2]);
    expect(offsets()).toEqual([0, 0, 2]);
  });

  test("does not confirm what is being accepted when the poller gives up", async () => {
    const { answers, poll, offsets, persistence } = await start();
    answers.push([1], [1]);
    persistence.before = (operation) => operation === "accept" && busy();
    const controller = new AbortController();
    const polling = poll({ timeout: 30 }, controller.signal);
    await settled();
    // Meanwhile another call, as the farewell of a bot that stops.
    await poll({ limit: 1 });
    controller.abort();
    await expect(polling).rejects.toMatchObject({ code: "PERDURE_STOPPED" });
    expect(offsets()).toEqual([0, 0]);
  });

  test("is told once more by the last call of a bot that stops, whose updates nobody gets", async () => {
    const { answers, poll, offsets, persistence } = await start();
    answers.push([1, 2], [3]);
    await poll();
    expect(await poll({ offset: 2, limit: 1 })).toEqual([]);
    expect(offsets()).toEqual([0, 3]);
    expect(await persistence.openUpdates({ limit: 10 })).toHaveLength(2);
  });

  test("is not told for ever by that call: a Telegram that does not answer does not hold up a stop", async () => {
    const { call } = await start();
    const silent = ((_method: string, _payload: object, signal?: AbortSignal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      })) as unknown as ApiCallFn;
    expect(await call("getUpdates", { offset: 2, limit: 1 }, undefined, silent)).toEqual([]);
  }, 5000);

  test("a negative one is the poller's wish, for the first call; what it brings may be known", async () => {
    const { answers, poll, offsets } = await start();
    answers.push([5], [5], [6]);
    expect(await poll({ offset: -1 })).toEqual([5]);
    expect(await poll({ offset: -1 })).toEqual([6]);
    expect(offsets()).toEqual([-1, -1, 6]);
  });
});

describe("what the poller gets", () => {
  test("it gets when it is durable, and not before", async () => {
    const { answers, poll, persistence, clock } = await start();
    answers.push([1]);
    persistence.before = (operation) => operation === "accept" && busy();
    let delivered = false;
    const polling = poll().finally(() => (delivered = true));
    await clock.advance(60_000);
    expect([delivered, await persistence.openUpdates({ limit: 10 })]).toEqual([false, []]);
    persistence.before = () => {};
    await clock.advance(10_000);
    expect(await polling).toEqual([1]);
    expect(await persistence.openUpdates({ limit: 10 })).toHaveLength(1);
  });

  test("is only what is new: where all is known, Telegram is asked again", async () => {
    const { answers, poll, handle, offsets } = await start();
    answers.push([1, 2], [1, 2], [2, 3]);
    await poll();
    await handle(1);
    expect(await poll()).toEqual([3]);
    expect(offsets()).toEqual([0, 3, 3]);
  });

  test("is first what an earlier run has left, without asking Telegram", async () => {
    const first = await start();
    first.answers.push([1, 2]);
    await first.poll();
    await first.persistence.close();
    const { answers, poll, asked } = await start(first.path);
    answers.push([3]);
    expect([await poll({ limit: 1, timeout: 30 }), await poll(), asked]).toEqual([[1], [2], []]);
    expect(await poll()).toEqual([3]);
  });

  test("after deleteWebhook, with which pollers begin, is what it had and did not handle", async () => {
    const { answers, poll, call, handle } = await start();
    answers.push([1, 2]);
    await poll();
    await handle(1);
    await call("deleteWebhook", {});
    expect(await poll()).toEqual([2]);
  });

  test.each(["deleteWebhook", "setWebhook"])(
    "after %s with drop_pending_updates is nothing of that",
    async (method) => {
      const { answers, poll, call, persistence } = await start();
      answers.push([1, 2], [], [3]);
      await poll();
      await call(method, { drop_pending_updates: true });
      expect(await poll()).toEqual([3]);
      expect((await persistence.openUpdates({ limit: 10 })).map(({ updateId }) => updateId)).toEqual([3]);
    },
  );

  test("after a stop is the error with which every poller ends", async () => {
    const { poll, lifetime, persistence, answers, asked } = await start();
    answers.push([1]);
    persistence.before = (operation) => operation === "accept" && busy();
    const polling = poll();
    await settled();
    await lifetime.stop();
    await expect(polling).rejects.toThrow("stopped");
    await expect(poll()).rejects.toThrow("stopped");
    expect(asked).toHaveLength(1);
  });
});

test("allowed_updates of a call that the inbox answered go with the next one that reaches Telegram, once", async () => {
  const first = await start();
  first.answers.push([1]);
  await first.poll();
  await first.persistence.close();
  const { poll, asked } = await start(first.path);
  await poll({ allowed_updates: ["message"] });
  await poll();
  await poll();
  expect(asked.map(({ allowed_updates }) => allowed_updates)).toEqual([["message"], undefined]);
});

describe("PollingLoop", () => {
  /** A loop over a Telegram that answers getUpdates with what `answer` gives for the call's number. */
  function makeLoop(answer: (call: number) => object | Promise<object>, handle: () => Promise<void> = async () => {}) {
    const bot = new Bot("1:x", { botInfo: { id: 1, is_bot: true, first_name: "bot", username: "bot" } as never });
    const clock = new DrivenClock();
    let calls = 0;
    bot.api.config.use(async (_prev, method) => {
      if (method !== "getUpdates") return { ok: true, result: true } as never;
      calls += 1;
      return (await answer(calls)) as never;
    });
    const loop = new PollingLoop(bot, { polling: {}, clock, logger: silentLogger, handle });
    return { loop, clock, calls: () => calls };
  }
  const failure = (error_code: number, parameters = {}): object => {
    return { ok: false, error_code, description: "no", parameters };
  };
  const forEver = (): Promise<object> => new Promise(() => {});

  test.each([401, 404, 409])("an answer of %i ends it with that error", async (code) => {
    const { loop, calls } = makeLoop(() => failure(code));
    await expect(loop.run()).rejects.toMatchObject({ error_code: code });
    expect(calls()).toBe(1);
  });

  test("tries again after other errors, with pauses that double, and after a success from the beginning", async () => {
    const { loop, clock, calls } = makeLoop((call) =>
      call === 6 ? forEver() : call === 4 ? { ok: true, result: [] } : failure(502),
    );
    void loop.run();
    const pauses: number[] = [];
    for (let before = clock.now(); calls() < 6; await clock.advance(50)) {
      for (; pauses.length < calls(); before = clock.now()) pauses.push(clock.now() - before);
    }
    // The fifth comes at once after the fourth, which worked.
    expect(pauses).toEqual([0, 100, 200, 400, 0]);
  });

  test("waits as long as Telegram says in retry_after", async () => {
    const { loop, clock, calls } = makeLoop((call) => (call === 1 ? failure(429, { retry_after: 7 }) : forEver()));
    void loop.run();
    await clock.advance(6999);
    expect(calls()).toBe(1);
    await clock.advance(1);
    expect(calls()).toBe(2);
  });

  test("fetches no more while 1000 updates are in flight; a stop ends it all the same", async () => {
    let id = 0;
    const gates: (() => void)[] = [];
    const hundred = (): object => ({ ok: true, result: Array.from({ length: 100 }, () => pollUpdate((id += 1))) });
    const { loop, calls } = makeLoop(
      (call) => (call > 20 ? forEver() : hundred()),
      () => new Promise((resolve) => gates.push(resolve)),
    );
    const running = loop.run();
    await settled();
    expect([calls(), gates.length]).toEqual([10, 1000]);
    gates[500]?.();
    await settled();
    expect([calls(), gates.length]).toEqual([11, 1100]);
    loop.stop();
    await running;
  });

  test("a stop in the middle of a pause ends it", async () => {
    const { loop, calls } = makeLoop(() => failure(502));
    const running = loop.run();
    await settled();
    loop.stop();
    await running;
    expect(calls()).toBe(1);
  });
});
