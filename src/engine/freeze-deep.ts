import { types } from "node:util";

/** What changes a value whose content `Object.freeze` does not reach. */
const CHANGING = ["set", "add", "delete", "clear"].concat(
  Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith("set")),
);

/**
 * Freezes a value and all that it holds: plain objects and arrays by `Object.freeze`; maps, sets and dates by putting a
 * method that throws in the place of each that changes them. The bytes of typed arrays cannot be frozen.
 */
export function freezeDeep(value: unknown, seen: Set<unknown> = new Set()): unknown {
  if (typeof value !== "object" || value === null || seen.has(value)) return value;
  seen.add(value);
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return value;
  if (value instanceof Map || value instanceof Set || value instanceof Date) refuseChanges(value);
  if (value instanceof Map || value instanceof Set) {
    for (const [key, item] of value.entries()) {
      freezeDeep(key, seen);
      freezeDeep(item, seen);
    }
  }
  for (const item of Object.values(value)) freezeDeep(item, seen);
  return Object.freeze(value);
}

function refuseChanges(value: object): void {
  for (const name of CHANGING) {
    if (name in value) Object.defineProperty(value, name, { value: refuse, enumerable: false });
  }
}

function refuse(): never {
  throw new TypeError("ctx.botData is read-only: it belongs to all chats. Use await ctx.updateBotData((data) => ...).");
}
