import type { Composer, Context } from "grammy";
import type { END } from "../../conversation/special-states.ts";
import type { AnyPersistentContext, KeptOf, PersistentContext } from "../context.ts";

/**
 * What a callback may return: the next state; `END`; nothing, or `null`, to stay in the state. Everything else, such as the message
 * that `ctx.reply` resolves with, is no state and is ignored.
 */
export type Returned = string | number | boolean | object | null | undefined | void;

/**
 * A handler of a conversation: of an entry point, a state or a fallback. The builders `command`, `on`, `hears`, `callbackQuery`
 * and `filter` make them; any object with these members is one.
 *
 * `C` is the context that it needs, `R` what its callback may return.
 */
export interface Handler<in C extends Context, out R> {
  /** Whether it takes the update: any answer but `undefined`, `null` and `false`. The first handler that does is the only one. */
  check(ctx: C): unknown;
  /** Handles the update. `match` is what `check` has answered. */
  callback(ctx: C, match: never): R | Promise<R>;
  /** Whether others of its chat and its user wait while the callback runs. Default: the conversation's `block`. */
  readonly block?: boolean | undefined;
  /** The kinds of updates that it can take, such as `["message"]`; unknown if absent. Conversations warn where it never could. */
  readonly updates?: readonly string[] | undefined;
}

/** Options of the builders of handlers. */
export interface HandlerOptions {
  /**
   * `false`: the callback gives up its turn, so that updates of its chat and its user go on while it runs (those of its
   * conversation to the handlers of `WAITING`). In it `ctx.chatData` and its like throw; use `app.transaction`. Its update stays in the inbox
   * until it has ended. Default: the conversation's `block`, which is `true` by default.
   */
  block?: boolean | undefined;
}

/** What a callback may return beside a state: it stays in the state. */
export type Ignored = boolean | object | null | undefined | void;

/** A conversation as a handler of another one: `R` is what its `mapToParent` may give. */
export interface NestedConversation<in C extends Context, out R> {
  /** Carries the types only. */
  readonly "~nests"?: ((ctx: C) => R) | undefined;
  /** The name that it is kept under. */
  readonly name: string | undefined;
  /** Whether its states survive a restart. */
  readonly persistent: boolean;
}

/** Handlers of entry points, of a state, or fallbacks, the first to be asked first. */
export type StateHandlers<C extends Context, S> = readonly (
  | Handler<C, S | End | Ignored>
  | NestedConversation<C, S | End | Ignored>
  | Composer<C>
)[];

/** What handlers of `TIMEOUT` get: the last update's context anew, without the flavors of plugins. */
export type TimeoutContext<C extends AnyPersistentContext> = PersistentContext<Context, NonNullable<KeptOf<C>>>;

/** Handlers of `TIMEOUT`: all that take the last update run. */
export type TimeoutHandlers<C extends AnyPersistentContext> = readonly Handler<TimeoutContext<C>, Returned>[];

/** What ends a conversation. */
export type End = typeof END;
