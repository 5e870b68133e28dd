/** What time it is, and what happens later. All times in milliseconds, `now` since 1970. */
export interface Clock {
  readonly now: () => number;
  /** Calls `listener` once, that many milliseconds from now. Returns how to cancel. */
  after(milliseconds: number, listener: () => void): () => void;
}

/** Milliseconds; longer timers run at once (Node, setTimeout). */
const LONGEST = 2 ** 31 - 1;

/** Timers run in real time, whatever `now` says. They don't keep the process alive. */
export class RealClock implements Clock {
  readonly now: () => number;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  after(milliseconds: number, listener: () => void): () => void {
    const timer = setTimeout(listener, Math.min(milliseconds, LONGEST)).unref();
    return () => clearTimeout(timer);
  }
}

interface Timer {
  readonly due: number;
  /** Timers of the same moment run in the order in which they were set. */
  readonly order: number;
  /** Gone once the timer has run or was cancelled. */
  listener: (() => void) | undefined;
}

/** Stands still until `advance`. */
export class DrivenClock implements Clock {
  readonly now: () => number = () => this.#now;
  #now = Date.now();
  #lastOrder = 0;
  /** A binary heap: the earliest is first. Cancelled timers stay in it without listener, but never make up most of it. */
  #heap: Timer[] = [];
  #cancelled = 0;

  after(milliseconds: number, listener: () => void): () => void {
    this.#lastOrder += 1;
    const timer: Timer = { due: this.#now + milliseconds, order: this.#lastOrder, listener };
    this.#heap.push(timer);
    siftUp(this.#heap);
    return () => this.#cancel(timer);
  }

  /** Runs every timer that is due until then, each at its time, also those that are set meanwhile. */
  advance(milliseconds: number): void {
    if (!(milliseconds >= 0) || milliseconds === Infinity) {
      throw new RangeError(`the clock advances by milliseconds from 0 on, not by ${milliseconds}`);
    }
    const end = this.#now + milliseconds;
    while ((this.#heap[0]?.due ?? Infinity) <= end) this.#runFirst();
    this.#now = end;
  }

  #runFirst(): void {
    const timer = removeFirst(this.#heap);
    const { listener } = timer;
    if (listener === undefined) {
      this.#cancelled -= 1;
      return;
    }
    timer.listener = undefined;
    this.#now = timer.due;
    listener();
  }

  #cancel(timer: Timer): void {
    if (timer.listener === undefined) return;
    timer.listener = undefined;
    this.#cancelled += 1;
    if (this.#cancelled < 64 || this.#cancelled * 2 < this.#heap.length) return;
    this.#heap = this.#heap.filter((other) => other.listener !== undefined).sort(compare);
    this.#cancelled = 0;
  }
}

function compare(a: Timer, b: Timer): number {
  return a.due - b.due || a.order - b.order;
}

function siftUp(heap: Timer[]): void {
  let place = heap.length - 1;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!swapIfLess(heap, place, parent)) return;
    place = parent;
  }
}

function removeFirst(heap: Timer[]): Timer {
  const [first] = heap as [Timer];
  const last = heap.pop() as Timer;
  if (heap.length > 0) heap[0] = last;
  let place = 0;
  for (;;) {
    const child = smallerChild(heap, place);
    if (child === undefined || !swapIfLess(heap, child, place)) return first;
    place = child;
  }
}

function smallerChild(heap: readonly Timer[], place: number): number | undefined {
  const left = heap[2 * place + 1];
  const right = heap[2 * place + 2];
  if (left === undefined) return undefined;
  return right !== undefined && compare(right, left) < 0 ? 2 * place + 2 : 2 * place + 1;
}

function swapIfLess(heap: Timer[], lower: number, upper: number): boolean {
  const [low, high] = [heap[lower] as Timer, heap[upper] as Timer];
  if (compare(low, high) >= 0) return false;
  heap[lower] = high;
  heap[upper] = low;
  return true;
}
