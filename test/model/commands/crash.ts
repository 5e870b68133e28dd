import fc from "fast-check";
import type { Command, Step } from "../command.ts";

interface Crash extends Step {
  readonly kind: "crash";
}

/** The process is killed, while everything waits. `fail` kills it in the middle of a call. */
export const crash: Command<Crash> = {
  kind: "crash",
  weight: 4,
  steps: fc.constant({ kind: "crash" }),
  play(_step, world) {
    world.kill();
  },
  tell: () => "crash",
};
