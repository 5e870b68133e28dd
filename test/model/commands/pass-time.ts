import fc from "fast-check";
import type { Command, Step } from "../command.ts";

interface PassTime extends Step {
  readonly kind: "pass time";
  readonly milliseconds: number;
}

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000];

/** Time passes: retries, done marks that wait, done updates that are forgotten. */
export const passTime: Command<PassTime> = {
  kind: "pass time",
  weight: 12,
  steps: fc.record({
    kind: fc.constant("pass time"),
    milliseconds: fc.constantFrom(
      60,
      200,
      SECOND + 1,
      20 * SECOND,
      2 * MINUTE,
      HOUR,
      24 * HOUR,
      25 * HOUR,
      26 * HOUR + 1,
    ),
  }),
  play({ milliseconds }, world) {
    // A call that takes a day is in nobody's promise.
    return world.pass(world.faults.isSlow ? Math.min(milliseconds, MINUTE) : milliseconds);
  },
  tell: ({ milliseconds }) => `${milliseconds} ms pass`,
  *simpler(step) {
    if (step.milliseconds > 60) yield { ...step, milliseconds: 60 };
    if (step.milliseconds > 1001) yield { ...step, milliseconds: 1001 };
  },
};
