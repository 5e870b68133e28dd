import fc from "fast-check";
import type { Command, Step } from "../command.ts";

interface DeliverAgain extends Step {
  readonly kind: "deliver again";
  readonly which: number;
}

/** Telegram delivers an update once more that it has delivered before: open, running, or done, some time ago or long ago. */
export const deliverAgain: Command<DeliverAgain> = {
  kind: "deliver again",
  weight: 5,
  steps: fc.record({ kind: fc.constant("deliver again"), which: fc.nat({ max: 5 }) }),
  play({ which }, world) {
    world.telegram.sendAgain(which);
  },
  tell: ({ which }) => `deliver again the update ${which} before the last`,
  *simpler(step) {
    if (step.which > 0) yield { ...step, which: step.which - 1 };
  },
};
