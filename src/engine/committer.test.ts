import { describe, expect, test } from "vitest";
import { DrivenClock, settled } from "../../test/support/driven-clock.ts";
import { PerdureError } from "../errors.ts";
import type { AtomicPersistence, UnitCommit } from "../persistence/atomic-persistence.ts";
import { Committer } from "./committer.ts";
import { retry } from "./retry.ts";

interface Attempt {
  readonly ids: (number | undefined)[];
  readonly answer: PromiseWithResolvers<void>;
}

/** A persistence that commits when the test says so; every attempt is noted when it begins. */
function setUp({ byItself = true, isAlone = false } = {}) {
  const clock = new DrivenClock();
  const attempts: Attempt[] = [];
  const commit = (units: readonly UnitCommit[]): Promise<void> => {
    const answer = Promise.withResolvers<void>();
    attempts.push({ ids: units.map(({ done }) => done), answer });
    if (byItself) answer.resolve();
    return answer.promise;
  };
  const committer = new Committer({
    persistence: { commit } as unknown as AtomicPersistence,
    clock,
    retry: (task) => retry(task, { clock, signals: [], onFailure: () => {} }),
    isAlone: () => isAlone,
  });
  return { clock, committer, attempts, ids: () => attempts.map((attempt) => attempt.ids) };
}

const unit = (id: number): UnitCommit => ({
  changes: [{ key: { kind: "chat", id }, record: { text: "1", version: 0 } }],
  done: id,
});

describe("Committer", () => {
  test("units that come in the same turn of the event loop share a commit, in their order", async () => {
    const { committer, ids } = setUp();
    await Promise.all([committer.commit(unit(1)), Promise.resolve().then(() => committer.commit(unit(2)))]);
    expect(ids()).toEqual([[1, 2]]);
  });

  test("a unit that is alone is committed at once", async () => {
    const { committer, ids } = setUp({ isAlone: true });
    const marked = committer.markDone(1);
    const first = committer.commit(unit(2));
    expect(ids()).toEqual([[1, 2]]);
    const second = committer.commit(unit(3));
    expect(ids()).toEqual([[1, 2]]);
    await Promise.all([marked, first, second]);
    expect(ids()).toEqual([[1, 2], [3]]);
  });

  test("one commit runs at a time; what comes meanwhile goes together after it", async () => {
    const { committer, attempts, ids } = setUp({ byItself: false });
    const first = committer.commit(unit(1));
    await settled();
    const others = [committer.commit(unit(2)), committer.commit(unit(3))];
    await settled();
    expect(ids()).toEqual([[1]]);
    attempts[0]?.answer.resolve();
    await first;
    await settled();
    expect(ids()).toEqual([[1], [2, 3]]);
    attempts[1]?.answer.resolve();
    await Promise.all(others);
  });

  test("nothing overtakes a commit that has to be tried again", async () => {
    const { committer, attempts, ids, clock } = setUp({ byItself: false });
    const first = committer.commit(unit(1));
    await settled();
    attempts[0]?.answer.reject(new PerdureError("PERDURE_BUSY", "busy"));
    const second = committer.commit(unit(2));
    await clock.advance(50);
    expect(ids()).toEqual([[1], [1]]);
    attempts[1]?.answer.resolve();
    await first;
    await settled();
    attempts[2]?.answer.resolve();
    await second;
    expect(ids()).toEqual([[1], [1], [2]]);
  });

  test("a commit is not forgotten, whichever microtask after an answer it comes in", async () => {
    const hung: number[] = [];
    for (let ticks = 0; ticks < 60; ticks += 1) {
      const { committer, attempts } = setUp({ byItself: false });
      const first = committer.commit(unit(1));
      await settled();
      attempts[0]?.answer.resolve();
      for (let tick = 0; tick < ticks; tick += 1) await undefined;
      void committer.commit(unit(2));
      await first;
      await settled();
      if (attempts.length < 2) hung.push(ticks);
    }
    expect(hung).toEqual([]);
  });

  test("a refused unit fails alone, and the others are committed in their order", async () => {
    const { committer, attempts, ids } = setUp({ byItself: false });
    const results = Promise.allSettled([1, 2, 3].map((id) => committer.commit(unit(id))));
    const refuse = (index: number): void => {
      attempts[index]?.answer.reject(new PerdureError("PERDURE_REFUSED", "no"));
    };
    await settled();
    refuse(0);
    await settled();
    attempts[1]?.answer.resolve();
    await settled();
    refuse(2);
    await settled();
    attempts[3]?.answer.resolve();
    expect((await results).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(ids()).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  test("done marks wait a second for company", async () => {
    const { committer, ids, clock } = setUp();
    const marks = [committer.markDone(1)];
    await clock.advance(500);
    marks.push(committer.markDone(2));
    await clock.advance(499);
    expect(ids()).toEqual([]);
    await clock.advance(1);
    await Promise.all(marks);
    expect(ids()).toEqual([[1, 2]]);
  });

  test("many done marks wait for nothing", async () => {
    const { committer, ids } = setUp();
    const many = Array.from({ length: 256 }, (_, index) => index + 1);
    const marks = many.map((id) => committer.markDone(id));
    const late = committer.markDone(1000);
    await Promise.all(marks);
    await settled();
    expect(ids()).toEqual([many]);
    await committer.flush();
    expect(ids()).toEqual([many, [1000]]);
    await late;
  });

  test("a done mark that comes during a commit waits for the next one", async () => {
    const { committer, attempts, ids, clock } = setUp({ byItself: false });
    const first = committer.commit(unit(1));
    await settled();
    const mark = committer.markDone(2);
    attempts[0]?.answer.resolve();
    await first;
    await settled();
    expect(ids()).toEqual([[1]]);
    await clock.advance(1000);
    expect(ids()).toEqual([[1], [2]]);
    attempts[1]?.answer.resolve();
    await mark;
  });

  test("done marks go with the first commit that comes, and are not committed again", async () => {
    const { committer, ids, clock } = setUp();
    const mark = committer.markDone(1);
    await committer.commit(unit(2));
    await mark;
    await clock.advance(5000);
    expect(ids()).toEqual([[1, 2]]);
  });

  test("flush resolves when what waited is durable, done marks included", async () => {
    const { committer, attempts, ids } = setUp({ byItself: false });
    let durable = false;
    void committer.commit(unit(1));
    await settled();
    void committer.markDone(2);
    const flushed = committer.flush().then(() => (durable = true));
    attempts[0]?.answer.resolve();
    await settled();
    expect([durable, ids()]).toEqual([false, [[1], [2]]]);
    attempts[1]?.answer.resolve();
    await flushed;
  });
});
