import { DONE_MEMORY } from "./atomic-persistence.ts";

/** Updates with consecutive ids that are done. Times are in milliseconds since 1970. */
export interface DoneRange {
  readonly first: number;
  readonly last: number;
  /** When the first of them was done. */
  readonly since: number;
  /** When the last of them was done. */
  readonly until: number;
}

/** What a change of {@link DoneRanges} means for its table: rows to remove by their `first`, and rows to write, in this order. */
export interface DoneRangesChange {
  readonly removed: readonly number[];
  readonly written: readonly DoneRange[];
}

/**
 * A range grows for an hour at most; then the next one begins. Otherwise the range of a busy bot would never grow old,
 * and ids that start anew (at random, after a week of silence) could fall into it and be taken for done.
 */
const LONGEST_GROWTH = 60 * 60 * 1000;

/**
 * The ids of the updates that are done, as few ranges: ids come in sequence and are done nearly so. A set and not a
 * high-water mark, since ids may start anew below the old ones.
 */
export class DoneRanges {
  /** Sorted by `first`, not overlapping. */
  #ranges: DoneRange[];

  constructor(ranges: Iterable<DoneRange> = []) {
    this.#ranges = [...ranges].sort((a, b) => a.first - b.first);
  }

  /** Whether this update is done, and was so in the last 25 hours. */
  has(id: number, now: number): boolean {
    const range = this.#ranges[this.#indexBefore(id)];
    return range !== undefined && id <= range.last && range.until >= now - DONE_MEMORY;
  }

  /** What is done, and was so in the last 25 hours: ascending, not overlapping. */
  remembered(now: number): readonly DoneRange[] {
    return this.#ranges.filter((range) => range.until >= now - DONE_MEMORY);
  }

  /** Adds ids at this time and forgets what is older than {@link DONE_MEMORY}. */
  add(ids: readonly number[], now: number): DoneRangesChange {
    const change = new Change();
    this.#forget(now - DONE_MEMORY, change);
    for (const id of ids) this.#addOne(id, now, change);
    return change.asArrays();
  }

  /**
   * Adds ranges with the times that they bring, and forgets what is older than {@link DONE_MEMORY}. An id that is in it already
   * is remembered for the longer of the two times. A range that is none is a `TypeError`, and nothing is added.
   */
  addRanges(ranges: readonly DoneRange[], now: number): DoneRangesChange {
    for (const range of ranges) checkRange(range);
    const change = new Change();
    for (const range of ranges) this.#addRange(range, change);
    this.#forget(now - DONE_MEMORY, change);
    return change.asArrays();
  }

  #addOne(id: number, now: number, change: Change): void {
    const index = this.#indexBefore(id);
    const before = this.#ranges[index];
    if (before !== undefined && id <= before.last) return;
    const after = this.#ranges[index + 1];
    const joinsBefore = before?.last === id - 1 && mayGrow(before, now);
    const joinsAfter = after?.first === id + 1 && mayGrow(after, now);
    const range: DoneRange = {
      first: joinsBefore ? before.first : id,
      last: joinsAfter ? after.last : id,
      since: Math.min(now, joinsBefore ? before.since : now, joinsAfter ? after.since : now),
      until: now,
    };
    this.#replace(joinsBefore ? index : index + 1, Number(joinsBefore) + Number(joinsAfter), [range], change);
  }

  #addRange(range: DoneRange, change: Change): void {
    const before = this.#indexBefore(range.first);
    const start = (this.#ranges[before]?.last ?? -Infinity) < range.first ? before + 1 : before;
    const end = this.#indexBefore(range.last) + 1;
    const overlapping = this.#ranges.slice(start, end);
    const lasting = overlapping.filter(({ until }) => until >= range.until);
    const giving = overlapping.filter(({ until }) => until < range.until);
    const pieces = [...lasting, ...without(range, lasting), ...giving.flatMap((old) => without(old, [range]))];
    pieces.sort((a, b) => a.first - b.first);
    this.#replace(start, overlapping.length, pieces, change);
  }

  #replace(index: number, count: number, by: readonly DoneRange[], change: Change): void {
    for (const { first } of this.#ranges.splice(index, count, ...by)) change.remove(first);
    for (const range of by) change.write(range);
  }

  #forget(before: number, change: Change): void {
    const old = this.#ranges.filter((range) => range.until < before);
    if (old.length === 0) return;
    for (const { first } of old) change.remove(first);
    this.#ranges = this.#ranges.filter((range) => range.until >= before);
  }

  /** The index of the last range that begins at or before `id`, or -1. */
  #indexBefore(id: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as DoneRange).first <= id) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** A range of a clock that goes ahead stays as it is: growing would shorten the time for which it is remembered. */
function mayGrow(range: DoneRange, now: number): boolean {
  return now - range.since < LONGEST_GROWTH && range.until <= now;
}

/** What several steps mean for the table together. */
class Change {
  readonly #removed = new Set<number>();
  readonly #written = new Map<number, DoneRange>();

  remove(first: number): void {
    this.#removed.add(first);
    this.#written.delete(first);
  }

  write(range: DoneRange): void {
    this.#removed.delete(range.first);
    this.#written.set(range.first, range);
  }

  asArrays(): DoneRangesChange {
    return { removed: [...this.#removed], written: [...this.#written.values()] };
  }
}

/** What is left of a range beside others, which ascend. */
function without(range: DoneRange, others: readonly DoneRange[]): DoneRange[] {
  const pieces: DoneRange[] = [];
  let first = range.first;
  for (const other of others) {
    if (first < other.first) pieces.push({ ...range, first, last: other.first - 1 });
    first = Math.max(first, other.last + 1);
  }
  if (first <= range.last) pieces.push({ ...range, first });
  return pieces;
}

function checkRange(range: DoneRange): void {
  const { first, last, since, until } = range;
  if (first <= last && [first, last, since, until].every(Number.isSafeInteger)) return;
  throw new TypeError(`${JSON.stringify(range)} is no range of done updates.`);
}
