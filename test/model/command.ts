import type fc from "fast-check";
import type { World } from "./driver/world.ts";

/** One step of a history: plain data, so that a history can be printed, cut and played again. */
export interface Step {
  readonly kind: string;
}

/**
 * One kind of thing that happens in a history. A step that cannot happen now (nobody waits, the bot is down) does
 * nothing, so every part of a history is a history.
 */
export interface Command<S extends Step> {
  readonly kind: S["kind"];
  /** How often it happens, compared to others. */
  readonly weight: number;
  readonly steps: fc.Arbitrary<S>;
  /** Does it, and does not wait for what the history has to bring about. */
  play(step: S, world: World): void | Promise<void>;
  /** The step in words, on one line. */
  tell(step: S): string;
  /** Simpler steps of the same kind, the simplest first. */
  simpler?(step: S): Iterable<S>;
}
