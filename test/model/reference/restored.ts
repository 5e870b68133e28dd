import type { Effect } from "./effect.ts";
import type { FileContent } from "./file-content.ts";
import type { Kept } from "./kept.ts";

/** A record is again what it was before a run was noted that a stop has given up. */
export class Restored implements Effect {
  readonly what: string;
  readonly kind = "the attempt at a job is taken back";
  readonly #key: string;
  readonly #noted: string;
  readonly #text: string;

  constructor(key: string, { noted, before }: { readonly noted: string; readonly before: string }) {
    this.what = `the attempt taken back from ${key}`;
    this.#key = key;
    this.#noted = noted;
    this.#text = before;
  }

  shows({ records }: FileContent, kept: Kept): boolean | "moot" {
    if (kept.records.get(this.#key) !== this.#noted) return "moot";
    return records.get(this.#key) === this.#text;
  }

  happen({ records }: Kept): void {
    records.set(this.#key, this.#text);
  }
}
