import fc from "fast-check";
import { chats, users } from "../commands/places.ts";
import { ENTRY_IDS, tellCall, type Call } from "./call.ts";

/** Whose data an action is about. */
export type At = "chat" | "user" | "bot" | "entry a" | "entry b";

/** One thing that a handler does. */
export type Action =
  | { readonly do: "look" | "count" | "nest" | "forget" | "replace" | "spoil" | "overfill" | "fail"; readonly at: At }
  | { readonly do: "wait" | "throw" | "die" | "call after commit" | "list" }
  | Call
  | { readonly do: "try"; readonly actions: readonly Action[] };

const ats = fc.constantFrom<At>("chat", "chat", "user", "user", "bot", "bot", "entry a", "entry b");
const changing = fc.record({
  do: fc.constantFrom<"count" | "nest" | "forget" | "replace">(
    "count",
    "count",
    "count",
    "nest",
    "nest",
    "forget",
    "replace",
  ),
  at: ats,
});
const looking = fc.record({ do: fc.constant<"look">("look"), at: ats });
const failing = fc.record({ do: fc.constantFrom<"spoil" | "overfill" | "fail">("spoil", "overfill", "fail"), at: ats });
const entries = fc.constantFrom(...ENTRY_IDS);

/** What may be asked of the application. */
export const calls: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ do: fc.constantFrom<"get" | "put" | "delete">("get", "put", "put", "delete"), entry: entries }),
  fc.record({ do: fc.constant<"drop chat">("drop chat"), id: chats }),
  fc.record({ do: fc.constantFrom<"drop user" | "forget user">("drop user", "forget user"), id: users }),
);
const simple: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: changing },
  { weight: 3, arbitrary: looking },
  { weight: 5, arbitrary: fc.constant<Action>({ do: "wait" }) },
  { weight: 2, arbitrary: fc.constant<Action>({ do: "throw" }) },
  { weight: 1, arbitrary: failing },
  { weight: 1, arbitrary: fc.constant<Action>({ do: "call after commit" }) },
  { weight: 4, arbitrary: calls },
  { weight: 1, arbitrary: fc.constant<Action>({ do: "list" }) },
);
const trying: fc.Arbitrary<Action> = fc
  .array(simple, { minLength: 1, maxLength: 3 })
  .map((actions) => ({ do: "try", actions: [...actions, { do: "throw" }] }));

const lists: fc.Arbitrary<readonly Action[]> = fc.array(
  fc.oneof({ weight: 9, arbitrary: simple }, { weight: 1, arbitrary: trying }),
  { maxLength: 5 },
);

/** What one update's handlers do. Few end the process. */
export const actions: fc.Arbitrary<readonly Action[]> = fc.oneof(
  { weight: 19, arbitrary: lists },
  { weight: 1, arbitrary: lists.map((list): readonly Action[] => [...list, { do: "die" }]) },
);

/** Actions on one line. */
export function tellActions(list: readonly Action[]): string {
  return list.map(tell).join(", ") || "nothing";
}

function tell(action: Action): string {
  if (action.do === "try") return `try { ${tellActions(action.actions)} }`;
  if ("entry" in action || "id" in action) return tellCall(action);
  return "at" in action ? `${action.do} ${action.at}` : action.do;
}
