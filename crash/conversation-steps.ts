import type { KeptData } from "./kept-data.ts";

/** The states of a conversation, in order. */
export type State = "one" | "two" | "three" | "four";

/** After so much silence it ends by itself, in milliseconds. */
export const SILENCE = 120;

/** One step of a user's conversation in a chat: from one state to the next one, to its end, or to its end by silence. */
export interface Step {
  readonly user: number;
  readonly from: State | "none" | "end" | "silence";
  readonly to: State | "end" | "silence";
}

/** The state in which a step leaves the conversation; `undefined` for none. */
function stateAfter(step: Step | undefined): string | undefined {
  return step === undefined || step.to === "end" || step.to === "silence" ? undefined : step.to;
}

/** What is wrong with conversations. */
export interface StepFaults {
  /** Conversations that nobody has ended, though all were silent for long. */
  readonly lost: number;
  /** Steps that do not begin where the step before has ended: one was made twice, or is missing. */
  readonly twice: number;
}

/** What is wrong once everybody has been silent for long. */
export function stepFaults({ steps, conversations }: KeptData): StepFaults {
  let twice = 0;
  for (const list of steps.values()) {
    for (const own of Map.groupBy(list, ({ user }) => user).values()) {
      twice += own.filter(({ from }, index) => from !== (stateAfter(own[index - 1]) ?? "none")).length;
    }
  }
  return { lost: conversations.size, twice };
}

/** Conversations whose state, or whose timeout, is not that of the last step in the chat's data, at any time. */
export function tornConversations({ steps, conversations, timeouts }: KeptData): number {
  const expected = new Map<string, string>();
  for (const [chat, list] of steps) {
    for (const [user, own] of Map.groupBy(list, (step) => step.user)) {
      const state = stateAfter(own.at(-1));
      if (state !== undefined) expected.set(JSON.stringify([chat, user]), state);
    }
  }
  const everybody = new Set([...expected.keys(), ...conversations.keys(), ...timeouts]);
  return [...everybody].filter((id) => {
    const state = expected.get(id);
    return state !== conversations.get(id) || (state !== undefined) !== timeouts.has(id);
  }).length;
}

/** How many conversations have ended by silence. */
export function silences({ steps }: KeptData): number {
  return [...steps.values()].flat().filter(({ to }) => to === "silence").length;
}
