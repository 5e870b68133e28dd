import fc from "fast-check";
import type { Command, Step } from "../command.ts";

interface GoOn extends Step {
  readonly kind: "go on";
  readonly which: number | "all";
}

/** A handler that waits goes on: the one that the history says, or all of them in the same turn of the event loop. */
export const goOn: Command<GoOn> = {
  kind: "go on",
  weight: 15,
  steps: fc.record({ kind: fc.constant("go on"), which: fc.oneof(fc.nat({ max: 3 }), fc.constant<"all">("all")) }),
  play({ which }, world) {
    const { life } = world;
    if (which !== "all") life?.goOn(which);
    else for (let waiting = life?.waiting ?? 0; waiting > 0; waiting -= 1) life?.goOn(0);
  },
  tell: ({ which }) => (which === "all" ? "all go on" : `waiting handler ${which} goes on`),
  *simpler(step) {
    if (step.which !== "all") yield { ...step, which: "all" };
  },
};
