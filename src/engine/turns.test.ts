import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPerdureError } from "../errors.ts";
import { Turns } from "./turns.ts";

/** Lets everything that can go on go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Turns", () => {
  test("who takes free keys has them at once; who comes later waits for the release", async () => {
    const turns = new Turns();
    const first = turns.take(["chat:1", "user:1"]);
    const second = turns.take(["chat:2", "user:1"]);
    expect(first.wait()).toBeUndefined();
    let granted = false;
    const waiting = second.wait()?.then(() => (granted = true));
    await settle();
    expect(granted).toBe(false);
    first.release();
    await waiting;
    expect(granted).toBe(true);
  });

  test("who waits for one key keeps others from overtaking at another", async () => {
    const turns = new Turns();
    const order: string[] = [];
    const a = turns.take(["chat:1"]);
    const b = turns.take(["chat:1", "chat:2"]);
    const c = turns.take(["chat:2"]);
    const done = [b.wait()?.then(() => order.push("b")), c.wait()?.then(() => order.push("c"))];
    a.release();
    await settle();
    expect(order).toEqual(["b"]);
    b.release();
    await Promise.all(done);
    expect(order).toEqual(["b", "c"]);
  });

  test("a unit that leaves while it waits lets the others pass", async () => {
    const turns = new Turns();
    const a = turns.take(["k"]);
    const b = turns.take(["k"]);
    const c = turns.take(["k"]);
    b.release();
    a.release();
    expect(c.wait()).toBeUndefined();
  });

  test("a cycle of waits is found by the one that closes it, and the other goes on", async () => {
    const turns = new Turns();
    const a = turns.take(["chat:1"]);
    const b = turns.take(["chat:2"]);
    expect([a.wait(), b.wait()]).toEqual([undefined, undefined]);
    const waiting = a.own("chat:2");
    expect(() => b.own("chat:1")).toThrow(expect.objectContaining({ code: "PERDURE_DEADLOCK" }));
    b.release();
    await waiting;
    a.release();
    expect(turns.size).toBe(0);
  });

  test("a unit that runs goes before all that do not, so nobody closes a cycle with them", async () => {
    const turns = new Turns();
    const first = turns.take(["A"]);
    expect(first.wait()).toBeUndefined();
    const w = turns.take(["B"]);
    expect(w.wait()).toBeUndefined();
    const waiting = turns.take(["A", "B"]);
    const order: string[] = [];
    const begun = Promise.resolve(waiting.wait()).then(() => order.push("waiting"));
    const owned = Promise.resolve(w.own("A")).then(() => order.push("w"));
    first.release();
    await owned;
    expect(order).toEqual(["w"]);
    w.release();
    await begun;
    waiting.release();
    expect([order, turns.size]).toEqual([["w", "waiting"], 0]);
  });

  test("who stands first and does not run yet waits again when one that runs takes the key", async () => {
    const turns = new Turns();
    const holder = turns.take(["B"]);
    expect(holder.wait()).toBeUndefined();
    const both = turns.take(["A", "B"]);
    const begun = Promise.resolve(both.wait());
    expect(holder.own("A")).toBeUndefined();
    let hasBegun = false;
    void begun.then(() => (hasBegun = true));
    await settle();
    expect(hasBegun).toBe(false);
    holder.release();
    await begun;
    both.release();
    expect(turns.size).toBe(0);
  });

  test("who waits for one key can be moved to another, to the place of their arrival", async () => {
    const turns = new Turns();
    const order: string[] = [];
    const mover = turns.take(["old", "new"]);
    const waiting = ["old", "new", "old", "new"].map((key, index) => {
      const turn = turns.take([key]);
      return { turn, name: `${index} ${key}` };
    });
    const both = turns.take(["old", "new"]);
    turns.move("old", "new");
    const runs = [...waiting, { turn: both, name: "4 both" }].map(async ({ turn, name }) => {
      await turn.wait();
      order.push(name);
      await settle();
      turn.release();
    });
    mover.release();
    await Promise.all(runs);
    expect(order).toEqual(["0 old", "1 new", "2 old", "3 new", "4 both"]);
    expect(turns.size).toBe(0);
  });

  test("random owning never hangs, and one key has one owner at a time", async () => {
    const key = fc.constantFrom("a", "b", "c", "d");
    const unit = fc.record({ takes: fc.uniqueArray(key, { maxLength: 2 }), owns: fc.array(key, { maxLength: 3 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(unit, { maxLength: 8 }), fc.scheduler(), async (units, scheduler) => {
        const turns = new Turns();
        const owners = new Map<string, number>();
        const claim = (owner: number, owned: string): void => {
          expect(owners.get(owned) ?? owner).toBe(owner);
          owners.set(owned, owner);
        };
        const runs = units.map(async ({ takes, owns }, index) => {
          const turn = turns.take(takes);
          await turn.wait();
          for (const owned of takes) claim(index, owned);
          try {
            for (const owned of owns) {
              await scheduler.schedule(Promise.resolve());
              await turn.own(owned);
              claim(index, owned);
            }
          } catch (error) {
            if (!isPerdureError(error, "PERDURE_DEADLOCK")) throw error;
          }
          for (const [owned, owner] of owners) if (owner === index) owners.delete(owned);
          turn.release();
        });
        await scheduler.waitFor(Promise.all(runs));
        expect(turns.size).toBe(0);
      }),
      { numRuns: 10_000 },
    );
  });
});
