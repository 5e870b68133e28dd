import { join } from "node:path";
import type { Update } from "@grammyjs/types";
import { expect, onTestFinished, test } from "vitest";
import { DrivenClock, settled } from "../../test/support/driven-clock.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { SqlitePersistence } from "../persistence/sqlite/sqlite-persistence.ts";
import { Engine, type Run } from "./engine.ts";
import { Reporter } from "./reporter.ts";

async function start() {
  const persistence = new SqlitePersistence({ path: join(temporaryFolder(), "bot.sqlite"), durability: "os" });
  const clock = new DrivenClock();
  await persistence.open({ botId: 1, now: () => clock.now() });
  onTestFinished(() => persistence.close());
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (text: string) => void warnings.push(text) };
  const empty = { initial: () => ({}), migrations: [] };
  const engine = new Engine({
    persistence,
    schema: { bot: empty, chat: empty, user: empty },
    clock,
    reporter: new Reporter(logger),
    concurrency: 64,
    onHandlerError: "rollback",
    maxAttempts: 3,
    onReplayNeeded: () => {},
  });
  await engine.load();
  return { engine, clock, warnings };
}

function message(id: number): Update {
  const from = { id: 7, is_bot: false, first_name: "Ann" };
  return {
    update_id: id,
    message: { message_id: id, date: 0, text: "hi", from, chat: { id: -5, type: "group", title: "" } },
  } as never;
}

test("a handler that runs longer than a minute is reported once, with whose data waits for it", async () => {
  const { engine, clock, warnings } = await start();
  const gate = Promise.withResolvers<void>();
  const running = engine.handle(message(1), () => gate.promise);
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
  const { engine, clock, warnings } = await start();
  for (let id = 1; id <= 5; id += 1) {
    const gate = Promise.withResolvers<void>();
    const running = engine.handle(message(id), () => gate.promise);
    await clock.advance(40_000);
    gate.resolve();
    await running;
  }
  await settled();
  await clock.advance(300_000);
  expect(warnings).toEqual([]);
});

test("a chat's data that has grown large is reported once, when it is durable", async () => {
  const { engine, warnings } = await start();
  const grow: Run = async (unit) => {
    const data = unit.chatData as { text?: string };
    data.text = (data.text ?? "x".repeat(300 * 1024)) + "x";
  };
  const rolledBack = engine.handle(message(1), async (unit) => {
    await grow(unit);
    throw new Error("no");
  });
  await expect(rolledBack).rejects.toThrow("no");
  expect(warnings).toEqual([]);
  for (const id of [2, 3]) await engine.handle(message(id), grow);
  expect(warnings).toEqual([expect.stringMatching(/^chatData\.-5 has grown to 300 KB/)]);
});
