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
});
