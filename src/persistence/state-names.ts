import { PerdureError } from "../errors.ts";

/** What the states of conversations are called here that are numbers there, by handler: `{ survey: { 0: "NAME", 1: "AGE" } }`. */
export type StateNamesOption = Readonly<Record<string, Readonly<Record<number, string>>>>;

/**
 * Numbers there and names here. In Python `NAME, AGE = range(2)` is the usual way to name states, and only the numbers are kept. A state that has
 * no name in the option stays what it is.
 */
export class StateNames {
  readonly #names = new Map<string, ReadonlyMap<number, string>>();
  readonly #numbers = new Map<string, ReadonlyMap<string, number>>();

  /** Throws `PERDURE_INVALID_OPTION` for a number that is none, or a name that stands for two. */
  constructor(option: StateNamesOption = {}) {
    for (const [handler, names] of Object.entries(option)) {
      const pairs = Object.entries(names).map(([number, name]) => [Number(number), name] as const);
      this.#names.set(handler, new Map(pairs));
      this.#numbers.set(handler, new Map(pairs.map(([number, name]) => [name, number])));
      if (pairs.every(([number]) => Number.isSafeInteger(number)) && this.#numbers.get(handler)?.size === pairs.length)
        continue;
      throw new PerdureError(
        "PERDURE_INVALID_OPTION",
        `stateNames.${handler}: each key must be an integer, and each name stand there once.`,
      );
    }
  }

  /** The name of a state of a handler. */
  named(handler: string, state: unknown): unknown {
    return typeof state === "number" ? (this.#names.get(handler)?.get(state) ?? state) : state;
  }

  /** The reverse. */
  numbered(handler: string, state: unknown): unknown {
    return typeof state === "string" ? (this.#numbers.get(handler)?.get(state) ?? state) : state;
  }
}
