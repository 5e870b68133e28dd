/** What changes a value whose content `Object.freeze` does not reach. */
const CHANGING = ["set", "add", "delete", "clear"].concat(
  Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith("set")),
);

/**
 * Freezes a value and all that it holds: plain objects and arrays by `Object.freeze`; maps, sets and dates by putting a
 * method that throws in the place of each that changes them. Answers whether that was all: bytes cannot be frozen, and
 * instances of classes are not ours to freeze, least of all the bot.
 */
export function freezeDeep(value: unknown, seen: Set<unknown> = new Set()): boolean {
  if (typeof value !== "object" || value === null || seen.has(value)) return true;
  seen.add(value);
  const kind = kindOf(value);
  if (kind === "other") return false;
  if (kind === "collection") refuseChanges(value);
  let whole = true;
  for (const item of contentOf(value)) whole = freezeDeep(item, seen) && whole;
  Object.freeze(value);
  return whole;
}

function kindOf(value: object): "plain" | "collection" | "other" {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype || prototype === Array.prototype) return "plain";
  const collections: unknown[] = [Map.prototype, Set.prototype, Date.prototype];
  return collections.includes(prototype) ? "collection" : "other";
}

function contentOf(value: object): unknown[] {
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  return value instanceof Set ? [...value] : Object.values(value);
}

function refuseChanges(value: object): void {
  for (const name of CHANGING) {
    if (name in value) Object.defineProperty(value, name, { value: refuse, enumerable: false });
  }
}

function refuse(): never {
  throw new TypeError("ctx.botData is read-only: it belongs to all chats. Use await ctx.updateBotData((data) => ...).");
}
