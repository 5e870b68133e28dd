import type { Duration } from "../../data/duration.ts";
import type { MaybePromise } from "../../data/maybe-promise.ts";
import type { TIMEOUT, WAITING } from "../../conversation/special-states.ts";
import type { AnyPersistentContext } from "../context.ts";
import type { End, Returned, StateHandlers, TimeoutHandlers } from "./handler.ts";

/** The keys of `states` that are no states. */
export type SpecialState = typeof TIMEOUT | typeof WAITING;

/** The states among the keys of `states`; any value where those are the methods of a map. */
export type StateIn<K> = Exclude<K, SpecialState> | ("forEach" extends K ? unknown : never);

/** The handlers of each state, and those of `TIMEOUT` and `WAITING`. `M` is what callbacks may return for `mapToParent`. */
export type States<C extends AnyPersistentContext, K extends PropertyKey, M> = {
  readonly [P in K]: P extends typeof TIMEOUT
    ? TimeoutHandlers<C>
    : P extends typeof WAITING
      ? StateHandlers<C, Returned>
      : StateHandlers<C, StateIn<NoInfer<K>> | NoInfer<M>>;
};

/** Options of a conversation: python-telegram-bot's, and four more. `K` are the keys of `states`, `M` those of `mapToParent`, `P` its values. */
export interface ConversationOptions<
  C extends AnyPersistentContext,
  K extends string | number,
  M extends string | number,
  P,
> extends CommonOptions<C, StateIn<NoInfer<K>>, NoInfer<M>> {
  /**
   * The handlers of each state, the first to be asked first. In a `Map`, states may be any plain values; they are compared by value, and
   * what callbacks return is not checked by the compiler.
   */
  states: States<C, K, M> | ReadonlyMap<unknown, StateHandlers<C, Returned>>;
  /**
   * For a nested conversation: what a callback returns that stands here ends it, and gives the conversation around it the value
   * that stands here as what its handler has returned. Looked at before `states`.
   */
  mapToParent?: { readonly [Q in M]: P } | undefined;
}

interface CommonOptions<C extends AnyPersistentContext, S, M> {
  /** The handlers that begin a conversation. */
  entryPoints: StateHandlers<C, S | M>;
  /** The handlers that are asked where none of the state takes the update. Default: none. */
  fallbacks?: StateHandlers<C, S | M> | undefined;
  /** Whether entry points are asked, and first, in the middle of a conversation too. Default `false`. */
  allowReentry?: boolean | undefined;
  /** Whether each chat has a conversation of its own. Default `true`. */
  perChat?: boolean | undefined;
  /** Whether each user has a conversation of their own. Default `true`. */
  perUser?: boolean | undefined;
  /** Whether each message with buttons has a conversation of its own. Then only presses of buttons are handled. Default `false`. */
  perMessage?: boolean | undefined;
  /**
   * After how much silence the conversation ends, counted anew from each update that it handles. Default, and 0: never. A bare number below 1000
   * is refused: it is likely to be meant as seconds.
   */
  conversationTimeout?: Duration | undefined;
  /** What its states are kept under. Needed if it is persistent; unique. */
  name?: string | undefined;
  /** Whether states and timeouts survive a restart. Default `false`. */
  persistent?: boolean | undefined;
  /** Whether the updates of its chat and its user wait while a callback runs. See {@link HandlerOptions.block}. Default `true`. */
  block?: boolean | undefined;
  /**
   * What becomes of a stored state that is not among `states`, for instance after a deploy: `"end"` (default) ends that conversation, with a
   * warning; a function answers the state to go on in, `END`, or nothing, to leave it to fallbacks and re-entry, as python-telegram-bot does.
   */
  onStaleState?: "end" | ((state: unknown, ctx: C) => MaybePromise<S | End | undefined | void>) | undefined;
  /** The version of `states`: raise it when you rename some, and let `migrate` bring up what is stored. Default 0. */
  version?: number | undefined;
  /** Gives the state of this version for one that was stored by an older one, whose version it is told; nothing leaves it. */
  migrate?: ((state: unknown, version: number) => MaybePromise<S | End | undefined | void>) | undefined;
}
