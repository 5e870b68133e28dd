import fc from "fast-check";
import type { Command, Step } from "../command.ts";
import { calls, tellActions } from "../handler/action.ts";
import type { Call } from "../handler/call.ts";

interface Calling extends Step {
  readonly kind: "call";
  readonly call: Call | { readonly do: "list" };
}

/** What is one unit of work by itself: the removal of a job begins with a look at it. */
const single = calls.filter((made) => made.do !== "remove");

/** The program calls the application outside of any update: to drop, for an entry of a collection, or for a job. */
export const call: Command<Calling> = {
  kind: "call",
  weight: 6,
  steps: fc
    .oneof({ weight: 6, arbitrary: single }, { weight: 1, arbitrary: fc.constant({ do: "list" } as const) })
    .map((made) => ({ kind: "call", call: made })),
  play(step, world) {
    if (step.call.do === "list") world.life?.list();
    else world.life?.call(step.call, world.nextToken());
  },
  tell: (step) => `outside of updates: ${tellActions([step.call])}`,
};
