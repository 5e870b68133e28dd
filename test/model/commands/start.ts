import fc from "fast-check";
import type { Command, Step } from "../command.ts";
import type { Way } from "../driver/life.ts";
import type { Value } from "../reference/unit-model.ts";

interface Start extends Step {
  readonly kind: "start";
  readonly way: Way;
  readonly onHandlerError: "rollback" | "keep";
  readonly maxAttempts: number;
  readonly concurrency: number;
  readonly merges: boolean;
}

const merge = (old: Value, fresh: Value): Value => ({ ...fresh, ...old, n: Number(old["n"]) + Number(fresh["n"]) });

/** The bot is started, if it does not run. */
export const start: Command<Start> = {
  kind: "start",
  weight: 15,
  steps: fc.record({
    kind: fc.constant("start"),
    way: fc.constantFrom("runner", "runner", "one at a time", "webhook", "stock webhook"),
    onHandlerError: fc.constantFrom("rollback", "keep"),
    maxAttempts: fc.constantFrom(3, 3, 2),
    concurrency: fc.constantFrom(64, 64, 64, 2),
    merges: fc.boolean(),
  }),
  play: ({ merges, ...settings }, world) => world.start({ ...settings, merge: merges ? merge : undefined }),
  tell: ({ way, onHandlerError, maxAttempts, concurrency, merges }) =>
    `start (${way}, ${onHandlerError}, ${maxAttempts} attempts, ${concurrency} at a time${merges ? ", onMigrate" : ""})`,
  *simpler(step) {
    if (step.way !== "runner") yield { ...step, way: "runner" };
    if (step.onHandlerError !== "rollback") yield { ...step, onHandlerError: "rollback" };
    if (step.concurrency !== 64) yield { ...step, concurrency: 64 };
    if (step.maxAttempts !== 3) yield { ...step, maxAttempts: 3 };
    if (step.merges) yield { ...step, merges: false };
  },
};
