/** A tuple of Python. It cannot contain itself directly, and members that change belong in an array in it. */
export class PythonTuple implements Iterable<unknown> {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.items[Symbol.iterator]();
  }
}
