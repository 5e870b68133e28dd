import type { Effect } from "./effect.ts";
import { isDone, type FileContent } from "./file-content.ts";
import { markDone, type Kept } from "./kept.ts";

/** An open update that nobody runs is done without being run: `drop_pending_updates`. */
export class Dropped implements Effect {
  readonly what: string;
  readonly kind = "an update is dropped";
  readonly #id: number;

  constructor(id: number) {
    this.what = `the dropping of update ${id}`;
    this.#id = id;
  }

  shows(file: FileContent, kept: Kept): boolean | "moot" {
    if (!kept.inbox.some(({ id }) => id === this.#id)) return "moot";
    return isDone(this.#id, file) || !file.inbox.has(this.#id);
  }

  happen(kept: Kept, file: FileContent): void {
    markDone(kept, this.#id, file.now);
  }
}
