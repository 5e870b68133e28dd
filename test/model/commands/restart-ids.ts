import fc from "fast-check";
import type { Command, Step } from "../command.ts";

interface RestartIds extends Step {
  readonly kind: "restart ids";
  readonly by: number;
}

const WEEK = 7 * 24 * 3_600_000;

/** After a silent week update ids start anew, at random: here among those that were used before, or above. */
export const restartIds: Command<RestartIds> = {
  kind: "restart ids",
  weight: 2,
  steps: fc.record({ kind: fc.constant("restart ids"), by: fc.integer({ min: -20, max: 20 }) }),
  async play({ by }, world) {
    const { kept, unsettled } = world.model;
    if (unsettled > 0 || kept.inbox.length > 0 || world.telegram.waiting > 0 || !world.faults.isCalm(world.model.now))
      return;
    await world.pass(WEEK + 1);
    world.telegram.restartIds(by);
  },
  tell: ({ by }) => `a silent week; update ids go on ${Math.abs(by)} ${by < 0 ? "below" : "above"}`,
};
