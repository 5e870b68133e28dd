import { describe, expect, test } from "vitest";
import { UpdateQueue, type NewUpdate } from "./update-queue.ts";

const HOUR = 60 * 60 * 1000;

function poll(id: string): NewUpdate {
  return { poll_answer: { poll_id: id, option_ids: [], option_persistent_ids: [] } };
}

/** A queue whose first id is 1000, with this many updates. */
function queueOf(count: number, clock: () => number = () => 0): UpdateQueue {
  const queue = new UpdateQueue(clock, 1000);
  for (let index = 0; index < count; index += 1) queue.push(poll(String(index)));
  return queue;
}

function idsOf(updates: readonly { update_id: number }[]): number[] {
  return updates.map(({ update_id }) => update_id);
}

describe("UpdateQueue", () => {
  test("hands out the same updates again until they are confirmed", () => {
    const queue = queueOf(2);
    expect(idsOf(queue.take(0, 100))).toEqual([1000, 1001]);
    expect(idsOf(queue.take(1000, 100))).toEqual([1000, 1001]);
    expect([...queue.deliveries()]).toEqual([
      [1000, 2],
      [1001, 2],
    ]);
  });

  test("confirms everything below the offset, for good", () => {
    const queue = queueOf(3);
    expect(idsOf(queue.take(1002, 100))).toEqual([1002]);
    expect(idsOf(queue.take(0, 100))).toEqual([1002]);
    expect(idsOf(queue.pending())).toEqual([1002]);
  });

  test("hands out no more than the limit", () => {
    expect(idsOf(queueOf(5).take(0, 2))).toEqual([1000, 1001]);
  });

  test("keeps the last n for a negative offset, and forgets the earlier ones", () => {
    const queue = queueOf(5);
    expect(idsOf(queue.take(-2, 100))).toEqual([1003, 1004]);
    expect(queue.size).toBe(2);
    expect(idsOf(queue.take(-100, 100))).toEqual([1003, 1004]);
  });

  test("takes an offset of up to ten beyond the next id, and ignores a larger one", () => {
    const queue = queueOf(2);
    expect(idsOf(queue.take(1002 + 11, 100))).toEqual([1000, 1001]);
    expect(queue.take(1002 + 10, 100)).toEqual([]);
    expect(queue.size).toBe(0);
  });

  test("drops updates that nobody fetched for more than 24 hours", () => {
    let now = 0;
    const queue = queueOf(1, () => now);
    now = 23 * HOUR;
    queue.push(poll("later"));
    now = 24 * HOUR + 1;
    expect(idsOf(queue.take(0, 100))).toEqual([1001]);
  });

  test("confirms one update, wherever it stands", () => {
    const queue = queueOf(4);
    for (const id of [1001, 1003, 1000]) queue.confirm(id);
    expect(idsOf(queue.pending())).toEqual([1002]);
    expect([1000, 1002, 1003].map((id) => queue.has(id))).toEqual([false, true, false]);
    queue.confirm(1003);
    queue.push(poll("new"));
    expect(idsOf(queue.take(0, 100))).toEqual([1002, 1004]);
    queue.confirm(1002);
    queue.confirm(1004);
    expect(queue.size).toBe(0);
    queue.push(poll("newer"));
    expect(idsOf(queue.take(0, 100))).toEqual([1005]);
  });

  test("forgets how often old updates were handed out", () => {
    const queue = queueOf(0);
    for (let id = 0; id < 200_000; id += 1) queue.countDelivery(id);
    expect([...queue.deliveries().keys()].at(0)).toBe(100_000);
    expect(queue.deliveries().size).toBe(100_000);
  });

  test("starts ids anew only when nothing is unconfirmed", () => {
    const queue = queueOf(1);
    expect(() => queue.restartIds(5)).toThrow("update ids can only start anew when nothing is unconfirmed (1 are)");
    queue.take(1001, 100);
    queue.restartIds(5);
    queue.push(poll("new"));
    expect(idsOf(queue.take(1001, 100))).toEqual([5]);
  });

  test("tells when everything is confirmed", () => {
    const queue = queueOf(1);
    const heard: string[] = [];
    queue.whenEmpty(() => heard.push("first"));
    queue.whenEmpty(() => heard.push("cancelled"))();
    expect(heard).toEqual([]);
    queue.clear();
    queue.whenEmpty(() => heard.push("second"));
    expect(heard).toEqual(["first", "second"]);
  });

  test("hands out and forgets many, in order", () => {
    const queue = queueOf(10_000);
    const ids: number[] = [];
    while (queue.size > 0) {
      const last = ids.at(-1);
      ids.push(...idsOf(queue.take(last === undefined ? 0 : last + 1, 100)));
    }
    expect(ids).toEqual(Array.from({ length: 10_000 }, (_, index) => 1000 + index));
  });
});
