import { describe, expect, test } from "vitest";
import { settled } from "../../test/support/driven-clock.ts";
import { Slots } from "./slots.ts";

/** Waits for a slot, or for all, and notes the name when it is there. */
function queue(slots: Slots, log: string[]) {
  return async (name: string, alone = false) => {
    const slot = await slots.take(alone);
    log.push(name);
    return slot;
  };
}

describe("Slots", () => {
  test("no more than there are at the same time; who waits longest is next", async () => {
    const slots = new Slots(2);
    const log: string[] = [];
    const take = queue(slots, log);
    const [a] = await Promise.all([take("a"), take("b")]);
    const others = [take("c"), take("d")];
    await settled();
    expect(log).toEqual(["a", "b"]);
    a.give();
    (await others[0])?.give();
    await others[1];
    expect(log).toEqual(["a", "b", "c", "d"]);
  });

  test("given twice, it is free once", async () => {
    const slots = new Slots(1);
    const log: string[] = [];
    const take = queue(slots, log);
    const a = await take("a");
    a.give();
    a.give();
    void take("b");
    void take("c");
    await settled();
    expect(log).toEqual(["a", "b"]);
  });

  test("who takes all runs alone, and nobody overtakes who waits for that", async () => {
    const slots = new Slots(2);
    const log: string[] = [];
    const take = queue(slots, log);
    const a = await take("a");
    const alone = take("alone", true);
    const late = take("late");
    await settled();
    expect(log).toEqual(["a"]);
    a.give();
    const all = await alone;
    await settled();
    expect(log).toEqual(["a", "alone"]);
    all.give();
    await late;
  });
});

describe("a slot that is lent", () => {
  test("is somebody else's while its unit waits, and is taken back before it goes on", async () => {
    const slots = new Slots(1);
    const log: string[] = [];
    const take = queue(slots, log);
    const a = await take("a");
    const owned = Promise.withResolvers<void>();
    const waiting = a.lendWhile(owned.promise).then(() => log.push("a goes on"));
    const b = await take("b");
    owned.resolve();
    await settled();
    expect(log).toEqual(["a", "b"]);
    b.give();
    await waiting;
    void take("c");
    await settled();
    expect(log).toEqual(["a", "b", "a goes on"]);
  });

  test("stays lent as long as its unit waits for one thing more", async () => {
    const slots = new Slots(1);
    const log: string[] = [];
    const take = queue(slots, log);
    const a = await take("a");
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const waiting = [a.lendWhile(first.promise), a.lendWhile(second.promise)];
    first.resolve();
    await waiting[0];
    const b = await take("b");
    b.give();
    second.resolve();
    await waiting[1];
    void take("c");
    await settled();
    expect(log).toEqual(["a", "b"]);
    a.give();
    await settled();
    expect(log).toEqual(["a", "b", "c"]);
  });

  test("is taken back also when the waiting fails", async () => {
    const slots = new Slots(1);
    const log: string[] = [];
    const take = queue(slots, log);
    const a = await take("a");
    await expect(a.lendWhile(Promise.reject(new Error("no")))).rejects.toThrow("no");
    void take("b");
    await settled();
    expect(log).toEqual(["a"]);
  });

  test("is not taken back by a unit that has ended meanwhile", async () => {
    const slots = new Slots(1);
    const log: string[] = [];
    const take = queue(slots, log);
    const a = await take("a");
    const owned = Promise.withResolvers<void>();
    const waiting = a.lendWhile(owned.promise);
    const b = await take("b");
    owned.resolve();
    await settled();
    a.give();
    b.give();
    await waiting;
    await take("c");
    expect(log).toEqual(["a", "b", "c"]);
  });
});
