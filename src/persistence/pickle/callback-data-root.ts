import { PythonTuple } from "../../data/python/python-tuple.ts";
import { PickleDataError } from "./pickle-data-error.ts";
import { exactFloat, WholeFloat } from "./python/whole-float.ts";

/** One keyboard of a file: the values of its buttons are descriptions. */
export interface KeyboardDescription {
  readonly id: string;
  /** In seconds since 1970. */
  readonly accessTime: number;
  readonly buttons: Map<unknown, unknown>;
}

/** The callback data of a file (PTB statement 176). */
export interface CallbackDataDescription {
  readonly keyboards: readonly KeyboardDescription[];
  readonly queries: ReadonlyMap<string, string>;
}

/** Reads it; undefined for None. */
export function callbackDataIn(root: unknown): CallbackDataDescription | undefined {
  if (root === null || root === undefined) return undefined;
  const [keyboards, queries, ...rest] = root instanceof PythonTuple ? root.items : [];
  if (!Array.isArray(keyboards) || !(queries instanceof Map) || rest.length > 0)
    throw broken("it must be a tuple of length 2, of a list and a dict");
  for (const [id, keyboard] of queries) {
    if (typeof id !== "string" || typeof keyboard !== "string") throw broken("a query in it has no text");
  }
  return { keyboards: keyboards.map(keyboardIn), queries: queries as Map<string, string> };
}

/** Writes it. */
export function callbackDataRoot(data: CallbackDataDescription | undefined): PythonTuple | null {
  if (data === undefined) return null;
  const keyboards = data.keyboards.map(
    ({ id, accessTime, buttons }) => new PythonTuple([id, exactFloat(accessTime), buttons]),
  );
  return new PythonTuple([keyboards, new Map(data.queries)]);
}

function keyboardIn(description: unknown): KeyboardDescription {
  const [id, time, buttons, ...rest] = description instanceof PythonTuple ? description.items : [];
  const accessTime = time instanceof WholeFloat ? time.value : time;
  if (typeof id !== "string" || typeof accessTime !== "number" || !(buttons instanceof Map) || rest.length > 0)
    throw broken("a keyboard in it is no tuple of a text, a float and a dict");
  if (![...buttons.keys()].every((button) => typeof button === "string")) throw broken("a button in it has no text");
  return { id, accessTime, buttons };
}

function broken(what: string): PickleDataError {
  return new PickleDataError("not understood", `callback_data is not in the required format: ${what}`);
}
