import type { PythonGlobal } from "./python-global.ts";

/** Which subclass of dict. */
export type PythonDictType = "Counter" | "OrderedDict" | "defaultdict";

/**
 * A dict of one of the classes in Python's `collections`. A plain dict is a plain object or a `Map`, and an OrderedDict whose keys are all
 * texts is a `Map`.
 */
export class PythonDict {
  readonly type: PythonDictType;
  readonly entries: Map<unknown, unknown>;
  /** What makes a missing value of a defaultdict: a class such as `builtins.int`, or nothing. */
  readonly factory: unknown;

  constructor(type: PythonDictType, entries: Iterable<readonly [unknown, unknown]>, factory?: PythonGlobal) {
    this.type = type;
    this.entries = new Map(entries);
    this.factory = factory;
  }
}
