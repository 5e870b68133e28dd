import fc from "fast-check";
import type { Command, Step } from "../command.ts";

interface Deliver extends Step {
  readonly kind: "deliver";
  readonly limit: number;
}

/** The bot asks for updates, or its webhook gets them. */
export const deliver: Command<Deliver> = {
  kind: "deliver",
  weight: 35,
  steps: fc.record({ kind: fc.constant("deliver"), limit: fc.constantFrom(100, 100, 1, 2) }),
  play({ limit }, world) {
    world.life?.deliver(limit);
  },
  tell: ({ limit }) => (limit === 100 ? "deliver" : `deliver ${limit}`),
  *simpler(step) {
    if (step.limit !== 100) yield { ...step, limit: 100 };
  },
};
