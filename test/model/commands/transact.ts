import fc from "fast-check";
import type { Command, Step } from "../command.ts";
import { actions, tellActions, type Action } from "../handler/action.ts";
import { chats, users } from "./places.ts";
import { fewer } from "./send.ts";

interface Transact extends Step {
  readonly kind: "transact";
  readonly chats: readonly number[];
  readonly users: readonly number[];
  readonly actions: readonly Action[];
}

/** The program does something outside of an update: `app.transaction`. */
export const transact: Command<Transact> = {
  kind: "transact",
  weight: 6,
  steps: fc.record({
    kind: fc.constant("transact"),
    chats: fc.array(chats, { maxLength: 2 }),
    users: fc.array(users, { maxLength: 2 }),
    actions,
  }),
  play(step, world) {
    world.life?.transact(step.chats, step.users, step.actions, world.nextToken());
  },
  tell: (step) =>
    `transaction {chats [${step.chats.join()}], users [${step.users.join()}]}: ${tellActions(step.actions)}`,
  *simpler(step) {
    for (const list of fewer(step.actions)) yield { ...step, actions: list };
    for (const index of step.chats.keys()) yield { ...step, chats: step.chats.toSpliced(index, 1) };
    for (const index of step.users.keys()) yield { ...step, users: step.users.toSpliced(index, 1) };
  },
};
