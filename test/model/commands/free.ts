import fc from "fast-check";
import type { Command, Step } from "../command.ts";

interface Free extends Step {
  readonly kind: "free";
}

/** What takes long comes to its end. */
export const free: Command<Free> = {
  kind: "free",
  weight: 4,
  steps: fc.constant({ kind: "free" }),
  play(_step, world) {
    world.faults.free();
  },
  tell: () => "what takes long is done",
};
