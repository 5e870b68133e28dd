import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DrivenClock, RealClock } from "./clock.ts";

describe("DrivenClock", () => {
  test("stands still until it is driven", () => {
    const clock = new DrivenClock();
    const start = clock.now();
    expect(Math.abs(start - Date.now())).toBeLessThan(1000);
    clock.advance(0);
    expect(clock.now()).toBe(start);
    clock.advance(1500);
    expect(clock.now()).toBe(start + 1500);
  });

  test("runs what is due, each at its time, also what is set meanwhile", () => {
    const clock = new DrivenClock();
    const start = clock.now();
    const heard: string[] = [];
    const note = (what: string): void => void heard.push(`${what} ${clock.now() - start}`);
    clock.after(20, () => note("b"));
    clock.after(10, () => {
      note("a");
      clock.after(5, () => note("inner"));
    });
    clock.after(20, () => note("c"));
    clock.after(21, () => note("late"));
    clock.advance(20);
    expect(heard).toEqual(["a 10", "inner 15", "b 20", "c 20"]);
    clock.advance(1);
    expect(heard.at(-1)).toBe("late 21");
  });

  test("cancels, once, also after the fact", () => {
    const clock = new DrivenClock();
    const heard: string[] = [];
    const cancel = clock.after(10, () => heard.push("cancelled"));
    const cancelLate = clock.after(10, () => heard.push("run"));
    cancel();
    cancel();
    clock.advance(10);
    cancelLate();
    clock.after(1, () => heard.push("next"));
    clock.advance(1);
    expect(heard).toEqual(["run", "next"]);
  });

  test("runs everything that was not cancelled, in order", () => {
    const timers = fc.array(fc.record({ delay: fc.nat(50), isCancelled: fc.boolean() }), { maxLength: 300 });
    fc.assert(
      fc.property(timers, (list) => {
        const clock = new DrivenClock();
        const heard: number[] = [];
        const cancels = list.map(({ delay }, index) => clock.after(delay, () => heard.push(index)));
        for (const [index, { isCancelled }] of list.entries()) if (isCancelled) cancels[index]?.();
        for (let count = 0; count < 5; count += 1) clock.advance(10);
        const expected = list.map((timer, index) => ({ ...timer, index })).filter(({ isCancelled }) => !isCancelled);
        expected.sort((a, b) => a.delay - b.delay || a.index - b.index);
        expect(heard).toEqual(expected.map(({ index }) => index));
      }),
    );
  });

  test("a million timers that are cancelled are no load", () => {
    const clock = new DrivenClock();
    for (let count = 0; count < 1_000_000; count += 1) clock.after(30_000, () => {})();
    const start = clock.now();
    clock.advance(30_000);
    expect(clock.now()).toBe(start + 30_000);
  });

  test.each([-1, Number.NaN, Infinity])("does not advance by %d", (milliseconds) => {
    expect(() => new DrivenClock().advance(milliseconds)).toThrow(RangeError);
  });
});

test("RealClock says what it is told, and runs timers in real time", async () => {
  const clock = new RealClock(() => 7);
  expect(clock.now()).toBe(7);
  clock.after(1, () => expect.fail("cancelled"))();
  await new Promise<void>((resolve) => {
    clock.after(2, resolve);
    // Its timers alone keep no process alive.
    const keepAlive = setTimeout(() => {}, 1000);
    clock.after(3, () => clearTimeout(keepAlive));
  });
});
