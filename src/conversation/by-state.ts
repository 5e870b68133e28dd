import { jsonCodec } from "../data/codec.ts";

/** What stands for each state: an object, whose keys are texts and numbers, or a map, for states of every plain value. */
export type StateEntries<V> = { readonly [state: string | number]: V } | ReadonlyMap<unknown, V>;

const codec = jsonCodec();

/** What stands for whatever is no state. It is the text of none: that of a value has more in it. */
const NO_STATE = "\0";

/** A table by state. States are the same when their values are: also arrays and objects, which are no keys by value in a `Map`. */
export class ByState<V> {
  readonly #values = new Map<string, V>();
  #hasObjects = false;

  constructor(entries: StateEntries<V>) {
    for (const [state, value] of entries instanceof Map ? entries : Object.entries(entries)) {
      this.#hasObjects ||= !isName(state);
      this.#values.set(stateText(state), value);
    }
  }

  has(state: unknown): boolean {
    return this.#values.has(this.#textOf(state));
  }

  get(state: unknown): V | undefined {
    return this.#values.get(this.#textOf(state));
  }

  /** A table with other values. `make` gets each state as text, to speak of. */
  map<W>(make: (value: V, state: string) => W): ByState<W> {
    const mapped = new ByState<W>({});
    mapped.#hasObjects = this.#hasObjects;
    for (const [text, value] of this.#values) mapped.#values.set(text, make(value, text.replace("\0", "")));
    return mapped;
  }

  values(): IterableIterator<V> {
    return this.#values.values();
  }

  #textOf(state: unknown): string {
    if (isName(state)) return String(state);
    // A callback may return anything, such as what an API call resolves with.
    return this.#hasObjects ? textOf(state) : NO_STATE;
  }
}

/** Whether a value is a state wherever it comes from. Other values are states only where a table has them. */
export function isName(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

/** A state as text. An object's keys are texts, so the state 1 and the state "1" are the same. */
export function stateText(state: unknown): string {
  return isName(state) ? String(state) : `\0${codec.encode(state)}`;
}

function textOf(state: unknown): string {
  try {
    return stateText(state);
  } catch {
    return NO_STATE;
  }
}
