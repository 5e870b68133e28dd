import { PythonFrozenset } from "../../data/python/python-frozenset.ts";
import { PythonObject } from "../../data/python/python-object.ts";
import { PythonTuple } from "../../data/python/python-tuple.ts";
import { BOT_TEXT, KNOWN_BOT } from "./python/bot-reference.ts";

/**
 * Puts the bot in the place of the text that version 13 of python-telegram-bot wrote for it, in the description of a whole file of that
 * version. (In a file of a later version such a text is a text: PTB statement 53.)
 */
export function placeVersion13Bot(root: unknown): void {
  const seen = new Set<object>();
  const open = [root];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (typeof part !== "object" || part === null || seen.has(part)) continue;
    seen.add(part);
    open.push(...replaceIn(part).filter((child) => typeof child === "object" && child !== null));
  }
}

/** Replaces the text where it stands directly in a container. Answers with what is in it. */
function replaceIn(container: object): readonly unknown[] {
  if (container instanceof Map) return replaceInMap(container);
  if (Array.isArray(container)) return replaceInList(container);
  if (container instanceof PythonTuple) return replaceInList(container.items as unknown[]);
  if (container instanceof Set) return replaceInSet(container);
  if (container instanceof PythonFrozenset) return replaceInSet(container.items as Set<unknown>);
  if (!(container instanceof PythonObject)) return [];
  if (container.state === BOT_TEXT) container.state = KNOWN_BOT;
  return [container.state, container.args, container.kwargs, container.items, container.entries, container.from];
}

function replaceInMap(map: Map<unknown, unknown>): readonly unknown[] {
  for (const [key, value] of map) if (value === BOT_TEXT) map.set(key, KNOWN_BOT);
  return [...map.keys(), ...map.values()];
}

function replaceInList(list: unknown[]): readonly unknown[] {
  for (const [index, item] of list.entries()) if (item === BOT_TEXT) list[index] = KNOWN_BOT;
  return list;
}

function replaceInSet(set: Set<unknown>): readonly unknown[] {
  if (set.delete(BOT_TEXT)) set.add(KNOWN_BOT);
  return [...set];
}
