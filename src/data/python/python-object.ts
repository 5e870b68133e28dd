import { PythonGlobal } from "./python-global.ts";
import { PythonTuple } from "./python-tuple.ts";

/** What a {@link PythonObject} is made of, as Python's pickle describes it. */
export interface PythonObjectParts {
  /** The class, or the function that makes the object: a {@link PythonGlobal}, or an object that is one. */
  readonly from: unknown;
  /** Whether `from` is called with the arguments. Otherwise an instance is made of it, without its `__init__`. */
  readonly called?: boolean | undefined;
  readonly args?: readonly unknown[] | undefined;
  /** Named arguments of the making. */
  readonly kwargs?: unknown;
  /** What the object consists of; nearly always its attributes. */
  readonly state?: unknown;
  /** What it has as a list. */
  readonly items?: readonly unknown[] | undefined;
  /** What it has as a dict. */
  readonly entries?: Iterable<readonly [unknown, unknown]> | undefined;
}

/**
 * An object of Python of whose class nothing is known here. Nothing of it is ever called: it is the description of an object, which can
 * be read and changed, and which Python makes an object of again.
 */
export class PythonObject {
  readonly from: unknown;
  readonly called: boolean;
  readonly args: readonly unknown[];
  readonly kwargs: unknown;
  state: unknown;
  readonly items: unknown[];
  readonly entries: Map<unknown, unknown>;

  constructor({ from, called = false, args = [], kwargs, state, items = [], entries = [] }: PythonObjectParts) {
    this.from = from;
    this.called = called;
    this.args = args;
    this.kwargs = kwargs;
    this.state = state;
    this.items = [...items];
    this.entries = new Map(entries);
  }

  /** The class, or the function that makes it: `"mybot.models.Player"`; empty where that is no plain name. */
  get name(): string {
    const { from } = isMakerOfOthers(this.from) ? { from: this.args[0] } : this;
    return from instanceof PythonGlobal ? from.toString() : "";
  }

  /** An attribute, from the state in either of the forms that Python writes; undefined if there is none. */
  get(attribute: string): unknown {
    const parts = this.state instanceof PythonTuple ? this.state.items : [this.state];
    for (const part of [...parts, isMakerOfOthers(this.from) ? this.args[1] : undefined]) {
      if (part instanceof Map && part.has(attribute)) return part.get(attribute);
      if (isPlain(part) && Object.hasOwn(part, attribute)) return part[attribute];
    }
    return undefined;
  }
}

/** Functions that make an object of the class that is their first argument. */
const MAKERS: ReadonlySet<string> = new Set([
  "copyreg._reconstructor",
  "telegram.ext._picklepersistence._reconstruct_to",
]);

function isMakerOfOthers(from: unknown): boolean {
  return from instanceof PythonGlobal && MAKERS.has(from.toString());
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
