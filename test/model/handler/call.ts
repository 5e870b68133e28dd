import type { Collection } from "../../../src/collection/collection.ts";
import { isPerdureError } from "../../../src/errors.ts";
import type { Listing } from "../reference/listing.ts";
import type { Model } from "../reference/model.ts";
import { ENTRY, UNKEEPABLE, type UnitModel, type Value } from "../reference/unit-model.ts";
import { Violation } from "../violation.ts";

/** The entries of the one collection that there is. */
export const ENTRY_IDS = ["a", "b"] as const;
export type EntryId = (typeof ENTRY_IDS)[number];

/** What a handler may ask of the application, and the program outside of any handler too. */
export type Call =
  | { readonly do: "get" | "put" | "delete"; readonly entry: EntryId }
  | { readonly do: "drop chat" | "drop user" | "forget user"; readonly id: number };

/** What calls are made to. */
export interface CalledApp {
  readonly entries: Collection<Value>;
  drop(scope: "chat" | "user", id: number): Promise<void>;
  forgetUser(id: number): Promise<void>;
}

/** In whose unit of work a call is made: the real one does by itself what the model's does here. */
export interface Caller {
  readonly model: UnitModel;
  readonly reference: Model;
  /** Is in what it writes. */
  readonly token: number;
}

/** Calls on one line. */
export function tellCall(call: Call): string {
  return "entry" in call ? `${call.do} entry ${call.entry}` : `${call.do} ${call.id}`;
}

/** The chats and users whose turns a call takes outside of a unit of work. */
export function turnsOf(call: Call): { readonly chats: readonly number[]; readonly users: readonly number[] } {
  const [chats, users] = scopesOf(call);
  return { chats, users };
}

/** Makes the real call. */
export function make(call: Call, app: CalledApp, token: number): Promise<unknown> {
  switch (call.do) {
    case "get":
      return app.entries.get(call.entry);
    case "put":
      return app.entries.set(call.entry, put(token));
    case "delete":
      return app.entries.delete(call.entry);
    case "forget user":
      return app.forgetUser(call.id);
    default:
      return app.drop(call.do === "drop chat" ? "chat" : "user", call.id);
  }
}

/** Makes a call in a unit of work, the real one by `work`, and does in the model what it must have done. */
export async function call<T>(made: Call, caller: Caller, work: () => Promise<T>): Promise<T> {
  const keys = (): readonly string[] => keysOf(made, caller.reference);
  const result = await owning(keys, caller, work);
  carryOut(made, caller, keys(), result);
  return result;
}

/** Does something that owns further records, and looks at how it owns them. */
export async function owning<T>(
  keys: () => readonly string[],
  { model, reference }: Caller,
  work: () => Promise<T>,
): Promise<T> {
  reference.wants(model, keys());
  let result: T;
  try {
    result = await work();
  } catch (error) {
    reference.failedToOwn(model, error);
    throw error;
  }
  reference.owns(model, keys());
  return result;
}

/** Lists the entries, and compares them with those that there may be. */
export async function list(
  { entries }: Pick<CalledApp, "entries">,
  listing: Listing,
  model?: UnitModel,
): Promise<void> {
  const found = new Map<string, unknown>();
  try {
    for await (const [id, value] of entries.entries()) {
      if (found.has(id)) throw new Violation(`entry ${id} is listed twice`);
      found.set(id, value);
    }
  } catch (error) {
    const isSpoiled = ENTRY_IDS.some((id) => {
      const value = model?.own(ENTRY + id)?.value;
      return value !== undefined && UNKEEPABLE in value;
    });
    if (isSpoiled && isPerdureError(error, "PERDURE_CANNOT_KEEP")) return;
    throw error;
  }
  for (const id of new Set([...ENTRY_IDS, ...found.keys()])) listing.require(ENTRY + id, found.get(id), model);
}

function carryOut(made: Call, { model, token }: Caller, keys: readonly string[], result: unknown): void {
  if (!("entry" in made)) return keys.forEach((key) => model.drop(key));
  const key = ENTRY + made.entry;
  if (made.do === "put") return model.assign(key, put(token));
  if (made.do === "get") return void model.look(key, result);
  const was = model.isThere(key);
  if (result !== was) throw new Violation(`deleting ${key} answers ${String(result)}, must be ${was}`);
  model.drop(key);
}

function keysOf(made: Call, { kept }: Model): readonly string[] {
  if ("entry" in made) return [ENTRY + made.entry];
  const [chats, users] = scopesOf(made);
  return [...chats.map((id) => `chat:${kept.aliases.get(id) ?? id}`), ...users.map((id) => `user:${id}`)];
}

function scopesOf(made: Call): [chats: readonly number[], users: readonly number[]] {
  if ("entry" in made) return [[], []];
  return [made.do === "drop user" ? [] : [made.id], made.do === "drop chat" ? [] : [made.id]];
}

function put(token: number): Value {
  return { put: token };
}
