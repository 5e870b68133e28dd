/** A frozenset of Python. */
export class PythonFrozenset implements Iterable<unknown> {
  readonly items: ReadonlySet<unknown>;

  constructor(items: Iterable<unknown>) {
    this.items = new Set(items);
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.items[Symbol.iterator]();
  }
}
