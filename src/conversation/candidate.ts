import type { Update } from "@grammyjs/types";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";

/** An update on its way through the handlers of a conversation. */
export interface Occasion<C> {
  readonly update: Update;
  readonly unit: UnitOfWork;
  /** What handlers get. */
  readonly ctx: C;
}

/** What the callback that took an update has returned. */
export interface Answer {
  readonly value: unknown;
  /** Whether others could go on meanwhile, so that the conversation may be another by now. */
  readonly isLate: boolean;
  /** What a warning calls the callback. */
  readonly by: string;
}

/** Calls a callback in the turn of its update or without it, as `block` or else its conversation says. */
export type Call = (callback: () => MaybePromise<unknown>, block?: boolean) => Promise<Omit<Answer, "by">>;

/** What stands in the lists of a conversation: a handler, middleware, or a nested conversation. */
export interface Candidate<C> {
  /** Takes an update if it is for this one: what its callback has answered. `undefined` when it is not. */
  take(occasion: Occasion<C>, call: Call): Promise<Answer | undefined>;
}

/** The first candidate that takes the update is the only one. */
export async function firstOf<C>(
  candidates: readonly Candidate<C>[] | undefined,
  occasion: Occasion<C>,
  call: Call,
): Promise<Answer | undefined> {
  for (const candidate of candidates ?? []) {
    const answer = await candidate.take(occasion, call);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
