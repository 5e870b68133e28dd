import { Violation } from "../violation.ts";
import type { Effect } from "./effect.ts";
import { isDone, type FileContent } from "./file-content.ts";
import { textNow } from "./job-state.ts";
import { markDone, type Kept } from "./kept.ts";

/** What a unit of work has made of one record. */
export interface Change {
  readonly key: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Whether others may change it at the same time: the data of an account that stands for everybody. */
  readonly isShared: boolean;
}

/** A unit of work is over: what it changed is kept and its update is done, in one. */
export class Concluded implements Effect {
  readonly what: string;
  kind: string;
  /** Whether another unit of work changed a shared record first, so that this one was rolled back. */
  conflicted = false;
  readonly #changes: readonly Change[];
  readonly #done: number | undefined;
  readonly #isRefused: boolean;

  /** With `isRefused`, the changes can never be kept, and the update is done without them. */
  constructor(name: string, changes: readonly Change[], done: number | undefined, isRefused: boolean) {
    this.what = `the commit of ${name}`;
    this.#isRefused = isRefused;
    this.kind = changes.length > 0 && !isRefused ? "changes are kept" : "an update is done without changes";
    this.#changes = changes;
    this.#done = done;
  }

  /** Whether it leaves nothing in the file. */
  get isEmpty(): boolean {
    return (this.#changes.length === 0 || this.#isRefused) && this.#done === undefined;
  }

  /** Whether it leaves the file as it is: what was changed was changed back. */
  isInvisible(kept: Kept): boolean {
    return (
      this.#done === undefined && this.#changesNow(kept).every(({ key, after }) => kept.records.get(key) === after)
    );
  }

  /** Which records it changes that stand for everybody. */
  get shared(): readonly string[] {
    return this.#changes.filter(({ isShared }) => isShared).map(({ key }) => key);
  }

  /** Whether another has changed by now what this one has changed without having its turn. */
  wouldConflict(kept: Kept): boolean {
    return this.#changes.some(({ key, before, isShared }) => isShared && kept.records.get(key) !== before);
  }

  shows(file: FileContent, kept: Kept): boolean | "moot" {
    if (this.#done !== undefined) return isDone(this.#done, file) || !file.inbox.has(this.#done);
    if (this.isEmpty) return "moot";
    const changes = this.#changesNow(file);
    return changes.some(({ key, after }) => file.records.get(key) === after && kept.records.get(key) !== after);
  }

  happen(kept: Kept, file: FileContent): void {
    if (this.#done !== undefined) markDone(kept, this.#done, file.now);
    this.conflicted = this.wouldConflict(kept) || (this.#touchesShared && !this.#isShown(file));
    if (this.conflicted) {
      this.kind = "a conflict";
      return;
    }
    for (const { key, before, after } of this.#isRefused ? [] : this.#changesNow(kept)) {
      if (kept.records.get(key) !== before) {
        throw new Violation(`${this.what} changes ${key}, which another has changed since it was read`);
      }
      if (after === undefined) kept.records.delete(key);
      else kept.records.set(key, after);
    }
  }

  /** What it changes, as it is to be found by now. */
  #changesNow({ aliases }: Pick<Kept, "aliases"> | Pick<FileContent, "aliases">): Change[] {
    return this.#changes.map(({ key, before, after, isShared }) => ({
      key,
      before: textNow(key, before, aliases),
      after: textNow(key, after, aliases),
      isShared,
    }));
  }

  get #touchesShared(): boolean {
    return !this.#isRefused && this.#changes.some(({ isShared }) => isShared);
  }

  #isShown(file: FileContent): boolean {
    return this.#changesNow(file).every(({ key, after }) => file.records.get(key) === after);
  }
}
