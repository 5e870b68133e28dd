import type { Effect } from "./effect.ts";
import type { FileContent } from "./file-content.ts";
import type { Kept, OpenUpdate } from "./kept.ts";

/** One more attempt at an open update, or one fewer where a stop has interrupted it. */
export class AttemptNoted implements Effect {
  readonly what: string;
  readonly kind: string;
  readonly #id: number;
  readonly #difference: 1 | -1;
  readonly #onNoted: () => void;

  constructor(id: number, difference: 1 | -1, onNoted: () => void) {
    this.what = `${difference === 1 ? "an attempt at" : "the attempt taken back from"} update ${id}`;
    this.kind = difference === 1 ? "an attempt is noted" : "an attempt is taken back";
    this.#id = id;
    this.#difference = difference;
    this.#onNoted = onNoted;
  }

  shows(file: FileContent, kept: Kept): boolean | "moot" {
    const open = this.#open(kept);
    return open === undefined ? "moot" : file.inbox.get(this.#id)?.attempts === open.attempts + this.#difference;
  }

  happen(kept: Kept): void {
    const open = this.#open(kept);
    if (open !== undefined) open.attempts += this.#difference;
    this.#onNoted();
  }

  #open(kept: Kept): OpenUpdate | undefined {
    return kept.inbox.find(({ id }) => id === this.#id);
  }
}
