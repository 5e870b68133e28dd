import type { Update } from "@grammyjs/types";
import { describe, expect, test } from "vitest";
import { isSettled, settled } from "../../test/support/driven-clock.ts";
import { makeEngine } from "../../test/support/made-engine.ts";
import { newSqlite } from "../../test/support/new-sqlite.ts";
import type { FoundBy, KeptRecord, RecordKey } from "../data/record.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

const OLD = -4001;
const NEW = -1_001_234_567_890;

const job = (id: string): RecordKey => ({ kind: "job", id });
const conversation = (...id: (number | string)[]): RecordKey => ({ kind: "conversation", name: "order", id });

async function start() {
  const { engine, persistence, warnings } = await makeEngine(newSqlite());
  const keep = (key: RecordKey, value: unknown, foundBy: FoundBy = {}): Promise<void> =>
    engine.transaction({}, (unit) => keepIn(unit, key, value, foundBy));
  const kept = async (...keys: RecordKey[]): Promise<unknown[]> => {
    const records: readonly (KeptRecord | undefined)[] = await persistence.read(keys);
    return records.map((record) => record && [JSON.parse(record.text), record.chatId, record.userId, record.time]);
  };
  return { engine, persistence, keep, kept, warnings };
}

function keepIn(unit: UnitOfWork, key: RecordKey, value: unknown, foundBy: FoundBy): Promise<void> {
  return unit.perform("keep", async () => {
    const record = await unit.open(key);
    record.set(value);
    record.foundBy = foundBy;
  });
}

let nextId = 1;
function message(chat: number, content: object, user = 7): Update {
  const from = { id: user, is_bot: false, first_name: "Ann" };
  const body = { message_id: nextId, date: 0, from, chat: { id: chat, type: "group", title: "" }, ...content };
  return { update_id: nextId++, message: body } as never;
}
const moves = (): Update => message(OLD, { migrate_to_chat_id: NEW });

describe("what a record is found by, in a unit of work", () => {
  test("is kept with the value, changes alone, and is forgotten with it", async () => {
    const { engine, keep, kept } = await start();
    await keep(job("a"), 1, { time: 5, chatId: 1, userId: 2 });
    expect(await kept(job("a"))).toEqual([[1, 1, 2, 5]]);
    await engine.transaction({}, (unit) =>
      unit.perform("move", async () => {
        const record = await unit.open(job("a"));
        record.foundBy = { ...record.foundBy, time: 9 };
      }),
    );
    expect(await kept(job("a"))).toEqual([[1, 1, 2, 9]]);
    await engine.transaction({}, (unit) => unit.perform("drop", async () => (await unit.open(job("a"))).drop()));
    await keep(job("a"), 2);
    expect(await kept(job("a"))).toEqual([[2, undefined, undefined, undefined]]);
  });

  test("is no change when it is set to what it was, and none where there is no value", async () => {
    const { engine, keep, persistence, kept } = await start();
    await keep(job("a"), 1, { time: 5 });
    const commits: unknown[] = [];
    const commit = persistence.commit.bind(persistence);
    persistence.commit = (units) => {
      commits.push(...units.flatMap(({ changes }) => changes));
      return commit(units);
    };
    await engine.transaction({}, (unit) =>
      unit.perform("touch", async () => {
        (await unit.open(job("a"))).foundBy = { time: 5 };
        (await unit.open(job("b"))).foundBy = { time: 6 };
      }),
    );
    expect(commits).toEqual([]);
    expect(await kept(job("b"))).toEqual([undefined]);
  });
});

