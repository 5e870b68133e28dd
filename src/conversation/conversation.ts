import type { Update } from "@grammyjs/types";
import type { MaybePromise } from "../data/maybe-promise.ts";
import { keyText, type ConversationKey } from "../data/record.ts";
import type { Logger } from "../engine/logger.ts";
import { scopesOf } from "../engine/scopes-of-update.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { isName, stateText, type ByState } from "./by-state.ts";
import { CallbacksUnderWay } from "./callbacks-under-way.ts";
import { firstOf, type Answer, type Call, type Candidate, type Occasion } from "./candidate.ts";
import { idOf, isComplete, partiesOf, type ConversationParties, type KeySettings } from "./conversation-id.ts";
import type { ConversationTimeouts, TimeoutData } from "./conversation-timeouts.ts";
import { KeptConversation } from "./kept-conversation.ts";
import { END, WAITING } from "./special-states.ts";

/** What becomes of a state that the code no longer knows. */
export type OnStaleState<C> = "end" | ((state: unknown, ctx: C) => MaybePromise<unknown>);

/** What a conversation is made of. */
export interface ConversationParts<C, T> extends KeySettings {
  /** What its records are called. */
  readonly name: string;
  /** What warnings call it. */
  readonly title: string;
  readonly entryPoints: readonly Candidate<C>[];
  readonly states: ByState<readonly Candidate<C>[]>;
  readonly fallbacks: readonly Candidate<C>[];
  /** Those of `TIMEOUT`: all that take the last update run. */
  readonly timeoutHandlers: readonly Candidate<T>[];
  readonly allowReentry: boolean;
  readonly block: boolean;
  /** In milliseconds. */
  readonly timeout: number | undefined;
  readonly mapToParent: ByState<unknown> | undefined;
  readonly version: number;
  readonly migrate: ((state: unknown, version: number) => MaybePromise<unknown>) | undefined;
  readonly onStaleState: OnStaleState<C>;
}

/** What a conversation needs of the application. */
export interface ConversationHost {
  readonly logger: Logger;
  readonly timeouts: ConversationTimeouts;
  /** The time in milliseconds since 1970. */
  now(): number;
  /** The id under which a chat's data is kept. */
  chatId(id: number): number;
}

/** One conversation as an update, a tool or a timeout finds it. */
interface Place {
  readonly unit: UnitOfWork;
  readonly key: ConversationKey;
  readonly parties: ConversationParties;
}

/**
 * The state machine of a conversation handler: which handler gets an update, and what the state is after it. Each conversation's state is
 * a record that the update's unit of work owns from here on. `C` is what handlers get, `T` what those of `TIMEOUT` get.
 */
export class Conversation<C, T> implements Candidate<C> {
  readonly parts: ConversationParts<C, T>;
  readonly #host: ConversationHost;
  readonly #underWay = new CallbacksUnderWay((parties) => keyText(this.#key(parties)));

  constructor(parts: ConversationParts<C, T>, host: ConversationHost) {
    this.parts = parts;
    this.#host = host;
  }

