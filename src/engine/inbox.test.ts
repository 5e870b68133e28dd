import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import type { Update } from "@grammyjs/types";
import { describe, expect, onTestFinished, test } from "vitest";
import { DrivenClock, isSettled, settled } from "../../test/support/driven-clock.ts";
import { FailingPersistence } from "../../test/support/failing-persistence.ts";
import { newSqlite } from "../../test/support/new-sqlite.ts";
import { silentLogger } from "../../test/support/silent-logger.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { pollUpdate } from "../../test/support/updates.ts";
import { PerdureError } from "../errors.ts";
import { Inbox } from "./inbox.ts";
import { Reporter, type ErrorOrigin } from "./reporter.ts";
import { retry } from "./retry.ts";

/** An inbox in whose file an earlier run has left these updates. */
async function start(...left: number[]) {
  const path = join(temporaryFolder(), "bot.sqlite");
  const persistence = new FailingPersistence(newSqlite(path));
  const clock = new DrivenClock();
  await persistence.open({ botId: 1, now: () => clock.now() });
  onTestFinished(() => persistence.close());
  await persistence.inner.accept(left.map(pollUpdate));
  const reported: { error: unknown; origin: ErrorOrigin }[] = [];
  const reporter = new Reporter(silentLogger);
  reporter.onError((error, origin) => void reported.push({ error, origin }));
  const inbox = new Inbox({
    persistence,
    reporter,
    retry: (task, signals = []) => retry(task, { clock, signals, onFailure: () => {} }),
  });
  await inbox.load();
  return { inbox, persistence, clock, path, reported };
}

const ids = (updates: readonly Update[]): number[] => updates.map(({ update_id }) => update_id);
const busy = (): never => {
  throw new PerdureError("PERDURE_BUSY", "busy");
};

