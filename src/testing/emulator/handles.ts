import type { Chat, Message, User } from "@grammyjs/types";
import type { ControlConnection, Place, Timeout } from "./control/commands.ts";
import type { CallbackAnswer } from "./world/callback-queries.ts";
import type { ButtonChoice, MessageContent } from "./world/people.ts";

/** What a message must have so that it can be replied to, pressed or edited. */
export interface MessageReference {
  readonly message_id: number;
  readonly chat: { readonly id: number };
  readonly from?: { readonly id: number; readonly is_bot: boolean } | undefined;
}

/** Which of several bots a private chat is with. */
export interface WithBot {
  /** A bot's token. Default: the bot that the user was created with, or the only one there is. */
  bot?: string | undefined;
}

/** Where and how a user writes. */
export interface SendOptions extends WithBot {
  /** Default: the private chat with the bot. */
  chat?: EmulatedGroup | undefined;
  /** A message of the same chat. */
  replyTo?: { readonly message_id: number } | undefined;
}

/** A press of a button, under way to the bot. */
export class Press {
  /** The callback query's id. */
  readonly id: string;
  readonly #connection: ControlConnection;

  constructor(connection: ControlConnection, id: string) {
    this.#connection = connection;
    this.id = id;
  }

  /** Waits for the bot's answerCallbackQuery (5000 ms by default) and returns what it showed. Rejects after that. */
  async answer({ timeout }: Timeout = {}): Promise<CallbackAnswer> {
    return this.#connection.call("pressAnswer", { id: this.id, timeout });
  }
}

/** Someone who uses Telegram. */
export class EmulatedUser {
  /** Also the id of the private chats. */
  readonly id: number;
  /** As bots see this user. */
  readonly user: User;
  readonly #connection: ControlConnection;
  readonly #bot: string | undefined;

  constructor(connection: ControlConnection, user: User, bot: string | undefined) {
    this.#connection = connection;
    this.user = user;
    this.id = user.id;
    this.#bot = bot;
  }

  /**
   * Writes text, or a message with any other content, such as `{ contact: ... }`. Commands, mentions, hashtags and
   * addresses in text become entities. Resolves with the message once the update waits for the bot.
   */
  async send(content: string | MessageContent, { chat, replyTo, bot }: SendOptions = {}): Promise<Message> {
    const place = { chat: chat?.id ?? this.id, bot: bot ?? this.#bot };
    return this.#connection.call("send", { ...place, user: this.id, content, replyTo: replyTo?.message_id });
  }

  /** Changes the text of a message of this user. */
  async edit(message: MessageReference, text: string, options: WithBot = {}): Promise<Message> {
    const place = { chat: message.chat.id, bot: options.bot ?? this.#bot };
    return this.#connection.call("edit", { ...place, user: this.id, message: message.message_id, text });
  }

  /**
   * Presses an inline button: by its text, by its place counted from 0, or by data, which the keyboard need not have.
   * Resolves once the callback query waits for the bot. Rejects, naming the buttons, if there is no such button.
   */
  async press(message: MessageReference, choice: ButtonChoice): Promise<Press> {
    const place = { chat: message.chat.id, bot: message.from?.id };
    const { id } = await this.#connection.call("press", {
      ...place,
      user: this.id,
      message: message.message_id,
      choice,
    });
    return new Press(this.#connection, id);
  }

  /**
   * The oldest message that the bot sent to the private chat and that nobody has read with this method, now or when it
   * comes: the message as it was sent. Rejects after `timeout` (5000 ms by default) with what happened instead.
   */
  async nextReply({ timeout, bot }: Timeout & WithBot = {}): Promise<Message> {
    return this.#connection.call("nextReply", { ...this.#place(bot), timeout });
  }

  /** As `nextReply`, of the messages that the bot edited: the message as it was after the edit. */
  async nextEdit({ timeout, bot }: Timeout & WithBot = {}): Promise<Message> {
    return this.#connection.call("nextEdit", { ...this.#place(bot), timeout });
  }

  /** What is in the private chat now, oldest first. */
  async messages({ bot }: WithBot = {}): Promise<Message[]> {
    return this.#connection.call("messages", this.#place(bot));
  }

  /** From now on the bot's messages to this user are refused with 403. */
  async block(bot: string): Promise<void> {
    await this.#connection.call("block", { user: this.id, bot, isBlocked: true });
  }

  /** Takes `block` back. */
  async unblock(bot: string): Promise<void> {
    await this.#connection.call("block", { user: this.id, bot, isBlocked: false });
  }

  #place(bot: string | undefined): Place {
    return { chat: this.id, bot: bot ?? this.#bot };
  }
}

/** A group or supergroup. */
export class EmulatedGroup {
  readonly id: number;
  readonly chat: Chat;
  readonly #connection: ControlConnection;

  constructor(connection: ControlConnection, chat: Chat) {
    this.#connection = connection;
    this.chat = chat;
    this.id = chat.id;
  }

  /** As of a user, for this group. */
  async nextReply({ timeout }: Timeout = {}): Promise<Message> {
    return this.#connection.call("nextReply", { chat: this.id, timeout });
  }

  /** As of a user, for this group. */
  async nextEdit({ timeout }: Timeout = {}): Promise<Message> {
    return this.#connection.call("nextEdit", { chat: this.id, timeout });
  }

  /** What is in the group now, oldest first. */
  async messages(): Promise<Message[]> {
    return this.#connection.call("messages", { chat: this.id });
  }
}
