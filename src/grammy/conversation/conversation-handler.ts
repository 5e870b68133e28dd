import type { MiddlewareFn, MiddlewareObj } from "grammy";
import type { ConversationParties } from "../../conversation/conversation-id.ts";
import type { Conversation } from "../../conversation/conversation.ts";
import type { UnitOfWork } from "../../engine/unit-of-work.ts";
import type { TransactionKeys } from "../../engine/assignments.ts";
import { END } from "../../conversation/special-states.ts";
import { PerdureError } from "../../errors.ts";
import { boundIn, type AnyPersistentContext } from "../context.ts";
import type { End, NestedConversation, TimeoutContext } from "./handler.ts";

/** What a conversation handler needs of its application. */
export interface HandlerHost {
  readonly application: unknown;
  /** Does something in the unit of work that the caller is a handler of, or as one of its own with these turns. */
  join<T>(name: string, keys: TransactionKeys, work: (unit: UnitOfWork) => Promise<T>): Promise<T>;
}

/** What a conversation handler is set to, with defaults. */
export interface ConversationSettings {
  readonly allowReentry: boolean;
  readonly perChat: boolean;
  readonly perUser: boolean;
  readonly perMessage: boolean;
  readonly block: boolean;
  /** In milliseconds; `undefined` for never. */
  readonly conversationTimeout: number | undefined;
  readonly version: number;
}

/**
 * A conversation in steps, made by `app.conversation(options)`. It is middleware: `bot.use(handler)`. What it handles does not go on to what comes
 * after it; every other update does. `S` are its states, `P` is what it may give a conversation around it (PTB statements 129 to 165).
 *
 * A state is a record of the update's unit of work: it is committed with everything else that the update changes, or not at all.
 */
export class ConversationHandler<C extends AnyPersistentContext, S, P = never>
  implements MiddlewareObj<C>, NestedConversation<C, P>
{
  /** Carries the types only. */
  declare readonly "~nests"?: ((ctx: C) => P) | undefined;
  readonly name: string | undefined;
  readonly persistent: boolean;
  /** What it is set to. Frozen. */
  readonly settings: ConversationSettings;
  readonly #conversation: Conversation<C, TimeoutContext<C>>;
  readonly #host: HandlerHost;

  /** To be made by `app.conversation`. */
  constructor(
    conversation: Conversation<C, TimeoutContext<C>>,
    { name, persistent }: { name: string | undefined; persistent: boolean },
    host: HandlerHost,
  ) {
    const { allowReentry, perChat, perUser, perMessage, block, timeout, version } = conversation.parts;
    this.name = name;
    this.persistent = persistent;
    this.settings = { allowReentry, perChat, perUser, perMessage, block, conversationTimeout: timeout, version };
    this.#conversation = conversation;
    this.#host = host;
    Object.freeze(this.settings);
    Object.freeze(this);
  }

  /** The conversation behind a handler of this application; `undefined` for whatever is no such handler. */
  static conversationOf<C extends AnyPersistentContext>(
    handler: unknown,
    host: HandlerHost,
  ): Conversation<C, TimeoutContext<C>> | undefined {
    if (!(handler instanceof ConversationHandler)) return undefined;
    if (handler.#host !== host) throw foreign();
    return (handler as ConversationHandler<C, unknown, unknown>).#conversation;
  }

  /** What `bot.use` takes. */
  middleware(): MiddlewareFn<C> {
    return async (ctx, next) => {
      const bound = boundIn(ctx);
      if (bound === undefined || bound.application !== this.#host.application) throw foreign();
      const answer = await this.#conversation.take({ update: ctx.update, unit: bound.unit, ctx });
      if (answer === undefined) await next();
    };
  }

  /**
   * The state of one conversation; `undefined` when there is none. A state that an older version of the code has stored is given as it is.
   *
   * In a handler, and in `app.transaction`, this and the two below belong to that unit of work, which owns the conversation from then on; elsewhere each
   * is a unit of its own, in the turns of that chat and that user. They reject with a `TypeError` where an id is missing.
   */
  stateOf(parties: ConversationParties): Promise<S | undefined> {
    return this.#join(
      "stateOf",
      parties,
      async (unit) => (await this.#conversation.stateOf(unit, parties)) as S | undefined,
    );
  }

  /** Puts a conversation in a state, or begins one, as if a callback had returned that; its timeout begins anew. */
  setState(parties: ConversationParties, state: S | End): Promise<void> {
    return this.#join("setState", parties, (unit) => this.#conversation.setState(unit, parties, state));
  }

  /** Ends a conversation, if there is one. */
  end(parties: ConversationParties): Promise<void> {
    return this.#join("end", parties, (unit) => this.#conversation.setState(unit, parties, END));
  }

  #join<R>(what: string, { chat, user }: ConversationParties, work: (unit: UnitOfWork) => Promise<R>): Promise<R> {
    const keys = { chats: chat === undefined ? [] : [chat], users: user === undefined ? [] : [user] };
    return this.#host.join(`${this.#conversation.parts.title}.${what}`, keys, work);
  }
}

function foreign(): PerdureError {
  return new PerdureError(
    "PERDURE_INVALID_OPTION",
    "A conversation was used with another application or bot than the one whose app.conversation(...) has made it.",
  );
}
