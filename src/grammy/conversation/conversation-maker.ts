import type { Update } from "@grammyjs/types";
import { Context, type Bot } from "grammy";
import type { Candidate } from "../../conversation/candidate.ts";
import type { TimeoutData } from "../../conversation/conversation-timeouts.ts";
import { Conversation, type ConversationHost } from "../../conversation/conversation.ts";
import { Conversations } from "../../conversation/conversations.ts";
import { TimeoutJobs } from "../../conversation/timeout-jobs.ts";
import type { ConversationKey, RecordKey } from "../../data/record.ts";
import type { Logger } from "../../engine/logger.ts";
import type { UnitOfWork } from "../../engine/unit-of-work.ts";
import { PerdureError } from "../../errors.ts";
import type { JobDefinitions } from "../../jobs/job-definitions.ts";
import { bindUnit, type AnyPersistentContext } from "../context.ts";
import { ConversationHandler, type HandlerHost } from "./conversation-handler.ts";
import type { TimeoutContext } from "./handler.ts";
import { resolveConversation, type UncheckedOptions } from "./resolve-conversation.ts";
import { setUpWarnings } from "./set-up-warnings.ts";

const DAY = 24 * 60 * 60 * 1000;

/** What conversations need of the engine, which need not be open. */
export interface EngineOfConversations extends Pick<HandlerHost, "join"> {
  /** Whether updates may have come already. */
  isInitialized(): boolean;
  /** The time in milliseconds since 1970. */
  now(): number;
  /** The id under which a chat's data is kept. */
  chatId(id: number): number;
}

/** What makes conversations needs of the application. */
export interface ConversationMakerHost<C extends AnyPersistentContext> extends HandlerHost, EngineOfConversations {
  readonly bot: Bot<C>;
  readonly logger: Logger;
}

/** Makes the conversations of an application, and ends those whose timeouts are due. */
export class ConversationMaker<C extends AnyPersistentContext> {
  readonly #host: ConversationMakerHost<C> & ConversationHost;
  readonly #conversations = new Conversations<C, TimeoutContext<C>>();

  /** Defines the job of timeouts. */
  constructor(host: ConversationMakerHost<C>, jobs: JobDefinitions) {
    const timeouts = new TimeoutJobs(
      jobs,
      (...run) => this.#timeOut(...run),
      (data) => this.#keyOf(data),
    );
    this.#host = { ...host, timeouts };
  }

  /** Throws `PERDURE_INVALID_OPTION`, and warns of what cannot work. */
  make<S, P>(options: UncheckedOptions): ConversationHandler<C, S, P> {
    const { logger } = this.#host;
    const { parts, isPersistent, handlers } = resolveConversation<C, TimeoutContext<C>>(
      options,
      () => this.#conversations.nextName(),
      (handler, place) => this.#nested(handler, place, options),
    );
    const conversation = new Conversation(parts, this.#host);
    this.#conversations.add(conversation, { isPersistent });
    for (const warning of setUpWarnings(parts, handlers as never))
      logger.warn(`Conversation ${parts.title}: ${warning}`);
    if (parts.timeoutHandlers.length > 0 && parts.timeout === undefined) {
      logger.warn(
        `Conversation ${parts.title}: it has handlers of TIMEOUT and no conversationTimeout, so they never run.`,
      );
    }
    if (isPersistent && this.#host.isInitialized()) {
      logger.warn(
        `Conversation ${parts.title}: a persistent conversation was made after the application was initialized. This is discouraged: updates ` +
          "that came before have passed it by.",
      );
    }
    return new ConversationHandler(conversation, { name: options.name, persistent: isPersistent }, this.#host);
  }

  /** Whether a record lives in memory only. */
  isTransient(key: RecordKey): boolean {
    return this.#conversations.isTransient(key);
  }

  /** The record that a timeout is about; `undefined` where the code that made it is gone. */
  #keyOf({ conversation, parties }: TimeoutData): ConversationKey | undefined {
    return this.#conversations.get(conversation)?.keyOf(parties);
  }

  /** Runs one timeout. At a second attempt its handlers have failed, and the conversation ends without them (PTB statement 152). */
  async #timeOut(unit: UnitOfWork, data: TimeoutData, attempt: number): Promise<void> {
    const conversation = this.#conversations.get(data.conversation);
    if (conversation === undefined) return this.#putOff(unit, data);
    const makeContext = (update: Update): Promise<TimeoutContext<C>> => this.#contextOf(update, unit);
    await conversation.timeOut(unit, data, attempt === 1 ? makeContext : undefined);
  }

  #nested(handler: unknown, place: string, parent: UncheckedOptions): Candidate<C> | undefined {
    const conversation = ConversationHandler.conversationOf<C>(handler, this.#host);
    const { name, persistent } = (handler ?? {}) as { name?: string; persistent?: boolean };
    if (conversation === undefined || parent.persistent !== true || persistent === true) return conversation;
    throw new PerdureError(
      "PERDURE_INVALID_OPTION",
      `${place} of the persistent conversation "${parent.name}" has the conversation ${name ?? "without a name"} in it, which is not persistent: after a restart ` +
        "the one would be within the other, which has forgotten that. Make it persistent, with a name of its own.",
    );
  }

  /** The code that made it is gone, and may come back. */
  async #putOff(unit: UnitOfWork, data: TimeoutData): Promise<void> {
    const { conversation: name, parties } = data;
    // The states of one without a name have ended with the process.
    if (this.#conversations.isUnnamed(name)) return;
    const chat = parties.chat === undefined ? undefined : this.#host.chatId(parties.chat);
    const id = [chat, parties.user, parties.message].filter((part) => part !== undefined);
    const kept = await unit.open({ kind: "conversation", name, id });
    if (kept.current === undefined) return;
    const { logger, timeouts } = this.#host;
    logger.warn(
      `${name}.${JSON.stringify(id)} is to time out, and no conversation has this name. It is tried again in a day.`,
    );
    await timeouts.put(unit, { ...data, at: this.#host.now() + DAY });
  }

  async #contextOf(update: Update, unit: UnitOfWork): Promise<TimeoutContext<C>> {
    const { bot, application } = this.#host;
    await bot.init();
    const ctx = new Context(update, bot.api, bot.botInfo);
    bindUnit(ctx, unit, application);
    return ctx as TimeoutContext<C>;
  }
}