describe("accepting", () => {
  test("answers what is new, once it is in the inbox and not before", async () => {
    const { inbox, persistence, clock } = await start();
    persistence.before = (operation) => operation === "accept" && busy();
    let answered = false;
    const accepting = inbox
      .accept([pollUpdate(1), pollUpdate(2), pollUpdate(2), pollUpdate(3)])
      .finally(() => (answered = true));
    await clock.advance(60_000);
    expect(answered).toBe(false);
    persistence.before = () => {};
    await clock.advance(10_000);
    expect(ids(await accepting)).toEqual([1, 2, 3]);
    expect((await persistence.openUpdates({ limit: 10 })).map(({ updateId }) => updateId)).toEqual([1, 2, 3]);
  });

  test("answers also what is open and nobody has: the answer to an earlier attempt may have been lost", async () => {
    const { inbox, persistence, clock } = await start();
    let lost = 0;
    persistence.after = (operation) => operation === "accept" && lost++ === 0 && busy();
    const accepting = inbox.accept([pollUpdate(1)]);
    await clock.advance(10_000);
    expect(ids(await accepting)).toEqual([1]);
    expect(ids(await inbox.accept([pollUpdate(1)]))).toEqual([]);
  });

  test("leaves what comes while there is something to replay to the replay, in order of arrival", async () => {
    const { inbox } = await start(5, 6);
    expect(await inbox.accept([pollUpdate(1), pollUpdate(6)])).toEqual([]);
    expect(ids(await inbox.replay(10))).toEqual([5, 6, 1]);
  });

  test("whoever asks for an update that is claimed and not durable yet waits for that, and hears of its failure", async () => {
    const { inbox, persistence, clock } = await start();
    const refuse = (): never => {
      throw new PerdureError("PERDURE_REFUSED", "never");
    };
    for (const [id, fail] of [
      [1, busy],
      [2, refuse],
    ] as const) {
      persistence.before = fail;
      inbox.claim(pollUpdate(id));
      const accepting = inbox.acceptClaimed(pollUpdate(id)).acceptance.catch((error: unknown) => error);
      const asking = inbox.accepted(pollUpdate(id)).then(
        () => "durable",
        () => "failed",
      );
      await settled();
      persistence.before = () => {};
      await clock.advance(10_000);
      await accepting;
      expect(await asking).toBe(fail === busy ? "durable" : "failed");
    }
  });

  test("whoever asks for one that was handed out waits until what is in the inbox is durable", async () => {
    const { inbox, persistence } = await start();
    await inbox.accept([pollUpdate(1)]);
    inbox.claim(pollUpdate(1));
    const gate = Promise.withResolvers<void>();
    persistence.before = (operation) => (operation === "sync" ? gate.promise : undefined);
    const asking = inbox.accepted(pollUpdate(1));
    expect(await isSettled(asking)).toBe(false);
    gate.resolve();
    await asking;
  });

  test("is durable with a first attempt also when a stop has begun; only trying again is given up", async () => {
    const { inbox, persistence } = await start();
    await inbox.accept([pollUpdate(1)]);
    const stopping = AbortSignal.abort();
    await inbox.sync([stopping]);
    persistence.before = busy;
    await expect(inbox.sync([stopping])).rejects.toMatchObject({ code: "PERDURE_STOPPED" });
    expect(await inbox.isSynced()).toBe(false);
  });

  test("is given up by its signal, and by nothing else", async () => {
    const { inbox, persistence, clock } = await start();
    persistence.before = (operation) => operation === "accept" && busy();
    const controller = new AbortController();
    const one = inbox.accept([pollUpdate(1)], [controller.signal]);
    const two = inbox.accept([pollUpdate(2)]);
    await settled();
    controller.abort();
    await expect(one).rejects.toMatchObject({ code: "PERDURE_STOPPED" });
    persistence.before = () => {};
    await clock.advance(10_000);
    expect(ids(await two)).toEqual([2]);
  });

  test("what is no update is refused at once, with all that came with it", async () => {
    const { inbox, persistence } = await start();
    for (const id of [undefined, null, "1", 1.5]) {
      await expect(inbox.accept([pollUpdate(1), { update_id: id } as never])).rejects.toThrow(TypeError);
      expect(() => inbox.claim({ update_id: id } as never)).toThrow(/This is no update/);
    }
    expect(await persistence.openUpdates({ limit: 10 })).toEqual([]);
  });

  test("a row that somebody has added by hand does not swallow the next update", async () => {
    const { inbox, persistence, path } = await start(1);
    inbox.endReplay();
    const other = new DatabaseSync(path);
    other.exec(
      `insert into inbox (bot_id, update_id, arrival, accepted_at, attempts, "update")
       values (1, 900, 1000, 0, 1, '{"update_id":900}')`,
    );
    other.close();
    expect(ids(await inbox.accept([pollUpdate(2)]))).toEqual([2]);
    expect((await persistence.openUpdates({ limit: 10 })).map(({ updateId }) => updateId)).toEqual([1, 2, 900]);
  });

  test("what a webhook has claimed while it was being accepted is not handed out as well", async () => {
    const { inbox, persistence } = await start();
    const late = Promise.withResolvers<void>();
    persistence.after = () => late.promise;
    const accepting = inbox.accept([pollUpdate(1), pollUpdate(2)]);
    await settled();
    expect(inbox.claim(pollUpdate(1))).toEqual({ kind: "unknown" });
    late.resolve();
    expect(ids(await accepting)).toEqual([2]);
  });
});

