import { inspect, isDeepStrictEqual } from "node:util";
import type { MaybePromise } from "../../data/maybe-promise.ts";
import { isPerdureError, type ErrorCode } from "../../errors.ts";

/** What a case saw that is not what it expected. The sentence of the contract is added by whoever runs the case. */
export class Unexpected extends Error {
  constructor(about: string, expected: string, seen: string, options?: ErrorOptions) {
    super(`${about}\n  expected: ${expected}\n  seen:     ${seen}`, options);
    this.name = "Unexpected";
  }
}

/** Both are equal, down to `-0`, `undefined` as a property, and types. */
export function same(seen: unknown, expected: unknown, about: string): void {
  if (!isDeepStrictEqual(seen, expected)) throw new Unexpected(about, shown(expected), shown(seen));
}

/** It is equal to one of these, in the sense of {@link same}. Answers with its index. */
export function oneOf(seen: unknown, expected: readonly unknown[], about: string): number {
  const index = expected.findIndex((each) => isDeepStrictEqual(seen, each));
  if (index === -1) throw new Unexpected(about, expected.map(shown).join("\n         or: "), shown(seen));
  return index;
}

/** It is so. `seen` is for the message. */
export function holds(isSo: boolean, about: string, expected: string, seen: unknown): void {
  if (!isSo) throw new Unexpected(about, expected, shown(seen));
}

/** The call rejects, or throws: with this code, where one is given. Answers with the error. */
export async function rejects(call: () => unknown, about: string, code?: ErrorCode): Promise<unknown> {
  const outcome = await outcomeOf(call);
  const expected = code === undefined ? "that it rejects" : `that it rejects with ${code}`;
  if (!outcome.failed) throw new Unexpected(about, expected, `it resolved with ${shown(outcome.value)}`);
  if (code === undefined || isPerdureError(outcome.error, code)) return outcome.error;
  throw new Unexpected(about, expected, `it rejected with ${shownError(outcome.error)}`, { cause: outcome.error });
}

/** How a call ended. */
export type Outcome<T> =
  | { readonly failed: false; readonly value: T }
  | { readonly failed: true; readonly error: unknown };

/** How the call ends, whichever way. */
export async function outcomeOf<T>(call: () => MaybePromise<T>): Promise<Outcome<T>> {
  try {
    return { failed: false, value: await call() };
  } catch (error) {
    return { failed: true, error };
  }
}

/** A value in a message. */
function shown(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 120, maxArrayLength: 40, maxStringLength: 200 });
}

/** An error in a message: its name or code, and what it says. */
export function shownError(error: unknown): string {
  if (!(error instanceof Error)) return shown(error);
  return `${isPerdureError(error) ? error.code : error.name}: ${error.message}`;
}
