import { join } from "node:path";
import { expect, test } from "vitest";
import { isSettled, settled } from "../../test/support/driven-clock.ts";
import { makeEngine, type Counts } from "../../test/support/made-engine.ts";
import { newSqlite } from "../../test/support/new-sqlite.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { message } from "../../test/support/updates.ts";
import { withCode } from "../../test/support/with-code.ts";
import type { RecordKey } from "../data/record.ts";
import type { Run } from "./engine.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

async function start({ path = join(temporaryFolder(), "bot.sqlite"), concurrency = 64 } = {}) {
  const { engine, persistence, clock, reported } = await makeEngine(newSqlite(path), { concurrency });
  const kept = async (...keys: RecordKey[]): Promise<unknown[]> => {
    const records = await persistence.read(keys);
    return records.map((record) => record && JSON.parse(record.text));
  };
  const open = async (): Promise<number[]> =>
    (await persistence.openUpdates({ limit: 100 })).map(({ updateId }) => updateId);
  return { engine, clock, reported, path, kept, open, persistence };
}

const CHAT: RecordKey = { kind: "chat", id: 1 };
const USER: RecordKey = { kind: "user", id: 1 };
const chatData = (unit: UnitOfWork): Counts => unit.chatData as Counts;
const userData = (unit: UnitOfWork): Counts => unit.userData as Counts;
const count: Run = async (unit) => void (chatData(unit).n += 1);
/** A poller's, which does not wait for what gives up its turn. */
const unheard = (): void => {};

test("others of the same chat go on meanwhile; afterwards it sees what they have changed, and all of it is one commit", async () => {
  const { engine, kept, open } = await start();
  const gate = Promise.withResolvers<void>();
  const first = engine.handle(message(1), async (unit) => {
    expect(chatData(unit).n).toBe(0);
    await unit.withoutTurn(() => gate.promise);
    expect(chatData(unit).n).toBe(1);
    chatData(unit).n += 10;
  });
  await settled();
  expect(await engine.handle(message(2), count)).toBe("handled");
  expect(await kept(CHAT)).toEqual([{ n: 1 }]);
  expect(await open()).toEqual([1]);
  gate.resolve();
  expect(await first).toBe("handled");
  expect(await kept(CHAT)).toEqual([{ n: 11 }]);
  expect(await open()).toEqual([]);
});

test("it has no slot meanwhile, and takes one again", async () => {
  const { engine, kept } = await start({ concurrency: 1 });
  const gate = Promise.withResolvers<void>();
  const first = engine.handle(message(1), async (unit) => {
    await unit.withoutTurn(() => gate.promise);
    chatData(unit).n += 1;
  });
  await settled();
  expect(await engine.handle(message(2, 2, 2), count)).toBe("handled");
  gate.resolve();
  expect(await first).toBe("handled");
  expect(await engine.handle(message(3, 2, 2), count)).toBe("handled");
  expect(await kept(CHAT, { kind: "chat", id: 2 })).toEqual([{ n: 1 }, { n: 2 }]);
});

test("what it had changed before stays its own, is not committed early, and not lost", async () => {
  const { engine, kept } = await start();
  const gate = Promise.withResolvers<void>();
  const first = engine.handle(message(1), async (unit) => {
    chatData(unit).n = 5;
    expect(userData(unit).n).toBe(0);
    await unit.withoutTurn(() => gate.promise);
    expect([chatData(unit).n, userData(unit).n]).toEqual([5, 1]);
  });
  await settled();
  const sameChat = engine.handle(message(2, 1, 2), count);
  const sameUser = engine.handle(message(3, 2, 1), async (unit) => void (userData(unit).n += 1));
  expect(await isSettled(sameUser)).toBe(true);
  expect(await isSettled(sameChat)).toBe(false);
  expect(await kept(CHAT, USER)).toEqual([undefined, { n: 1 }]);
  gate.resolve();
  await Promise.all([first, sameChat]);
  expect(await kept(CHAT)).toEqual([{ n: 6 }]);
});

test("the bot's data is given up too if it was not changed, and stays its own if it was", async () => {
  const { engine, kept } = await start();
  const bump = (unit: UnitOfWork): Promise<number> => unit.updateBotData((bot) => ((bot as Counts).n += 1));
  for (const changes of [false, true]) {
    const gate = Promise.withResolvers<void>();
    const first = engine.handle(message(changes ? 1 : 2), async (unit) => {
      await (changes ? bump(unit) : unit.updateBotData(() => {}));
      await unit.withoutTurn(() => gate.promise);
      await bump(unit);
    });
    await settled();
    const other = engine.handle(message(changes ? 3 : 4, 2, 2), async (unit) => void (await bump(unit)));
    expect(await isSettled(other)).toBe(!changes);
    gate.resolve();
    await Promise.all([first, other]);
  }
  expect(await kept({ kind: "bot" })).toEqual([{ n: 5 }]);
});

