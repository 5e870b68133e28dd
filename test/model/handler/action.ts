import fc from "fast-check";

/** Whose data an action is about. */
export type At = "chat" | "user" | "bot";

/** One thing that a handler does. */
export type Action =
  | { readonly do: "look" | "count" | "nest" | "forget" | "replace" | "spoil" | "overfill" | "fail"; readonly at: At }
  | { readonly do: "wait" | "throw" | "die" | "call after commit" }
  | { readonly do: "try"; readonly actions: readonly Action[] };

const ats = fc.constantFrom<At>("chat", "user", "bot");
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
const simple: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: changing },
  { weight: 3, arbitrary: looking },
  { weight: 5, arbitrary: fc.constant<Action>({ do: "wait" }) },
  { weight: 2, arbitrary: fc.constant<Action>({ do: "throw" }) },
  { weight: 1, arbitrary: failing },
  { weight: 1, arbitrary: fc.constant<Action>({ do: "call after commit" }) },
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
  return "at" in action ? `${action.do} ${action.at}` : action.do;
}
