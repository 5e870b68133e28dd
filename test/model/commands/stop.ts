import fc from "fast-check";
import type { Command, Step } from "../command.ts";

interface Stop extends Step {
  readonly kind: "stop";
  readonly timeout: number;
}

/** The bot is stopped in an orderly way. It is over when what runs has ended, or when the time is over. */
export const stop: Command<Stop> = {
  kind: "stop",
  weight: 3,
  steps: fc.record({ kind: fc.constant("stop"), timeout: fc.constantFrom(0, 100, 10_000) }),
  play({ timeout }, world) {
    void world.life?.stop(timeout);
  },
  tell: ({ timeout }) => `stop within ${timeout} ms`,
  *simpler(step) {
    if (step.timeout > 0) yield { ...step, timeout: 0 };
  },
};