test("meanwhile its values cannot be touched, and the caller is in no unit: transactions are units of their own", async () => {
  const { engine, kept } = await start();
  await engine.handle(message(1), async (unit) => {
    await unit.withoutTurn(async () => {
      expect(() => unit.chatData).toThrow(withCode("PERDURE_NO_TURN"));
      expect(() => unit.botData).toThrow(withCode("PERDURE_NO_TURN"));
      await expect(unit.updateBotData(() => {})).rejects.toThrow(withCode("PERDURE_NO_TURN"));
      await engine.transaction({ chats: [1] }, async (own) => void ((own.valueOf("chat", 1).get() as Counts).n = 7));
      await expect(engine.handle(message(2), count)).rejects.toThrow(withCode("PERDURE_NESTED"));
    });
    expect(chatData(unit).n).toBe(7);
  });
  expect(await kept(CHAT)).toEqual([{ n: 7 }]);
});

test("a transaction that would wait for what its caller still owns is refused, directly or round a corner", async () => {
  const { engine, kept } = await start();
  const gate = Promise.withResolvers<void>();
  const first = engine.handle(message(1, 1, 1), async (unit) => {
    chatData(unit).n = 5;
    await unit.withoutTurn(async () => {
      const direct = engine.transaction({ chats: [1] }, async () => {});
      await expect(direct).rejects.toThrow(withCode("PERDURE_DEADLOCK"));
      await gate.promise;
      // The second update runs, owns the user 2 and waits for the chat.
      const roundACorner = engine.transaction({ users: [2] }, async () => {});
      await expect(roundACorner).rejects.toThrow(withCode("PERDURE_DEADLOCK"));
    });
  });
  await settled();
  const second = engine.transaction({ users: [2] }, async (unit) => {
    await unit.perform("opening", () => unit.open(CHAT));
  });
  await settled();
  gate.resolve();
  await Promise.all([first, second]);
  expect(await kept(CHAT)).toEqual([{ n: 5 }]);
});

test("a transaction in it goes before those that wait for what its caller owns", async () => {
  const { engine, kept } = await start();
  const first = engine.handle(message(1, 1, 1), async (unit) => {
    chatData(unit).n = 5;
    await unit.withoutTurn(async () => {
      await settled();
      // The second update stands in the queue of the user 2, and waits for the chat.
      await engine.transaction({ users: [2] }, async (own) => void ((own.valueOf("user", 2).get() as Counts).n = 1));
    });
  });
  const second = engine.handle(message(2, 1, 2), async (unit) => void (userData(unit).n += 1));
  await Promise.all([first, second]);
  expect(await kept({ kind: "user", id: 2 })).toEqual([{ n: 2 }]);
});

test("an object from before that is changed afterwards is noticed: others may have changed what it was", async () => {
  const { engine, kept } = await start();
  const handling = engine.handle(message(1), async (unit) => {
    const data = chatData(unit);
    await unit.withoutTurn(() => {});
    data.n = 1;
  });
  await expect(handling).rejects.toThrow(withCode("PERDURE_NO_TURN"));
  expect(await kept(CHAT)).toEqual([undefined]);
});

test("what it throws is the update's error; a missing await is one too, and takes no turn for ever", async () => {
  const { engine, kept } = await start();
  const failing = engine.handle(message(1), async (unit) => {
    await unit.withoutTurn(() => Promise.reject(new Error("on purpose")));
  });
  await expect(failing).rejects.toThrow("on purpose");
  const gate = Promise.withResolvers<void>();
  const careless = engine.handle(message(2), async (unit) => void unit.withoutTurn(() => gate.promise).catch(() => {}));
  await expect(careless).rejects.toThrow(withCode("PERDURE_UNIT_OVER"));
  gate.resolve();
  await settled();
  expect(await engine.handle(message(3), count)).toBe("handled");
  expect(await kept(CHAT)).toEqual([{ n: 1 }]);
});

test("a poller does not wait for it: its errors go elsewhere; a webhook's request does", async () => {
  const { engine, open } = await start();
  await engine.inbox.accept([message(1), message(2)]);
  const late: unknown[] = [];
  const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const run =
    (index: number): Run =>
    (unit) =>
      unit.withoutTurn(() => gates[index]?.promise);
  expect(await engine.handle(message(1), run(0), (error) => late.push(error))).toBe("going on");
  expect(await engine.handle(message(2), run(1), (error) => late.push(error))).toBe("going on");
  const webhook = engine.handle(message(3), run(2));
  expect(await isSettled(webhook)).toBe(false);
  gates[0]?.resolve();
  gates[1]?.reject(new Error("late"));
  gates[2]?.resolve();
  expect(await webhook).toBe("handled");
  await engine.flush();
  await settled();
  expect(late).toEqual([new Error("late")]);
  expect(await open()).toEqual([]);
});

test("delivered again meanwhile, it does not run twice", async () => {
  const { engine } = await start();
  await engine.inbox.accept([message(1)]);
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  const run: Run = async (unit) => {
    runs += 1;
    await unit.withoutTurn(() => gate.promise);
  };
  await engine.handle(message(1), run, unheard);
  expect(await engine.inbox.accept([message(1)])).toEqual([]);
  expect(await engine.handle(message(1), run)).toBe("duplicate");
  gate.resolve();
  await settled();
  expect(runs).toBe(1);
});

