import { expect, test } from "vitest";
import { settled } from "../../test/support/driven-clock.ts";
import { makeEngine } from "../../test/support/made-engine.ts";
import { newSqlite } from "../../test/support/new-sqlite.ts";
import { message } from "../../test/support/updates.ts";
import type { Run } from "./engine.ts";

test("a handler that runs longer than a minute is reported once, with whose data waits for it", async () => {
  const { engine, clock, warnings } = await makeEngine(newSqlite());
  const gate = Promise.withResolvers<void>();
  const running = engine.handle(message(1, -5, 7), () => gate.promise);
  await clock.advance(59_000);
  expect(warnings).toEqual([]);
  await clock.advance(120_000);
  expect(warnings).toEqual([
    expect.stringMatching(/^update 1 \(message\) has been running for \d+ s\. .*chatData\.-5, userData\.7 waits/),
  ]);
  gate.resolve();
  await running;
});

test("a quick handler is not, and nothing is watched when nothing runs", async () => {
  const { engine, clock, warnings } = await makeEngine(newSqlite());
  for (let id = 1; id <= 5; id += 1) {
    const gate = Promise.withResolvers<void>();
    const running = engine.handle(message(id, -5, 7), () => gate.promise);
    await clock.advance(40_000);
    gate.resolve();
    await running;
  }
  await settled();
  await clock.advance(300_000);
  expect(warnings).toEqual([]);
});

test("a chat's data that has grown large is reported once, when it is durable", async () => {
  const { engine, warnings } = await makeEngine(newSqlite());
  const grow: Run = async (unit) => {
    const data = unit.chatData as { text?: string };
    data.text = (data.text ?? "x".repeat(300 * 1024)) + "x";
  };
  const rolledBack = engine.handle(message(1, -5, 7), async (unit) => {
    await grow(unit);
    throw new Error("no");
  });
  await expect(rolledBack).rejects.toThrow("no");
  expect(warnings).toEqual([]);
  for (const id of [2, 3]) await engine.handle(message(id, -5, 7), grow);
  expect(warnings).toEqual([expect.stringMatching(/^chatData\.-5 has grown to 300 KB/)]);
});
