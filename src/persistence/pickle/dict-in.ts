import { PythonGlobal } from "../../data/python/python-global.ts";
import { PythonObject } from "../../data/python/python-object.ts";
import { PickleDataError } from "./pickle-data-error.ts";

/** The dict that a description is: version 13 of python-telegram-bot wrote defaultdicts (PTB statement 27). */
export function dictIn(description: unknown, what: string): Map<unknown, unknown> {
  if (description instanceof Map) return description;
  if (isDefaultdict(description)) return description.entries;
  throw new PickleDataError("not understood", `${what} is no dict`);
}

export function isDefaultdict(description: unknown): description is PythonObject {
  if (!(description instanceof PythonObject) || !(description.from instanceof PythonGlobal)) return false;
  return description.from.toString() === "collections.defaultdict";
}
