import type { Chat, Message } from "@grammyjs/types";
import { Inbox } from "./inbox.ts";
import type { BotAccount } from "./bot-account.ts";

/** What somebody is in a chat (Bot API, ChatMember). */
export type MemberStatus = "creator" | "administrator" | "member" | "left" | "kicked";

/**
 * A chat with its messages. A private chat is one room per bot, since two bots share no messages with one person.
 *
 * Messages are never changed in place: an edit stores a new object. So whoever holds a message holds it as it was.
 */
export class ChatRoom {
  readonly chat: Chat;
  readonly bots: Set<BotAccount> = new Set();
  /** User ids, without the bots. */
  readonly members: Set<number> = new Set();
  /** Of those who are more than members; by user or bot id. */
  readonly roles: Map<number, "creator" | "administrator"> = new Map();
  /** How those who were here once have gone; by user or bot id. */
  readonly former: Map<number, "left" | "kicked"> = new Map();
  /** The supergroup that this group has become, and the other way round. */
  migratedTo: ChatRoom | undefined;
  migratedFrom: ChatRoom | undefined;
  /** This side's service message about that, once it was sent. */
  migrationMessage: Message | undefined;
  /** What bots sent here and no test has read yet. */
  readonly replies: Inbox<Message> = new Inbox();
  /** What bots edited here and no test has read yet, as it was after the edit. */
  readonly edits: Inbox<Message> = new Inbox();
  readonly #messages = new Map<number, Message>();
  readonly #nextPrivateId: (() => number) | undefined;
  #lastId = 0;

  /** `nextMessageId` for private chats; other chats count for themselves. */
  constructor(chat: Chat, nextMessageId?: () => number) {
    this.chat = chat;
    this.#nextPrivateId = nextMessageId;
  }

  /** What a user or bot is here. */
  statusOf(id: number): MemberStatus {
    return this.isPresent(id) ? (this.roles.get(id) ?? "member") : (this.former.get(id) ?? "left");
  }

  isPresent(id: number): boolean {
    if (this.members.has(id)) return true;
    for (const bot of this.bots) if (bot.user.id === id) return true;
    return false;
  }

  /** The ids of the people, the owner first. */
  *people(): Generator<number> {
    for (const [id, role] of this.roles) if (role === "creator") yield id;
    for (const id of this.members) if (this.roles.get(id) !== "creator") yield id;
  }

  message(id: number): Message | undefined {
    return this.#messages.get(id);
  }

  /** Every message that is there now, by id. */
  messages(): Message[] {
    return [...this.#messages.values()].sort((a, b) => a.message_id - b.message_id);
  }

  add(content: Omit<Message, "message_id" | "chat">): Message {
    const message = { message_id: this.#nextId(), chat: this.chat, ...content } as Message;
    this.#messages.set(message.message_id, message);
    return message;
  }

  /** Stores a message that has its id already: an edited one, or one from a raw update. */
  put(message: Message): void {
    this.#messages.set(message.message_id, message);
    this.#lastId = Math.max(this.#lastId, message.message_id);
  }

  delete(id: number): boolean {
    return this.#messages.delete(id);
  }

  #nextId(): number {
    if (this.#nextPrivateId === undefined) {
      this.#lastId += 1;
      return this.#lastId;
    }
    let id = this.#nextPrivateId();
    while (this.#messages.has(id)) id = this.#nextPrivateId();
    return id;
  }
}