  /**
   * Handles an update, if a handler takes it. What is returned is for the conversation in which this one is nested: what
   * `mapToParent` makes of the answer.
   */
  async take(occasion: Occasion<C>): Promise<Answer | undefined> {
    const { update, unit } = occasion;
    const parties = partiesOf(update, this.parts);
    if (parties === undefined) return undefined;
    const place = this.#place(unit, parties);
    if (this.#underWay.has(parties)) return this.#takeWaiting(occasion);
    const kept = await this.#open(place);
    // One may have begun while this waited for the record.
    if (this.#underWay.has(parties)) return this.#takeWaiting(occasion);
    const state = await this.#currentState(place, kept, occasion);
    const ends: (() => void)[] = [];
    try {
      const answer = await this.#try(state, occasion, (callback, block = this.parts.block) => {
        if (block) return inTurn(callback);
        ends.push(this.#underWay.begin(parties, unit));
        return withoutTurn(unit, callback);
      });
      return answer && (await this.#settle(parties, occasion, answer, state));
    } finally {
      for (const end of ends) end();
    }
  }

  /** Which record a conversation is; `undefined` where an id is missing. */
  keyOf(parties: ConversationParties): ConversationKey | undefined {
    return isComplete(parties, this.parts) ? this.#key(parties) : undefined;
  }

  /** The state of one conversation; `undefined` when there is none. */
  async stateOf(unit: UnitOfWork, parties: ConversationParties): Promise<unknown> {
    return (await this.#open(this.#place(unit, parties))).state;
  }

  /** Begins a conversation, or puts one in another state, as if a callback had returned it. */
  async setState(unit: UnitOfWork, parties: ConversationParties, state: unknown): Promise<void> {
    const place = this.#place(unit, parties);
    const kept = await this.#open(place);
    if (state === END) await this.#end(place, kept);
    else {
      this.#put(place, kept, state);
      await this.#extend(place, kept, kept.timeout?.update);
    }
  }

  /**
   * Ends a conversation because nothing was heard of it, if that is still wanted, once its `TIMEOUT` handlers have run: all that take the
   * last update (PTB statement 151). Without `makeContext` none does.
   */
  async timeOut(
    unit: UnitOfWork,
    { job, parties, due }: TimeoutData,
    makeContext: ((update: Update) => Promise<T>) | undefined,
  ): Promise<void> {
    const place = this.#place(unit, parties);
    const kept = await this.#open(place);
    const { timeout } = kept;
    if (timeout?.job !== job || timeout.due !== due) return;
    // Whoever is busy is not silent.
    if (this.#underWay.has(parties)) return this.#extend(place, kept, timeout.update);
    if (timeout.update !== undefined && makeContext !== undefined) {
      const occasion = { update: timeout.update, unit, ctx: await makeContext(timeout.update) };
      for (const candidate of this.parts.timeoutHandlers) await candidate.take(occasion, inTurn);
    }
    kept.end();
  }

  /** While a callback is under way, its conversation's updates are for these only. What they return is no state. */
  async #takeWaiting(occasion: Occasion<C>): Promise<Answer | undefined> {
    const answer = await firstOf(this.parts.states.get(WAITING), occasion, (callback, block = this.parts.block) =>
      block ? inTurn(callback) : withoutTurn(occasion.unit, callback),
    );
    return answer && { ...answer, value: undefined };
  }

  /** In PTB's order (statements 136, 137). */
  async #try(state: unknown, occasion: Occasion<C>, call: Call): Promise<Answer | undefined> {
    const { entryPoints, states, fallbacks, allowReentry } = this.parts;
    const isOpen = state !== undefined;
    return (
      (!isOpen || allowReentry ? await firstOf(entryPoints, occasion, call) : undefined) ??
      (isOpen ? await firstOf(states.get(state), occasion, call) : undefined) ??
      (isOpen ? await firstOf(fallbacks, occasion, call) : undefined)
    );
  }

  async #settle(
    parties: ConversationParties,
    { update, unit }: Occasion<C>,
    answer: Answer,
    before: unknown,
  ): Promise<Answer> {
    const nothing = { ...answer, value: undefined };
    const { mapToParent } = this.parts;
    // Opened again: where the callback had no turn, the record is another one now, and its chat may have moved.
    const place = this.#place(unit, parties);
    const kept = await this.#open(place);
    if (answer.isLate && !isSame(kept.state, before)) {
      this.#warn(`'${answer.by}' has ended when its conversation was in another state. What it returned is dropped.`);
      return nothing;
    }
    if (mapToParent?.has(answer.value) === true) {
      await this.#end(place, kept);
      return { ...answer, value: mapToParent.get(answer.value) };
    }
    const next = this.#next(answer);
    if (next === END) await this.#end(place, kept);
    else {
      if (next !== undefined) this.#put(place, kept, next);
      await this.#extend(place, kept, update);
    }
    return nothing;
  }

  /** The state that a callback has returned; `undefined` to stay. */
  #next({ value, by }: Answer): unknown {
    if (value === undefined || value === null || value === END || this.parts.states.has(value))
      return value ?? undefined;
    if (!isName(value)) return undefined;
    this.#warn(`'${by}' returned state ${value} which is unknown to the ConversationHandler ${this.parts.title}.`);
    return value;
  }

