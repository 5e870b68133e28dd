import { PickleDataError } from "../pickle-data-error.ts";

/** What a pickle works with while it is read: a stack with marks in it, and the memo, whose entries are used again. */
export class PickleStack {
  #values: unknown[] = [];
  readonly #marks: number[] = [];
  /** The memo as far as its numbers follow each other, which is nearly always all of it; and the rest. */
  readonly #memo: unknown[] = [];
  readonly #sparseMemo = new Map<number, unknown>();
  /** Values below this belong to what is not complete. */
  #floor = 0;

  push(value: unknown): void {
    this.#values.push(value);
  }

  pop(): unknown {
    if (this.#values.length <= this.#floor) throw underflow();
    return this.#values.pop();
  }

  top(): unknown {
    if (this.#values.length <= this.#floor) throw underflow();
    return this.#values[this.#values.length - 1];
  }

  mark(): void {
    this.#floor = this.#values.length;
    this.#marks.push(this.#floor);
  }

  /** All values above the last mark, and the mark is gone. */
  popToMark(): unknown[] {
    const floor = this.#marks.pop();
    if (floor === undefined) throw new PickleDataError("no pickle", "could not find MARK");
    this.#floor = this.#marks.at(-1) ?? 0;
    return this.#values.splice(floor);
  }

  /** Takes away the top value, or a mark if that is on top. */
  drop(): void {
    if (this.#marks.at(-1) === this.#values.length) this.popToMark();
    else this.pop();
  }

  memoize(): void {
    this.put(this.#memo.length + this.#sparseMemo.size);
  }

  put(index: number): void {
    // A great number makes no large array.
    if (index > this.#memo.length) {
      this.#sparseMemo.set(index, this.top());
    } else {
      this.#memo[index] = this.top();
      this.#sparseMemo.delete(index);
    }
  }

  get(index: number): void {
    const value = index < this.#memo.length ? this.#memo[index] : this.#sparseMemo.get(index);
    if (value === undefined) throw new PickleDataError("no pickle", `Memo value not found at index ${index}`);
    this.push(value);
  }
}

function underflow(): PickleDataError {
  return new PickleDataError("no pickle", "unexpected MARK found or the stack is empty");
}
