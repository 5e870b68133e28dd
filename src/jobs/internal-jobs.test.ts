import { expect, test } from "vitest";
import { DrivenClock } from "../../test/support/driven-clock.ts";
import { all } from "../../test/support/made-app.ts";
import { makeEngine } from "../../test/support/made-engine.ts";
import { newSqlite } from "../../test/support/new-sqlite.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { InternalJobs } from "./internal-jobs.ts";
import { JobDefinitions } from "./job-definitions.ts";
import type { JobHost } from "./job-host.ts";
import { JobQueue } from "./job-queue.ts";
import { JobRunner } from "./job-runner.ts";

const START = 1_000_000;

interface Setting {
  readonly clock: DrivenClock;
  readonly timeouts: InternalJobs<string>;
  readonly queue: JobQueue<unknown>;
  /** What has run: the data, when it was to, and the chat's count. */
  readonly ran: unknown[];
  readonly reported: readonly unknown[];
  readonly inUnit: <T>(work: (unit: UnitOfWork) => Promise<T>) => Promise<T>;
}

/** A part of the library that has jobs of its own. `onRun` is called in each run, which has counted in its chat. */
async function start(
  onRun: (jobs: InternalJobs<string>, unit: UnitOfWork) => Promise<void> = async () => {},
): Promise<Setting> {
  const clock = new DrivenClock({ now: START });
  const { engine, reporter, reported } = await makeEngine(newSqlite(), { clock, concurrency: 4 });
  const definitions = new JobDefinitions();
  const ran: unknown[] = [];
  const timeouts = new InternalJobs<string>(definitions, "timeout", async ({ unit, job, scheduledTime }) => {
    const data = unit.chatData as { n: number };
    data.n += 1;
    ran.push([job.data, scheduledTime.getTime(), data.n]);
    await onRun(timeouts, unit);
  });
  const host: JobHost = {
    now: () => clock.now(),
    engine: async () => engine,
    unit: () => engine.current,
    start: async () => {},
    join: (name, work) => engine.join(name, {}, work),
  };
  new JobRunner({ engine, clock, reporter, definitions, host, maxAttempts: 3, most: 4 }).start();
  return {
    clock,
    timeouts,
    ran,
    reported,
    queue: new JobQueue(definitions, host, () => ({}) as never),
    inUnit: (work) => engine.transaction({ chats: [1] }, (unit) => unit.perform("test", () => work(unit))),
  };
}

test("an internal job runs at its moment, as a unit of work of its chat, and once", async () => {
  const { clock, timeouts, ran, inUnit } = await start();
  await inUnit((unit) => timeouts.put(unit, "a", { at: START + 50, data: "late", chatId: 1 }));
  await clock.advance(49);
  expect(ran).toEqual([]);
  await clock.advance(100_000);
  expect(ran).toEqual([["late", START + 50, 1]]);
});

test("it is moved by putting it again, also twice in one unit of work, and removed", async () => {
  const { clock, timeouts, ran, inUnit } = await start();
  await inUnit((unit) => timeouts.put(unit, "a", { at: START + 50, data: "first", chatId: 1 }));
  await inUnit(async (unit) => {
    await timeouts.put(unit, "a", { at: START + 20, data: "second", chatId: 1 });
    await timeouts.put(unit, "a", { at: START + 80, data: "third", chatId: 1 });
    await timeouts.put(unit, "b", { at: START + 60, data: "never", chatId: 1 });
  });
  await inUnit((unit) => timeouts.remove(unit, "b"));
  await inUnit((unit) => timeouts.remove(unit, "unknown"));
  await clock.advance(100_000);
  expect(ran).toEqual([["third", START + 80, 1]]);
});

test("what a unit of work that fails has put, moved and removed is as before", async () => {
  const { clock, timeouts, ran, inUnit } = await start();
  await inUnit((unit) => timeouts.put(unit, "kept", { at: START + 50, data: "kept", chatId: 1 }));
  const failing = inUnit(async (unit) => {
    await timeouts.remove(unit, "kept");
    await timeouts.put(unit, "new", { at: START + 10, data: "new", chatId: 1 });
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  await clock.advance(100_000);
  expect(ran).toEqual([["kept", START + 50, 1]]);
});

test("its run may put it again", async () => {
  const { clock, ran, inUnit, timeouts } = await start(async (jobs, unit) => {
    if (ran.length < 3) await jobs.put(unit, "a", { at: clock.now() + 10, data: `again ${ran.length}`, chatId: 1 });
  });
  await inUnit((unit) => timeouts.put(unit, "a", { at: START + 10, data: "once", chatId: 1 }));
  await clock.advance(100_000);
  expect(ran).toEqual([
    ["once", START + 10, 1],
    ["again 1", START + 20, 2],
    ["again 2", START + 30, 3],
  ]);
});

test("jobs() does not list it unless asked for; users can neither define nor schedule such a name", async () => {
  const { queue, timeouts, inUnit } = await start();
  await inUnit((unit) => timeouts.put(unit, "a", { at: START + 50, data: "x", chatId: 1 }));
  expect(await all(queue.jobs())).toEqual([]);
  const [job, ...others] = await all(queue.jobs({ internal: true }));
  expect(others).toEqual([]);
  expect(job).toMatchObject({ id: "perdure:timeout:a", data: "x", chatId: 1 });
  expect(() => queue.define("perdure:timeout", () => {})).toThrow(TypeError);
  const own = queue.define("own", () => {});
  await expect(queue.runOnce(own, "1m", { id: "perdure:timeout:a" })).rejects.toThrow(TypeError);
});

test("a run that fails is rolled back, reported, and kept as failed", async () => {
  const { clock, timeouts, ran, reported, inUnit, queue } = await start(async () => {
    throw new Error("broken");
  });
  await inUnit((unit) => timeouts.put(unit, "a", { at: START + 50, data: "x", chatId: 1 }));
  await clock.advance(100_000);
  expect(ran).toEqual([["x", START + 50, 1]]);
  expect(reported).toEqual([new Error("broken")]);
  const [failed] = await all(queue.jobs({ state: "failed", internal: true }));
  expect(failed?.failure).toMatchObject({ error: "Error: broken", attempts: 1 });
});
