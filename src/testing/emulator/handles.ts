import type { Chat, Message, User } from "@grammyjs/types";
import type { ControlConnection, Place, Timeout } from "./control/commands.ts";
import type { CallbackAnswer } from "./world/callback-queries.ts";
import type { MigrationOrder } from "./world/migration.ts";
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

/** A user, or a bot as `createBot` gives it. */
export interface Identified {
  readonly id: number;
}

/** Who did it. */
export interface By {
  /**
   * Default: of a user who comes, the user; otherwise the group's owner, or the first of its other people. Rejects when
   * there is none.
   */
  by?: Identified | undefined;
}

/** How a group becomes a supergroup. */
export interface MigrateOptions {
  /** The order of the two service messages, "oldFirst" by default; with "manual" only `announceMigration` sends them. */
  announce?: MigrationOrder | undefined;
  /** The supergroup's id, below -1000000000000. Default: chosen by the emulator. */
  id?: number | undefined;
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

  /** Leaves the group. Its bots get `chat_member` and a service message, with which this resolves. */
  async leave(group: EmulatedGroup): Promise<Message> {
    return group.remove(this, { by: this });
  }

  /** From now on the bot's messages to this user are refused with 403. The bot gets `my_chat_member`. */
  async block(bot: string): Promise<void> {
    await this.#connection.call("block", { user: this.id, bot, isBlocked: true });
  }

  /** Takes `block` back. The bot gets `my_chat_member`. */
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

  /**
   * Takes a user or a bot into the group: its bots get `chat_member`, if they asked for it, or about themselves
   * `my_chat_member`, and then the service message with which this resolves. Rejects if the member is there already.
   */
  async add(member: Identified, { by }: By = {}): Promise<Message> {
    return this.#connection.call("addMember", { chat: this.id, member: member.id, by: by?.id });
  }

  /**
   * Puts a user or a bot out of the group, as `add` the other way round. Who is removed from a supergroup is banned
   * ("kicked"), who leaves (`by` the member) has "left". Rejects if the member is not there.
   */
  async remove(member: Identified, { by }: By = {}): Promise<Message> {
    return this.#connection.call("removeMember", { chat: this.id, member: member.id, by: by?.id });
  }

  /** Makes a member an administrator. The bots get `chat_member`, or about themselves `my_chat_member`. */
  async promote(member: Identified, { by }: By = {}): Promise<void> {
    await this.#connection.call("setRole", { chat: this.id, member: member.id, by: by?.id, role: "administrator" });
  }

  /** Takes `promote` back. */
  async demote(member: Identified, { by }: By = {}): Promise<void> {
    await this.#connection.call("setRole", { chat: this.id, member: member.id, by: by?.id, role: "member" });
  }

  /**
   * Upgrades the group to a supergroup, which it resolves with: title, people, bots and roles go along, messages do not.
   * From now on bots that write to the group are told the new id (400). Rejects for what is a supergroup already.
   */
  async migrate({ announce, id }: MigrateOptions = {}): Promise<EmulatedGroup> {
    return new EmulatedGroup(this.#connection, await this.#connection.call("migrate", { chat: this.id, announce, id }));
  }

  /**
   * Sends the service message about a migration: in the group that was, `migrate_to_chat_id`; in the supergroup that it
   * has become, `migrate_from_chat_id`. When it was sent already, the same message comes once more, as another update.
   * Rejects if nothing has migrated.
   */
  async announceMigration(): Promise<Message> {
    return this.#connection.call("announceMigration", { chat: this.id });
  }
}
