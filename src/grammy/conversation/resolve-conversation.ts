import type { Context } from "grammy";
import { ByState } from "../../conversation/by-state.ts";
import type { Candidate } from "../../conversation/candidate.ts";
import type { ConversationParts, OnStaleState } from "../../conversation/conversation.ts";
import { TIMEOUT } from "../../conversation/special-states.ts";
import type { Duration } from "../../data/duration.ts";
import { isKeptText } from "../../data/kept-text.ts";
import { PerdureError } from "../../errors.ts";
import { timeSpan } from "../../jobs/when.ts";
import { candidateFor } from "./candidates.ts";

/** The options as they come, before anything is known of them. */
export interface UncheckedOptions {
  readonly entryPoints: readonly unknown[];
  readonly states: object;
  readonly fallbacks?: readonly unknown[] | undefined;
  readonly allowReentry?: boolean | undefined;
  readonly perChat?: boolean | undefined;
  readonly perUser?: boolean | undefined;
  readonly perMessage?: boolean | undefined;
  readonly conversationTimeout?: Duration | undefined;
  readonly name?: string | undefined;
  readonly persistent?: boolean | undefined;
  readonly mapToParent?: object | undefined;
  readonly block?: boolean | undefined;
  readonly onStaleState?: unknown;
  readonly version?: number | undefined;
  readonly migrate?: ((state: never, version: number) => unknown) | undefined;
}

/** Finds the conversation behind what is nested in another one; `undefined` for every other handler. */
export type FindNested<C> = (handler: unknown, place: string) => Candidate<C> | undefined;

/** A conversation's parts and settings, checked, with defaults. */
export interface ResolvedConversation<C, T> {
  readonly parts: ConversationParts<C, T>;
  readonly isPersistent: boolean;
  /** All that stands in its lists. */
  readonly handlers: readonly unknown[];
}

/** Checks what the compiler cannot, and fills in the defaults. Throws `PERDURE_INVALID_OPTION`. */
export function resolveConversation<C extends Context, T extends Context>(
  options: UncheckedOptions,
  nextName: () => string,
  nested: FindNested<C>,
): ResolvedConversation<C, T> {
  const { name, persistent = false, fallbacks = [], version = 0, migrate, onStaleState = "end" } = options;
  const { perChat = true, perUser = true, perMessage = false, allowReentry = false, block = true } = options;
  if (name !== undefined) requireName(name);
  if (persistent && name === undefined) throw invalid("Conversations can't be persistent when handler is unnamed.");
  if (!perChat && !perUser && !perMessage) {
    throw invalid("'perUser', 'perChat' and 'perMessage' can't all be 'false'.");
  }
  if (!Number.isInteger(version) || version < 0)
    throw invalid(`version is ${version}. It must be a whole number from 0 on.`);
  if (migrate !== undefined && version === 0) {
    throw invalid(
      "migrate is given, and version is 0: it would never be called. Raise version when states are renamed.",
    );
  }
  if (onStaleState !== "end" && typeof onStaleState !== "function")
    throw invalid('onStaleState must be "end" or a function.');
  const lists = new ByState<readonly unknown[]>(options.states as Record<string, readonly unknown[]>);
  const candidates = (list: readonly unknown[], place: string): readonly Candidate<C>[] => {
    requireList(list, place);
    return list.map((handler, index) => nested(handler, place) ?? candidateFor<C>(handler, `${place}[${index}]`));
  };
  const timeoutHandlers = lists.has(TIMEOUT) ? lists.get(TIMEOUT) : [];
  requireList(timeoutHandlers, "states[TIMEOUT]");
  const timeout = timeSpan(options.conversationTimeout ?? 0, "conversationTimeout");
  const parts: ConversationParts<C, T> = {
    name: name ?? nextName(),
    title: name ?? "without a name",
    entryPoints: candidates(options.entryPoints, "entryPoints"),
    states: lists.map((list, state) => (state === String(TIMEOUT) ? [] : candidates(list, `states.${state}`))),
    fallbacks: candidates(fallbacks, "fallbacks"),
    timeoutHandlers: timeoutHandlers.map((handler, index) => candidateFor<T>(handler, `states[TIMEOUT][${index}]`)),
    perChat,
    perUser,
    perMessage,
    allowReentry,
    block,
    timeout: timeout === 0 ? undefined : timeout,
    mapToParent: options.mapToParent && new ByState(options.mapToParent as Record<string, unknown>),
    version,
    migrate: migrate as ConversationParts<C, T>["migrate"],
    onStaleState: onStaleState as OnStaleState<C>,
  };
  const handlers = [...options.entryPoints, ...[...lists.values()].flat(), ...fallbacks];
  return { parts, isPersistent: persistent, handlers };
}

function requireList(list: unknown, place: string): asserts list is readonly unknown[] {
  if (!Array.isArray(list)) throw invalid(`${place} must be an array of handlers.`);
}

function requireName(name: unknown): void {
  if (isKeptText(name) && name !== "") return;
  throw invalid(`name is ${JSON.stringify(name)}. It must be a text.`);
}

function invalid(message: string): PerdureError {
  return new PerdureError("PERDURE_INVALID_OPTION", message);
}
