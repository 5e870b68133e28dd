import type { Effect } from "./effect.ts";
import type { FileContent } from "./file-content.ts";
import { memoryOf, type Kept, type SentUpdate } from "./kept.ts";

/** Updates come into the inbox, in their order, those that are new. */
export class Accepted implements Effect {
  readonly what: string;
  kind = "updates are accepted";
  mayRepeat: "has not happened" | "has happened" = "has not happened";
  readonly updates: readonly SentUpdate[];
  readonly #life: number;
  readonly #sequence: () => number;

  /** `sequence` tells how many units of work have arrived before. */
  constructor(updates: readonly SentUpdate[], life: number, sequence: () => number) {
    this.updates = updates;
    this.#life = life;
    this.#sequence = sequence;
    this.what = `the acceptance of [${updates.map(({ id }) => id).join(", ")}]`;
  }

  shows(file: FileContent, kept: Kept): boolean | "moot" {
    const fresh = this.#fresh(file, kept);
    return fresh.length === 0 ? "moot" : fresh.some(({ id }) => file.inbox.has(id));
  }

  happen(kept: Kept, file: FileContent): void {
    this.mayRepeat = "has happened";
    for (const update of this.#fresh(file, kept)) {
      if (kept.done.delete(update.id)) this.kind = "an update id is accepted that was done long ago";
      kept.inbox.push({ ...update, attempts: 1, life: this.#life, arrival: this.#sequence() });
    }
  }

  #fresh(file: FileContent, kept: Kept): readonly SentUpdate[] {
    const seen = new Set(kept.inbox.map(({ id }) => id));
    return this.updates.filter(({ id }) => {
      if (seen.has(id)) return false;
      seen.add(id);
      const memory = memoryOf(id, kept, file.now);
      return memory === "forgotten" || (memory === "either" && file.inbox.has(id));
    });
  }
}