describe("claiming", () => {
  test("tells how the update came, and who comes second gets nothing until it is let go", async () => {
    const { inbox } = await start(1);
    await inbox.replay(10);
    await inbox.replay(10);
    await inbox.accept([pollUpdate(2)]);
    expect([1, 2, 3].map((id) => inbox.claim(pollUpdate(id)))).toEqual([
      { kind: "again", attempts: 1 },
      { kind: "fresh" },
      { kind: "unknown" },
    ]);
    expect([1, 2, 3].map((id) => inbox.claim(pollUpdate(id)))).toEqual([undefined, undefined, undefined]);
    inbox.unclaim(pollUpdate(2));
    expect(inbox.claim(pollUpdate(2))).toEqual({ kind: "unknown" });
  });

  test("unclaimed goes through all open updates, page by page, but those that are claimed", async () => {
    const { inbox } = await start(...Array.from({ length: 250 }, (_, index) => index + 1));
    for (const id of [1, 100, 250]) inbox.claim(pollUpdate(id));
    const found: number[] = [];
    for await (const page of inbox.unclaimed()) found.push(...page);
    expect(found).toHaveLength(247);
    expect(found).not.toContain(100);
    expect([found[0], found.at(-1)]).toEqual([2, 249]);
  });
});

describe("replaying", () => {
  test("hands out what nobody has: neither what runs nor what is handed out already", async () => {
    const { inbox } = await start(1, 2, 3, 4);
    expect(ids(await inbox.replay(2))).toEqual([1, 2]);
    inbox.claim(pollUpdate(3));
    expect(ids(await inbox.replay(10))).toEqual([4]);
    expect(await inbox.replay(10)).toEqual([]);
  });

  test("two replays at once hand out each update once", async () => {
    const { inbox } = await start(1, 2, 3, 4);
    const pages = await Promise.all([inbox.replay(2), inbox.replay(2), inbox.replay(2)]);
    expect(pages.flatMap(ids).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });

  test("begun anew, it hands out again what was not claimed", async () => {
    const { inbox } = await start(1, 2, 3);
    expect(ids(await inbox.replay(10))).toEqual([1, 2, 3]);
    expect(await inbox.replay(10)).toEqual([]);
    inbox.claim(pollUpdate(2));
    inbox.restart();
    expect(ids(await inbox.replay(10))).toEqual([1, 3]);
    expect(inbox.claim(pollUpdate(1))).toEqual({ kind: "again", attempts: 1 });
  });

  test("a limit of 0 does not end it", async () => {
    const { inbox } = await start(1, 2);
    const first = await inbox.replay(0);
    const second = await inbox.replay(10);
    expect(ids([...first, ...second])).toEqual([1, 2]);
  });

  test("a row that cannot be read is reported with its id and passed over, once", async () => {
    const { inbox, path, reported } = await start(1, 2);
    const other = new DatabaseSync(path);
    other.exec(`update inbox set "update" = '{' where update_id = 1`);
    other.close();
    expect(ids(await inbox.replay(10))).toEqual([2]);
    expect(await inbox.replay(10)).toEqual([]);
    expect(reported).toEqual([
      { error: expect.objectContaining({ code: "PERDURE_CANNOT_DECODE" }), origin: { updateId: 1 } },
    ]);
  });

  test("is over when there is nothing more to hand out, and where nothing was left", async () => {
    expect((await start()).inbox.isReplaying).toBe(false);
    const { inbox } = await start(1, 2);
    await inbox.replay(10);
    expect(inbox.isReplaying).toBe(true);
    await inbox.replay(10);
    expect(inbox.isReplaying).toBe(false);
    inbox.restart();
    expect(inbox.isReplaying).toBe(true);
    inbox.endReplay();
    expect(inbox.isReplaying).toBe(false);
  });
});

test("a listing that is answered late hands out nothing whose unit of work has ended meanwhile", async () => {
  const { inbox, persistence } = await start(1, 2);
  const gate = Promise.withResolvers<void>();
  const list = persistence.openUpdates.bind(persistence);
  persistence.openUpdates = async (options) => {
    const page = await list(options);
    await gate.promise;
    return page;
  };
  const replaying = inbox.replay(10);
  await settled();
  expect(inbox.claim(pollUpdate(1))).toEqual({ kind: "unknown" });
  await persistence.commit([{ changes: [], done: 1 }]);
  inbox.unclaim(pollUpdate(1));
  gate.resolve();
  expect(ids(await replaying)).toEqual([2]);
});
