import fc from "fast-check";
import type { Command, Step } from "../command.ts";
import { actions, tellActions, type Action } from "../handler/action.ts";
import { chats, users } from "./places.ts";

interface Send extends Step {
  readonly kind: "send";
  readonly chat: number | undefined;
  readonly user: number | undefined;
  readonly actions: readonly Action[];
}

const scopes = fc.oneof(
  { weight: 20, arbitrary: fc.record({ chat: chats, user: users }) },
  { weight: 1, arbitrary: fc.record({ chat: chats, user: fc.constant(undefined) }) },
  { weight: 1, arbitrary: fc.record({ chat: fc.constant(undefined), user: users }) },
  { weight: 1, arbitrary: fc.constant({ chat: undefined, user: undefined }) },
);

/** Somebody does something that the bot gets an update of. */
export const send: Command<Send> = {
  kind: "send",
  weight: 30,
  steps: fc.tuple(scopes, actions).map(([scope, list]) => ({ kind: "send", ...scope, actions: list })),
  play({ chat, user, actions: list }, world) {
    world.telegram.send({ chat, user, actions: list, migration: undefined });
  },
  tell: ({ chat, user, actions: list }) => `send {chat ${chat ?? "-"}, user ${user ?? "-"}}: ${tellActions(list)}`,
  *simpler(step) {
    for (const list of fewer(step.actions)) yield { ...step, actions: list };
    if (step.chat !== undefined && step.user !== undefined) {
      yield { ...step, user: undefined };
      yield { ...step, chat: undefined };
    }
  },
};

/** The same without one of them, or with what one of them tries in its place. */
export function* fewer(list: readonly Action[]): Iterable<readonly Action[]> {
  if (list.length > 1) yield [];
  for (const [index, action] of list.entries()) {
    yield list.toSpliced(index, 1);
    if (action.do === "try")
      for (const tried of fewer(action.actions)) yield list.toSpliced(index, 1, { ...action, actions: tried });
  }
}
