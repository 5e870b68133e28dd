/** A `collections.deque` of Python. */
export class PythonDeque implements Iterable<unknown> {
  readonly items: unknown[];
  /** So many items at most; null for any number. Python drops what exceeds it when it reads. */
  readonly maxlen: number | null;

  constructor(items: Iterable<unknown>, maxlen: number | null = null) {
    this.items = [...items];
    this.maxlen = maxlen;
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.items[Symbol.iterator]();
  }
}
