import type { Update } from "@grammyjs/types";
import type { Action } from "../handler/action.ts";
import type { SentUpdate } from "../reference/kept.ts";

/** An update at Telegram: what it says, whom it is about, and what the bot's handlers do when they get it. */
export interface TelegramUpdate extends SentUpdate {
  readonly update: Update;
  readonly actions: readonly Action[];
  /** Is in what its handlers write. */
  readonly token: number;
}

/** What an update is made of, without its id. */
export type Content = Pick<TelegramUpdate, "chat" | "user" | "migration" | "actions">;

/** Telegram's side: updates wait here until the bot confirms them. */
export class Telegram {
  #queue: TelegramUpdate[] = [];
  #delivered = new Set<TelegramUpdate>();
  readonly #all: TelegramUpdate[] = [];
  #nextId = 100;

  /** Somebody does something. */
  send(content: Content): void {
    const id = this.#nextId;
    this.#nextId += 1;
    const token = this.#all.length + 1;
    const update = { update_id: id, ...contentOf(content, token) } as unknown as Update;
    const sent = { ...content, id, update, token, text: JSON.stringify(update) };
    this.#all.push(sent);
    this.#queue.push(sent);
  }

  /** Delivers an update once more, whatever the bot has said. `which` counts back from the newest. */
  sendAgain(which: number): void {
    const again = this.#all.at(-1 - which);
    if (again === undefined || this.#queue.some(({ id }) => id === again.id)) return;
    // Since ids start anew, it may be another's by now.
    if (this.#all.findLast(({ id }) => id === again.id) !== again) return;
    this.#delivered.delete(again);
    this.#queue.push(again);
  }

  /** Update ids start anew, below or above the old ones. */
  restartIds(by: number): void {
    this.#nextId += by;
  }

  /** An answer to getUpdates. An offset confirms what was delivered up to the id before it. */
  getUpdates(
    offset: number,
    limit: number,
  ): { confirmed: readonly TelegramUpdate[]; updates: readonly TelegramUpdate[] } {
    const last = this.#queue.findLastIndex((sent) => sent.id === offset - 1 && this.#delivered.has(sent));
    const confirmed = this.#queue.splice(0, last + 1);
    const updates = this.#queue.slice(0, limit);
    for (const sent of updates) this.#delivered.add(sent);
    return { confirmed, updates };
  }

  /** The first updates of different chats: what goes out to webhooks at the same time. */
  get atWebhook(): readonly TelegramUpdate[] {
    const chats = new Set<number | undefined>();
    return this.#queue.filter(({ chat, user }) => {
      const place = chat ?? user;
      const isFirst = place === undefined || !chats.has(place);
      chats.add(place);
      return isFirst;
    });
  }

  /** A webhook has answered 200. */
  confirm(sent: TelegramUpdate): void {
    this.#queue = this.#queue.filter((other) => other !== sent);
  }

  /** The update with this text. */
  find(text: string): TelegramUpdate | undefined {
    return this.#all.find((sent) => sent.text === text);
  }

  dropAll(): void {
    this.#queue = [];
  }

  get waiting(): number {
    return this.#queue.length;
  }
}

function contentOf({ chat, user, migration }: Content, token: number): object {
  const from = user === undefined ? undefined : { id: user, is_bot: false, first_name: "Ann" };
  if (chat === undefined)
    return user === undefined ? { poll: { id: `${token}` } } : { inline_query: { id: `${token}`, from } };
  const message = {
    message_id: token,
    date: 0,
    chat: { id: chat, type: "group", title: "" },
    ...announcement(chat, migration),
  };
  return from === undefined ? { channel_post: message } : { message: { ...message, from } };
}

function announcement(chat: number, migration: Content["migration"]): object {
  if (migration === undefined) return {};
  return chat === migration.from ? { migrate_to_chat_id: migration.to } : { migrate_from_chat_id: migration.from };
}
