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

/** What {@link DoneRanges.add} changed: rows to remove by their `first`, and rows to write, in this order. */
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
  readonly #ranges: DoneRange[];

  constructor(ranges: Iterable<DoneRange> = []) {
    this.#ranges = [...ranges].sort((a, b) => a.first - b.first);
  }

  /** Whether this update is done, and was so in the last 25 hours. */
  has(id: number, now: number): boolean {
    const range = this.#ranges[this.#indexBefore(id)];
    return range !== undefined && id <= range.last && range.until >= now - DONE_MEMORY;
  }

  /** Adds ids at this time and forgets what is older than {@link DONE_MEMORY}. */
  add(ids: readonly number[], now: number): DoneRangesChange {
    const removed = new Set<number>();
    const written = new Map<number, DoneRange>();
    for (const first of this.#forget(now - DONE_MEMORY)) removed.add(first);
    for (const id of ids) this.#addOne(id, now, removed, written);
    return { removed: [...removed], written: [...written.values()] };
  }

  #addOne(id: number, now: number, removed: Set<number>, written: Map<number, DoneRange>): void {
    const index = this.#indexBefore(id);
    const before = this.#ranges[index];
    if (before !== undefined && id <= before.last) return;
    const after = this.#ranges[index + 1];
    const joinsBefore = before?.last === id - 1 && now - before.since < LONGEST_GROWTH;
    const joinsAfter = after?.first === id + 1 && now - after.since < LONGEST_GROWTH;
    const range: DoneRange = {
      first: joinsBefore ? before.first : id,
      last: joinsAfter ? after.last : id,
      since: Math.min(now, joinsBefore ? before.since : now, joinsAfter ? after.since : now),
      until: now,
    };
    this.#ranges.splice(joinsBefore ? index : index + 1, Number(joinsBefore) + Number(joinsAfter), range);
    if (joinsAfter) {
      removed.add(after.first);
      written.delete(after.first);
    }
    removed.delete(range.first);
    written.set(range.first, range);
  }

  #forget(before: number): number[] {
    const old = this.#ranges.filter((range) => range.until < before).map((range) => range.first);
    if (old.length > 0) this.#ranges.splice(0, Infinity, ...this.#ranges.filter((range) => range.until >= before));
    return old;
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
