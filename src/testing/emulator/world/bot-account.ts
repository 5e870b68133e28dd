import type { BotCommand, Update, User, UserFromGetMe } from "@grammyjs/types";
import type { ChatRoom } from "./chat-room.ts";
import type { LongPoll } from "./long-poll.ts";
import { AllowedUpdates, kindOf } from "./update-kind.ts";
import type { NewUpdate, UpdateQueue } from "./update-queue.ts";
import type { Webhook } from "./webhook.ts";

/** What @BotFather is told when a bot is made. */
export interface NewBot {
  /** Without "@"; ends in "bot" at Telegram, not checked here. */
  username: string;
  /** Default: the username. */
  firstName?: string | undefined;
  /** A positive number. Default: chosen by the emulator. */
  id?: number | undefined;
  /** Default: chosen by the emulator. The part before ":" must be the id. */
  token?: string | undefined;
}

/** A bot's account at Telegram: who it is, and everything that Telegram keeps for it. */
export class BotAccount {
  readonly token: string;
  readonly user: UserFromGetMe;
  /** As others see it. */
  readonly publicUser: User;
  readonly queue: UpdateQueue;
  readonly allowedUpdates: AllowedUpdates = new AllowedUpdates();
  /** By the other party's user id. */
  readonly privateRooms: Map<number, ChatRoom> = new Map();
  /** By scope and language. */
  readonly commands: Map<string, BotCommand[]> = new Map();
  /** Where updates go to while getUpdates is refused. */
  webhook: Webhook | undefined;
  #longPoll: LongPoll | undefined;
  #pollListeners: (() => void)[] = [];
  #lastPrivateMessageId = 0;

  constructor(user: UserFromGetMe, token: string, queue: UpdateQueue) {
    this.user = user;
    this.publicUser = { id: user.id, is_bot: true, first_name: user.first_name, username: user.username };
    this.token = token;
    this.queue = queue;
  }

  /** The getUpdates call that waits now. */
  get longPoll(): LongPoll | undefined {
    return this.#longPoll;
  }

  set longPoll(poll: LongPoll | undefined) {
    this.#longPoll = poll;
    if (poll !== undefined) for (const listener of this.#pollListeners.splice(0)) listener();
  }

  /** Calls `listener` when a getUpdates call waits, at once if one does. Returns how to give up. */
  whenPolling(listener: () => void): () => void {
    if (this.#longPoll !== undefined) {
      listener();
      return () => {};
    }
    this.#pollListeners.push(listener);
    return () => {
      this.#pollListeners = this.#pollListeners.filter((other) => other !== listener);
    };
  }

  /** Message ids of private chats count per account, not per chat. */
  nextPrivateMessageId = (): number => {
    this.#lastPrivateMessageId += 1;
    return this.#lastPrivateMessageId;
  };

  /** Queues an update; `undefined` when the bot did not ask for this kind. */
  receive(content: NewUpdate): Update | undefined {
    return this.allowedUpdates.has(kindOf(content)) ? this.queue.push(content) : undefined;
  }
}

export function describeBot({ username, firstName = username }: NewBot, id: number): UserFromGetMe {
  return {
    id,
    is_bot: true,
    first_name: firstName,
    username,
    can_join_groups: true,
    can_read_all_group_messages: true,
    supports_guest_queries: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    can_manage_bots: false,
    supports_join_request_queries: false,
  };
}
