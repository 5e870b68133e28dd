import type { Effect } from "./effect.ts";
import type { FileContent } from "./file-content.ts";
import { markDone, type Kept } from "./kept.ts";

/** An update that was run `maxAttempts` times is kept among the failed ones, and done. */
export class SetAside implements Effect {
  readonly what: string;
  readonly kind = "an update is set aside";
  readonly #id: number;
  readonly #maxAttempts: number;

  constructor(id: number, maxAttempts: number) {
    this.what = `the setting aside of update ${id}`;
    this.#id = id;
    this.#maxAttempts = maxAttempts;
  }

  shows(file: FileContent, kept: Kept): boolean | "moot" {
    const open = kept.inbox.find(({ id }) => id === this.#id);
    if (open === undefined || open.attempts < this.#maxAttempts) return "moot";
    return file.failed.length > kept.failed.length && file.failed.at(kept.failed.length)?.id === this.#id;
  }

  happen(kept: Kept, file: FileContent): void {
    const open = markDone(kept, this.#id, file.now);
    if (open !== undefined) kept.failed.push({ id: this.#id, text: open.text, attempts: open.attempts });
  }
}