describe("a group that becomes a supergroup takes along", () => {
  test("its conversations, under keys with its new id, and its jobs, and nobody else's", async () => {
    const { engine, keep, kept } = await start();
    await keep(conversation(OLD, 7), "asking", { chatId: OLD, userId: 7 });
    await keep(conversation(7), "by user", { userId: 7 });
    await keep(conversation(-5, 7), "elsewhere", { chatId: -5 });
    await keep(job("a"), "remind", { chatId: OLD, time: 5 });
    await keep(job("b"), "other", { chatId: -5, time: 6 });
    await engine.handle(moves(), async () => {});
    await engine.handle(message(NEW, { migrate_from_chat_id: OLD }), async () => {});
    expect(await kept(conversation(OLD, 7), conversation(NEW, 7), conversation(7), conversation(-5, 7))).toEqual([
      undefined,
      ["asking", NEW, 7, undefined],
      ["by user", undefined, 7, undefined],
      ["elsewhere", -5, undefined, undefined],
    ]);
    expect(await kept(job("a"), job("b"))).toEqual([
      ["remind", NEW, undefined, 5],
      ["other", -5, undefined, 6],
    ]);
  });

  test("a conversation that had begun in the supergroup already gives way, and a warning tells", async () => {
    const { engine, keep, kept, warnings } = await start();
    await keep(conversation(OLD, 7), "old", { chatId: OLD });
    await keep(conversation(NEW, 7), "fresh", { chatId: NEW });
    await engine.handle(moves(), async () => {});
    expect(await kept(conversation(NEW, 7))).toEqual([["old", NEW, undefined, undefined]]);
    expect(warnings).toEqual([expect.stringContaining('this was dropped: "fresh"')]);
  });

  test("a job as whoever has it at that moment leaves it", async () => {
    const { engine, keep, kept } = await start();
    await keep(job("a"), 1, { chatId: OLD, time: 5 });
    const gate = Promise.withResolvers<void>();
    const changing = engine.transaction({}, async (unit) => {
      await keepIn(unit, job("a"), 2, { chatId: OLD, time: 9 });
      await gate.promise;
    });
    await settled();
    const moving = engine.handle(moves(), async () => {});
    expect(await isSettled(moving)).toBe(false);
    gate.resolve();
    await Promise.all([changing, moving]);
    expect(await kept(job("a"))).toEqual([[2, NEW, undefined, 9]]);
  });

  test("a job whose owner waits for the group: that one goes first, and the announcement's handlers run once", async () => {
    const { engine, keep, kept, persistence } = await start();
    await keep(job("a"), 1, { chatId: OLD, time: 5 });
    const [isMoving, listing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const keys = persistence.keys.bind(persistence);
    // The migration has the group, and looks for what belongs to it.
    persistence.keys = ((...which: Parameters<typeof keys>) => {
      isMoving.resolve();
      return listing.promise.then(() => keys(...which));
    }) as never;
    const other = engine.transaction({}, async (unit) => {
      await keepIn(unit, job("a"), 2, { chatId: OLD });
      await isMoving.promise;
      await engine.drop("chat", OLD);
    });
    let runs = 0;
    const moving = engine.handle(moves(), async () => void (runs += 1));
    await settled();
    listing.resolve();
    await Promise.all([other, moving]);
    expect(await kept(job("a"))).toEqual([[2, NEW, undefined, undefined]]);
    expect([runs, engine.chatId(OLD)]).toEqual([1, NEW]);
  });

  test("what the migrating unit itself has changed", async () => {
    const { engine, keep, kept } = await start();
    await keep(job("gone"), 1, { chatId: OLD });
    await engine.transaction({}, async (unit) => {
      await keepIn(unit, job("new"), 2, { chatId: OLD });
      await unit.perform("drop", async () => (await unit.open(job("gone"))).drop());
      await engine.migrateChat({ from: OLD, to: NEW });
    });
    expect(await kept(job("gone"), job("new"))).toEqual([undefined, [2, NEW, undefined, undefined]]);
  });
});

describe("forgetting a user", () => {
  test("removes the user's and the private chat's conversations and jobs, also what the unit itself has made", async () => {
    const { engine, keep, kept } = await start();
    await keep(conversation(7, 7), 1, { chatId: 7, userId: 7 });
    await keep(conversation(-1, 7), 2, { chatId: -1, userId: 7 });
    await keep(conversation(-1, 8), 3, { chatId: -1, userId: 8 });
    await keep(job("chat"), 4, { chatId: 7 });
    await keep(job("user"), 5, { chatId: -1, userId: 7 });
    await keep(job("other"), 6, { chatId: -1, userId: 8 });
    await engine.transaction({ users: [7] }, async (unit) => {
      await keepIn(unit, job("own"), 7, { userId: 7 });
      await engine.forgetUser(7);
    });
    expect(await kept(conversation(7, 7), conversation(-1, 7), job("chat"), job("user"), job("own"))).toEqual(
      Array.from({ length: 5 }, () => undefined),
    );
    expect(await kept(conversation(-1, 8), job("other"))).toEqual([
      [3, -1, 8, undefined],
      [6, -1, 8, undefined],
    ]);
  });
});
