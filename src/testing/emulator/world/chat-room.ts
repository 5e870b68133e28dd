import type { Chat, Message } from "@grammyjs/types";
import { Inbox } from "./inbox.ts";
import type { BotAccount } from "./bot-account.ts";

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
