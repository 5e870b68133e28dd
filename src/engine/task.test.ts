import { describe, expect, test } from "vitest";
import { isSettled, settled } from "../../test/support/driven-clock.ts";
import { makeEngine } from "../../test/support/made-engine.ts";
import { newSqlite } from "../../test/support/new-sqlite.ts";
import { withCode } from "../../test/support/with-code.ts";
import type { JobKey, RecordChange } from "../data/record.ts";
import type { Task } from "./assignments.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

const KEY: JobKey = { kind: "job", id: "a" };
const task: Task = { name: "job a", chatId: 1, keys: [KEY], alone: false };

const start = () => makeEngine(newSqlite(), { onHandlerError: "keep" });
const change = (text: string): RecordChange => ({ key: KEY, record: { text, version: 0 } });
const count = (unit: UnitOfWork): number => ((unit.chatData as { n: number }).n += 1);

describe("a task", () => {
  test("owns its records from the beginning, and changes them with its chat's data in one commit", async () => {
    const { engine, persistence } = await start();
    const commits: (readonly RecordChange[])[] = [];
    engine.onCommitted((changes) => void commits.push(changes));
    const gate = Promise.withResolvers<void>();
    const running = engine.run(task, async (unit) => {
      count(unit);
      unit.known(KEY)?.set("mine");
      await gate.promise;
      return "result";
    });
    await settled();
    const other = engine.transaction({}, (unit) => unit.open(KEY));
    expect(await isSettled(other)).toBe(false);
    gate.resolve();
    expect(await running).toBe("result");
    expect((await other).get()).toBe("mine");
    expect(commits[0]?.map(({ key }) => key.kind)).toEqual(["chat", "job"]);
    expect(persistence.read([KEY, { kind: "chat", id: 1 }]).map((record) => record?.text)).toEqual([
      '"mine"',
      '{"n":1}',
    ]);
  });

  test("that fails leaves nothing, whatever becomes of the changes of updates", async () => {
    const { engine, persistence } = await start();
    const failing = engine.run(task, async (unit) => {
      count(unit);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(persistence.read([{ kind: "chat", id: 1 }])).toEqual([undefined]);
  });

  test("what it notes is durable at once, and stays when it fails", async () => {
    const { engine, persistence } = await start();
    const failing = engine.run(task, async (_unit, note) => {
      await note(change('"noted"'));
      expect(persistence.read([KEY])[0]?.text).toBe('"noted"');
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(persistence.read([KEY])[0]?.text).toBe('"noted"');
  });

  test("what it noted is taken back when a stop gives it up, and not when it has ended by then", async () => {
    const { engine, persistence, clock } = await start();
    await persistence.commit([{ changes: [change('"before"')] }]);
    const ended: Task = { ...task, keys: [{ kind: "job", id: "b" }], chatId: 2 };
    await engine.run(ended, async (unit, note) => {
      await note({ key: { kind: "job", id: "b" }, record: { text: '"noted"', version: 0 } });
      unit.known({ kind: "job", id: "b" })?.set("after");
    });
    const given = engine.run(task, async (_unit, note) => {
      await note(change('"noted"'));
      await new Promise(() => {});
    });
    given.catch(() => {});
    await settled();
    const stopping = engine.stop(1000);
    await clock.advance(1000);
    await stopping;
    expect(persistence.read([KEY, { kind: "job", id: "b" }]).map((record) => record?.text)).toEqual([
      '"before"',
      '"after"',
    ]);
  });

  test("does not begin once the engine stops, also if it waits already, and not in a unit of work", async () => {
    const { engine, clock } = await start();
    const nested = engine.transaction({}, () => engine.run(task, async () => {}));
    await expect(nested).rejects.toThrow(withCode("PERDURE_NESTED"));
    const gate = Promise.withResolvers<void>();
    const first = engine.run(task, () => gate.promise);
    let ran = false;
    const waiting = engine.run(task, async () => void (ran = true));
    waiting.catch(() => {});
    await settled();
    const stopping = engine.stop(1000);
    gate.resolve();
    await first;
    await expect(waiting).rejects.toThrow(withCode("PERDURE_STOPPED"));
    await expect(engine.run(task, async () => {})).rejects.toThrow(withCode("PERDURE_STOPPED"));
    await clock.advance(1000);
    await stopping;
    expect(ran).toBe(false);
  });

  test("that runs alone waits for the others, and they for it", async () => {
    const { engine } = await start();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = engine.transaction({ chats: [5] }, async () => {
      await gate.promise;
      order.push("first");
    });
    await settled();
    const alone = engine.run({ ...task, alone: true }, async () => {
      await settled();
      order.push("alone");
    });
    const after = engine.transaction({ chats: [6] }, async () => void order.push("after"));
    gate.resolve();
    await Promise.all([first, alone, after]);
    expect(order).toEqual(["first", "alone", "after"]);
  });
});
