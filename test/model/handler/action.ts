import fc from "fast-check";
import { chats, users } from "../commands/places.ts";
import { JOB_DEFINITIONS, type Rhythm } from "../reference/job-state.ts";
import type { Saying } from "../reference/talk-state.ts";
import { ENTRY_IDS, JOB_IDS, tellCall, type Call, type WantedJob } from "./call.ts";

/** Whose data an action is about. */
export type At = "chat" | "user" | "bot" | "entry a" | "entry b";

/** One thing that a handler does. */
export type Action =
  | { readonly do: "look" | "count" | "nest" | "forget" | "replace" | "spoil" | "overfill" | "fail"; readonly at: At }
  | { readonly do: "wait" | "throw" | "die" | "call after commit" | "list" }
  | Call
  | { readonly do: "say"; readonly what: Saying }
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

const jobIds = fc.constantFrom(...JOB_IDS);

/** What jobs ask of the application. */
const fewCalls: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ do: fc.constantFrom<"get" | "put" | "delete">("get", "put", "put", "delete"), entry: entries }),
  fc.record({ do: fc.constant<"drop chat">("drop chat"), id: chats }),
  fc.record({ do: fc.constantFrom<"drop user" | "forget user">("drop user", "forget user"), id: users }),
  fc.record({ do: fc.constantFrom<"look at" | "remove">("look at", "remove"), job: jobIds }),
);
const saying = fc.record({
  do: fc.constant<"say">("say"),
  what: fc.constantFrom<Saying>("begin", "begin", "go on", "go on", "end"),
});
const simple = (calls: fc.Arbitrary<Call>): fc.Arbitrary<Action> =>
  fc.oneof(
    { weight: 12, arbitrary: changing },
    { weight: 3, arbitrary: looking },
    { weight: 5, arbitrary: fc.constant<Action>({ do: "wait" }) },
    { weight: 2, arbitrary: fc.constant<Action>({ do: "throw" }) },
    { weight: 1, arbitrary: failing },
    { weight: 1, arbitrary: fc.constant<Action>({ do: "call after commit" }) },
    { weight: 4, arbitrary: calls },
    { weight: 1, arbitrary: fc.constant<Action>({ do: "list" }) },
    { weight: 6, arbitrary: saying },
  );
const trying = (calls: fc.Arbitrary<Call>): fc.Arbitrary<Action> =>
  fc
    .array(simple(calls), { minLength: 1, maxLength: 3 })
    .map((list) => ({ do: "try", actions: [...list, { do: "throw" }] }));

/** Few end the process. */
const actionsWith = (calls: fc.Arbitrary<Call>): fc.Arbitrary<readonly Action[]> => {
  const one = fc.oneof({ weight: 9, arbitrary: simple(calls) }, { weight: 1, arbitrary: trying(calls) });
  const lists = fc.array(one, { maxLength: 5 });
  const deadly = lists.map((list): readonly Action[] => [...list, { do: "die" }]);
  return fc.oneof({ weight: 19, arbitrary: lists }, { weight: 1, arbitrary: deadly });
};

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000];

/** Jobs that are scheduled: their data is what they do. */
const wantedJobs: fc.Arbitrary<WantedJob> = fc
  .record({
    definition: fc.constantFrom(...JOB_DEFINITIONS),
    rhythm: fc.constantFrom<Rhythm>(
      "once",
      "once",
      "once",
      `every ${10 * MINUTE}`,
      `every ${7 * HOUR}`,
      "daily",
      "cron",
      "monthly",
    ),
    delay: fc.constantFrom(0, 0, SECOND, 5 * SECOND, 2 * MINUTE, 3 * HOUR),
    chat: fc.option(chats, { nil: undefined }),
    user: fc.option(users, { nil: undefined }),
    data: actionsWith(fewCalls),
  })
  .map((wanted) =>
    wanted.rhythm.startsWith("every") ? { ...wanted, delay: Number(wanted.rhythm.slice("every ".length)) } : wanted,
  );

/** What may be asked of the application. */
export const calls: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: fewCalls },
  { weight: 3, arbitrary: fc.record({ do: fc.constant<"schedule">("schedule"), job: jobIds, wanted: wantedJobs }) },
);

/** What one update's handlers do. */
export const actions: fc.Arbitrary<readonly Action[]> = actionsWith(calls);

/** Actions on one line. */
export function tellActions(list: readonly Action[]): string {
  return list.map(tell).join(", ") || "nothing";
}

function tell(action: Action): string {
  if (action.do === "try") return `try { ${tellActions(action.actions)} }`;
  if ("entry" in action || "id" in action || "job" in action) return tellCall(action);
  if (action.do === "say") return `say "${action.what}"`;
  return "at" in action ? `${action.do} ${action.at}` : action.do;
}
