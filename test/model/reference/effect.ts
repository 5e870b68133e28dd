import type { FileContent } from "./file-content.ts";
import type { Kept } from "./kept.ts";

/**
 * Something that happens to the file as a whole or not at all: an acceptance, a unit's commit, a migration. From the
 * moment that it may happen until it has, both worlds are possible; the file shows which one it is.
 */
export interface Effect {
  /** What messages call it. */
  readonly what: string;
  /** What it is counted as, once it has happened. */
  readonly kind: string;
  /** For what is tried again until it is answered: another attempt may add to it, a day later. */
  readonly mayRepeat?: "has not happened" | "has happened";
  /** Whether the file shows it; `"moot"` while there is nothing that it would change. */
  shows(file: FileContent, kept: Kept): boolean | "moot";
  /** Does the same to what must be kept. */
  happen(kept: Kept, file: FileContent): void;
}
