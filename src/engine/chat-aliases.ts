import type { Update } from "@grammyjs/types";
import type { ChatAlias } from "../persistence/atomic-persistence.ts";

/** The chats that have another id by now: a group gets one when it becomes a supergroup. */
export class ChatAliases {
  readonly #aliases = new Map<number, number>();

  /** The id under which this chat's data is kept. */
  resolve(chatId: number): number {
    const seen = new Set<number>();
    let id = chatId;
    for (let next = this.#aliases.get(id); next !== undefined && !seen.has(next); next = this.#aliases.get(id)) {
      seen.add(id);
      id = next;
    }
    return id;
  }

  add({ from, to }: ChatAlias): void {
    this.#aliases.set(from, to);
  }

  has(chatId: number): boolean {
    return this.#aliases.has(chatId);
  }
}

/**
 * The migration that an update announces. Telegram sends one service message in the old chat and one in the new chat, in
 * either order (Bot API, `Message.migrate_to_chat_id` and `Message.migrate_from_chat_id`).
 */
export function migrationOf(update: Update): ChatAlias | undefined {
  const message = update.message;
  if (message?.chat === undefined) return undefined;
  if (message.migrate_to_chat_id !== undefined) return { from: message.chat.id, to: message.migrate_to_chat_id };
  if (message.migrate_from_chat_id !== undefined) return { from: message.migrate_from_chat_id, to: message.chat.id };
  return undefined;
}
