import { expect, test } from "vitest";
import { settled } from "../../test/support/driven-clock.ts";
import { makeEngine } from "../../test/support/made-engine.ts";
import { newSqlite } from "../../test/support/new-sqlite.ts";
import type { RecordKey } from "../data/record.ts";
import type { KeptValue } from "./kept-value.ts";

const key = (name: string, ...id: number[]): RecordKey => ({ kind: "conversation", name, id });

async function start() {
  const { engine, persistence } = await makeEngine(newSqlite(), {
    isTransient: (record) => record.kind === "conversation" && record.name === "brief",
  });
  const change = (record: RecordKey, use: (value: KeptValue) => unknown): Promise<unknown> =>
    engine.transaction({}, (unit) => unit.perform("change", async () => use(await unit.open(record))));
  return { engine, persistence, change };
}

test("what lives in memory only is seen by the next unit, and is in no commit", async () => {
  const { change, persistence } = await start();
  await change(key("brief", 1), (value) => value.set("asking"));
  await change(key("long", 1), (value) => value.set("asking"));
  expect(await change(key("brief", 1), (value) => value.get())).toBe("asking");
  expect(await persistence.read([key("brief", 1), key("long", 1)])).toEqual([
    undefined,
    expect.objectContaining({ text: '"asking"' }),
  ]);
  await change(key("brief", 1), (value) => value.drop());
  expect(await change(key("brief", 1), (value) => value.get())).toBeUndefined();
});

test("a unit that fails has changed nothing of it, and one waits for the other", async () => {
  const { engine, change } = await start();
  const failing = change(key("brief", 1), (value) => {
    value.set("asking");
    throw new Error("on purpose");
  });
  await expect(failing).rejects.toThrow("on purpose");
  expect(await change(key("brief", 1), (value) => value.get())).toBeUndefined();
  const gate = Promise.withResolvers<void>();
  const first = engine.transaction({}, async (unit) => {
    await unit.perform("change", async () => (await unit.open(key("brief", 1))).set("first"));
    await gate.promise;
  });
  await settled();
  const second = change(key("brief", 1), (value) => value.set(`${String(value.get())}, second`));
  gate.resolve();
  await Promise.all([first, second]);
  expect(await change(key("brief", 1), (value) => value.get())).toBe("first, second");
});

test("it moves with its chat, and is forgotten with its user", async () => {
  const { engine, change } = await start();
  await change(key("brief", -1, 7), (value) => {
    value.set("asking");
    value.foundBy = { chatId: -1, userId: 7 };
  });
  await engine.migrateChat({ from: -1, to: -100 });
  expect(await change(key("brief", -1, 7), (value) => value.get())).toBeUndefined();
  expect(await change(key("brief", -100, 7), (value) => value.get())).toBe("asking");
  await engine.forgetUser(7);
  expect(await change(key("brief", -100, 7), (value) => value.get())).toBeUndefined();
});
