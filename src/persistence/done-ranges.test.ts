import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DONE_MEMORY } from "./atomic-persistence.ts";
import { DoneRanges, type DoneRange } from "./done-ranges.ts";

const HOUR = 60 * 60 * 1000;

/** A table that follows the changes, as a backend's does. */
class Table {
  readonly rows = new Map<number, DoneRange>();

  follow({ removed, written }: ReturnType<DoneRanges["add"]>): void {
    for (const first of removed) this.rows.delete(first);
    for (const range of written) this.rows.set(range.first, range);
  }
}

const idsOf = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("DoneRanges", () => {
  test("consecutive ids, in any order, become one range", () => {
    const table = new Table();
    const ranges = new DoneRanges();
    for (const ids of [[3], [1], [2], [5], [4]]) table.follow(ranges.add(ids, 0));
    expect([...table.rows.values()]).toEqual([{ first: 1, last: 5, since: 0, until: 0 }]);
  });

  test("knows exactly the ids that were added, and a table that follows its changes knows the same", () => {
    const steps = fc.array(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 5 }), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (batches) => {
        const ranges = new DoneRanges();
        const table = new Table();
        const model = new Set<number>();
        for (const [time, ids] of batches.entries()) {
          table.follow(ranges.add(ids, time * (HOUR / 4)));
          for (const id of ids) model.add(id);
        }
        const now = batches.length * (HOUR / 4);
        const reloaded = new DoneRanges(table.rows.values());
        for (let id = -1; id <= 41; id += 1) {
          expect(ranges.has(id, now)).toBe(model.has(id));
          expect(reloaded.has(id, now)).toBe(model.has(id));
        }
      }),
    );
  });

  test("a busy bot's ids are forgotten too: a range grows for an hour at most", () => {
    const table = new Table();
    const ranges = new DoneRanges();
    for (let id = 0; id < 60; id += 1) table.follow(ranges.add([id], id * HOUR));
    expect(ranges.has(0, 59 * HOUR)).toBe(false);
    expect(ranges.has(59, 59 * HOUR)).toBe(true);
    expect(ranges.has(59 - 25, 59 * HOUR)).toBe(true);
    expect(table.rows.size).toBeLessThan(30);
  });

  test("an id is remembered for 25 hours, and no longer even if nothing was done since", () => {
    const ranges = new DoneRanges();
    ranges.add([7], 0);
    expect(ranges.has(7, DONE_MEMORY)).toBe(true);
    expect(ranges.has(7, DONE_MEMORY + 1)).toBe(false);
    ranges.add([100], DONE_MEMORY);
    expect(ranges.has(7, DONE_MEMORY)).toBe(true);
    const { removed } = ranges.add([200], DONE_MEMORY + 1);
    expect(removed).toEqual([7]);
  });

  test("ranges that are brought in count with their own times, and an id keeps the longer of two", () => {
    const id = fc.integer({ min: 0, max: 30 });
    const time = fc.integer({ min: 0, max: 40 }).map((hours) => hours * HOUR);
    const range = fc.tuple(id, id, time).map(([a, b, until]): DoneRange => {
      return { first: Math.min(a, b), last: Math.max(a, b), since: until - 1, until };
    });
    const step = fc.record({
      now: time,
      brought: fc.array(range, { maxLength: 4 }),
      ids: fc.array(id, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const ranges = new DoneRanges();
        const table = new Table();
        const model = new Map<number, number>();
        const forget = (now: number): void => {
          for (const [one, until] of model) if (until < now - DONE_MEMORY) model.delete(one);
        };
        for (const { now, brought, ids } of steps.toSorted((a, b) => a.now - b.now)) {
          table.follow(ranges.addRanges(brought, now));
          for (const { first, last, until } of brought) {
            for (let one = first; one <= last; one += 1) model.set(one, Math.max(until, model.get(one) ?? 0));
          }
          forget(now);
          table.follow(ranges.add(ids, now));
          for (const one of ids) if (!model.has(one)) model.set(one, now);
          const remembered = ranges.remembered(now).flatMap(({ first, last }) => idsOf(first, last));
          expect(remembered).toEqual([...model.keys()].toSorted((a, b) => a - b));
          expect(
            [...table.rows.values()].flatMap(({ first, last }) => idsOf(first, last)).toSorted((a, b) => a - b),
          ).toEqual(remembered);
          for (const [one, until] of model) {
            expect(ranges.has(one, until + DONE_MEMORY)).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test("ranges that are brought in again change nothing", () => {
    const ranges = new DoneRanges();
    ranges.add([1, 2, 3, 10], HOUR);
    const again = new DoneRanges(ranges.remembered(HOUR));
    expect(again.remembered(HOUR)).toEqual([
      { first: 1, last: 3, since: HOUR, until: HOUR },
      { first: 10, last: 10, since: HOUR, until: HOUR },
    ]);
    again.addRanges(ranges.remembered(HOUR), HOUR);
    expect(again.remembered(HOUR)).toEqual(ranges.remembered(HOUR));
  });

  test("what is no range is refused, and none of its company is added", () => {
    const ranges = new DoneRanges();
    const good = { first: 1, last: 1, since: 0, until: 0 };
    for (const bad of [
      { ...good, first: 2 },
      { ...good, last: Number.NaN },
      { ...good, until: Number.POSITIVE_INFINITY },
      { ...good, since: "0" as never },
    ]) {
      expect(() => ranges.addRanges([good, bad], 0)).toThrow(TypeError);
    }
    expect(ranges.remembered(0)).toEqual([]);
  });
});
