import fc from "fast-check";
import type { Command, Step } from "../command.ts";

interface DropPending extends Step {
  readonly kind: "drop pending";
}

/** The bot asks for `drop_pending_updates`. */
export const dropPending: Command<DropPending> = {
  kind: "drop pending",
  weight: 2,
  steps: fc.constant({ kind: "drop pending" }),
  play(_step, world) {
    void world.life?.dropPending();
  },
  tell: () => "drop pending updates",
};