test("a stop waits for it, transactions in it included; after the timeout its update stays in the inbox", async () => {
  const setting = await start();
  const { engine, clock, kept } = setting;
  const gate = Promise.withResolvers<void>();
  await engine.inbox.accept([message(1), message(2, 2, 2)]);
  const run: Run = async (unit) => {
    await unit.withoutTurn(async () => {
      await gate.promise;
      await engine.transaction({ users: [1] }, async (own) => void ((own.valueOf("user", 1).get() as Counts).n = 1));
    });
    chatData(unit).n = 1;
  };
  await engine.handle(message(1), run, unheard);
  await engine.handle(message(2, 2, 2), (unit) => unit.withoutTurn(() => new Promise(() => {})), unheard);
  const stopping = engine.stop(10_000);
  gate.resolve();
  await settled();
  expect(await kept(CHAT, USER)).toEqual([{ n: 1 }, { n: 1 }]);
  expect(await isSettled(stopping)).toBe(false);
  await clock.advance(10_000);
  expect((await stopping).map(({ update_id }) => update_id)).toEqual([2]);
  expect(await setting.open()).toEqual([2]);
});

test("what is replayed goes on running alone, with the transactions in it, but not for ever", async () => {
  const first = await start();
  await first.engine.inbox.accept([message(1), message(2, 2, 2)]);
  await first.persistence.close();
  const { engine, clock, kept } = await start({ path: first.path });
  expect(await engine.inbox.replay(10)).toHaveLength(2);
  expect(await engine.inbox.replay(10)).toEqual([]);
  const gate = Promise.withResolvers<void>();
  const run: Run = (unit) =>
    unit.withoutTurn(async () => {
      await engine.transaction({ chats: [3] }, async (own) => void ((own.valueOf("chat", 3).get() as Counts).n = 1));
      await gate.promise;
    });
  await engine.handle(message(1), run, unheard);
  await engine.inbox.accept([message(3, 4, 4)]);
  const other = engine.handle(message(3, 4, 4), count);
  expect(await isSettled(other)).toBe(false);
  expect(await kept({ kind: "chat", id: 3 })).toEqual([{ n: 1 }]);
  await clock.advance(80_000);
  expect(await isSettled(other)).toBe(true);
  gate.resolve();
  await settled();
  expect(await engine.handle(message(2, 2, 2), count)).toBe("handled");
});

/** One whose update 1 an earlier run has left, handed out. */
async function startWithOneLeft(concurrency: number) {
  const first = await start({ concurrency });
  await first.engine.inbox.accept([message(1)]);
  await first.persistence.close();
  const second = await start({ path: first.path, concurrency });
  await second.engine.inbox.replay(10);
  await second.engine.inbox.replay(10);
  return second;
}

test.for([1, 64])(
  "what is replayed lends its slots, %i, to who is ahead of it when it waits for its turn again",
  async (concurrency) => {
    const { engine, kept } = await startWithOneLeft(concurrency);
    const gate = Promise.withResolvers<void>();
    const replayed = engine.handle(message(1), async (unit) => {
      await unit.withoutTurn(() => gate.promise);
      chatData(unit).n *= 10;
    });
    await settled();
    await engine.inbox.accept([message(2)]);
    const ahead = engine.handle(message(2), count);
    expect(await isSettled(ahead)).toBe(false);
    gate.resolve();
    await Promise.all([replayed, ahead]);
    expect(await kept(CHAT)).toEqual([{ n: 10 }]);
  },
);

test.for([1, 64])("so do the transactions in it, its %i slots", async (concurrency) => {
  const { engine, kept } = await startWithOneLeft(concurrency);
  const gate = Promise.withResolvers<void>();
  const replayed = engine.handle(message(1), (unit) =>
    unit.withoutTurn(async () => {
      await gate.promise;
      await engine.transaction({ chats: [3] }, async (own) => void ((own.valueOf("chat", 3).get() as Counts).n *= 10));
    }),
  );
  await settled();
  await engine.inbox.accept([message(2, 3, 3)]);
  const ahead = engine.handle(message(2, 3, 3), count);
  expect(await isSettled(ahead)).toBe(false);
  gate.resolve();
  await ahead;
  await settled();
  expect(await kept({ kind: "chat", id: 3 })).toEqual([{ n: 10 }]);
  await engine.flush();
  expect(await replayed).toBe("handled");
});

test("a chat that has moved in it stays its own: what comes for the old one meanwhile reaches the new one", async () => {
  const { engine, kept } = await start();
  const gate = Promise.withResolvers<void>();
  const first = engine.handle(message(1, -1), async (unit) => {
    await engine.migrateChat({ from: -1, to: -100 });
    await unit.withoutTurn(() => gate.promise);
    chatData(unit).n += 1;
  });
  await settled();
  const others = [message(2, -1, 2), message(3, -100, 3)].map((update) => engine.handle(update, count));
  await settled();
  gate.resolve();
  await Promise.all([first, ...others]);
  expect(await kept({ kind: "chat", id: -1 }, { kind: "chat", id: -100 })).toEqual([undefined, { n: 3 }]);
});
