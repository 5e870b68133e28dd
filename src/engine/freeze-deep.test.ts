import { Bot } from "grammy";
import { describe, expect, test } from "vitest";
import { freezeDeep } from "./freeze-deep.ts";

describe("freezeDeep", () => {
  test("freezes objects and arrays through and through", () => {
    const value = { list: [{ a: { b: 1 } }], none: Object.assign(Object.create(null), { c: [1] }) };
    expect(freezeDeep(value)).toBe(true);
    expect([value, value.list, value.list[0], value.list[0]?.a, value.none, value.none.c].every(Object.isFrozen)).toBe(
      true,
    );
  });

  test("maps, sets and dates refuse every change, also inside of each other, and can be read", () => {
    const value = new Map([[{ key: 1 }, new Set([new Date(0)])]]);
    expect(freezeDeep(value)).toBe(true);
    const [[key, days] = []] = value;
    const [day] = days ?? [];
    const changes = [
      () => value.set({ key: 2 }, new Set()),
      () => value.clear(),
      () => value.delete(key as never),
      () => days?.add(new Date(1)),
      () => day?.setUTCFullYear(2000),
      () => ((key as { key: number }).key = 2),
    ];
    for (const change of changes) expect(change).toThrow(TypeError);
    expect([value.size, days?.size, day?.getTime(), key]).toEqual([1, 1, 0, { key: 1 }]);
  });

  test("a value that stands in itself ends", () => {
    const value: { self?: unknown } = {};
    value.self = [value];
    expect(freezeDeep(value)).toBe(true);
    expect(Object.isFrozen(value)).toBe(true);
  });

  test("says of bytes and instances of classes that they are not frozen, and leaves them as they are", () => {
    class Cart {
      items = ["tea"];
    }
    const bot = new Bot("1:x");
    for (const other of [new Uint8Array(2), new Cart(), bot, bot.api]) {
      const value = { before: {}, list: [other], after: {} };
      expect(freezeDeep(value)).toBe(false);
      expect([value, value.before, value.list, value.after].every(Object.isFrozen)).toBe(true);
      expect(Object.isFrozen(other)).toBe(false);
    }
    const cart = new Cart();
    freezeDeep(cart);
    expect(cart.items.push("coffee")).toBe(2);
  });
});