  /** The state that an update finds; `undefined` outside of a conversation. */
  async #currentState(place: Place, kept: KeptConversation, { ctx }: Occasion<C>): Promise<unknown> {
    const { version, migrate, states } = this.parts;
    if (kept.state !== undefined && migrate !== undefined && kept.version < version) {
      this.#put(place, kept, (await migrate(kept.state, kept.version)) ?? kept.state);
    }
    const { state } = kept;
    if (state === undefined) return this.#end(place, kept);
    return states.has(state) ? state : this.#staleState(place, kept, ctx);
  }

  async #staleState(place: Place, kept: KeptConversation, ctx: C): Promise<unknown> {
    const { onStaleState, title } = this.parts;
    const { state } = kept;
    if (onStaleState === "end") {
      const id = JSON.stringify(place.key.id);
      this.#warn(
        `The state ${JSON.stringify(state)} of ${id} is not among the states of ${title}. That conversation was ended.`,
      );
      return this.#end(place, kept);
    }
    const answer = (await onStaleState(state, ctx)) ?? undefined;
    if (answer === END) return this.#end(place, kept);
    if (answer !== undefined) this.#put(place, kept, answer);
    return kept.state;
  }

  #put({ parties }: Place, kept: KeptConversation, state: unknown): void {
    kept.put(state, this.parts.version, this.parts, parties);
  }

  async #end({ unit }: Place, kept: KeptConversation): Promise<undefined> {
    const { timeout } = kept;
    kept.end();
    if (timeout !== undefined) await unit.perform("timeout", () => this.#host.timeouts.remove(unit, timeout.job));
    return undefined;
  }

  /** From now on it has the full time again. */
  async #extend({ unit, key, parties }: Place, kept: KeptConversation, update: Update | undefined): Promise<void> {
    const { timeout: wanted, timeoutHandlers, perChat, perUser, perMessage } = this.parts;
    const { timeouts } = this.#host;
    const old = kept.timeout;
    if (kept.state === undefined) return;
    if (wanted === undefined) {
      if (old === undefined) return;
      kept.timeout = undefined;
      return unit.perform("timeout", () => timeouts.remove(unit, old.job));
    }
    const due = this.#host.now() + wanted;
    const job = old?.job ?? JSON.stringify([key.name, ...key.id]);
    const last = timeoutHandlers.length > 0 ? update : undefined;
    kept.timeout = { job, due, ...(last === undefined ? {} : { update: last }) };
    const own = {
      chat: perChat ? parties.chat : undefined,
      user: perUser ? parties.user : undefined,
      message: perMessage ? parties.message : undefined,
    };
    const timeout = { job, conversation: key.name, parties: own, due, at: due, ...lastPartiesOf(last) };
    await unit.perform("timeout", () => timeouts.put(unit, timeout));
  }

  #place(unit: UnitOfWork, parties: ConversationParties): Place {
    const current = this.#current(parties);
    return { unit, parties: current, key: this.#key(current) };
  }

  /** With the id that the chat has by now. */
  #current(parties: ConversationParties): ConversationParties {
    return parties.chat === undefined ? parties : { ...parties, chat: this.#host.chatId(parties.chat) };
  }

  #key(parties: ConversationParties): ConversationKey {
    return { kind: "conversation", name: this.parts.name, id: idOf(this.#current(parties), this.parts) };
  }

  async #open({ unit, key }: Place): Promise<KeptConversation> {
    return new KeptConversation(await unit.perform(this.parts.title, () => unit.open(key)));
  }

  #warn(message: string): void {
    this.#host.logger.warn(message);
  }
}

async function inTurn(callback: () => MaybePromise<unknown>): Promise<Omit<Answer, "by">> {
  return { value: await callback(), isLate: false };
}

async function withoutTurn(unit: UnitOfWork, callback: () => MaybePromise<unknown>): Promise<Omit<Answer, "by">> {
  return { value: await unit.withoutTurn(callback), isLate: true };
}

function lastPartiesOf(update: Update | undefined): Pick<TimeoutData, "last"> {
  if (update === undefined) return {};
  const { chatId: chat, userId: user } = scopesOf(update);
  return { last: { chat, user } };
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && stateText(a) === stateText(b));
}
