import type { Update } from "@grammyjs/types";
import type { KeptRecord } from "../data/record.ts";
import type { ChatAlias } from "../persistence/atomic-persistence.ts";

/** The chats that have another id by now: a group gets one when it becomes a supergroup. */
export class ChatAliases {
  readonly #aliases = new Map<number, number>();
  /** The other way round: the ids that each of them had. */
  readonly #former = new Map<number, number[]>();

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

  /** The ids under which something may be found that belongs to this chat: its own, and those that it had. */
  idsOf(chatId: number): readonly number[] {
    const ids = new Set([chatId]);
    for (const id of ids) for (const former of this.#former.get(id) ?? []) ids.add(former);
    return [...ids];
  }

  /**
   * Records as they are to be found now. What was given to a chat while that moved may still have its old id: who gives it has no turn
   * for that chat, and may commit after the migration.
   */
  current(records: readonly (KeptRecord | undefined)[]): readonly (KeptRecord | undefined)[] {
    return records.some((record) => record?.chatId !== undefined && this.has(record.chatId))
      ? records.map((record) => record && this.#current(record))
      : records;
  }

  add({ from, to }: ChatAlias): void {
    this.#aliases.set(from, to);
    this.#former.set(to, [...(this.#former.get(to) ?? []), from]);
  }

  has(chatId: number): boolean {
    return this.#aliases.has(chatId);
  }

  #current(record: KeptRecord): KeptRecord {
    return record.chatId === undefined ? record : { ...record, chatId: this.resolve(record.chatId) };
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
