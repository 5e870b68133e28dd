import fc from "fast-check";
import type { Command, Step } from "../command.ts";
import { actions, tellActions, type Action } from "../handler/action.ts";
import { GROUP, SUPERGROUP } from "./places.ts";
import { fewer } from "./send.ts";

interface AnnounceMigration extends Step {
  readonly kind: "announce migration";
  readonly side: "old" | "new";
  readonly actions: readonly Action[];
}

/** One of the two service messages that tell of a group that has become a supergroup. Either may come, in any order, again. */
export const announceMigration: Command<AnnounceMigration> = {
  kind: "announce migration",
  weight: 6,
  steps: fc.record({ kind: fc.constant("announce migration"), side: fc.constantFrom("old", "new"), actions }),
  play({ side, actions: list }, world) {
    const chat = side === "old" ? GROUP : SUPERGROUP;
    world.telegram.send({ chat, user: 1, actions: list, migration: { from: GROUP, to: SUPERGROUP } });
  },
  tell: ({ side, actions: list }) => `announce the migration in the ${side} chat: ${tellActions(list)}`,
  *simpler(step) {
    for (const list of fewer(step.actions)) yield { ...step, actions: list };
  },
};
