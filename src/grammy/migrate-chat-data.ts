import type { Message } from "@grammyjs/types";
import type { ChatAlias } from "../persistence/atomic-persistence.ts";

/** Which chat has another id: both ids, or the service message that announces it (Bot API, `Message.migrate_to_chat_id`). */
export type MigrateChatData =
  | { readonly from: number; readonly to: number; readonly message?: undefined }
  | { readonly message: Message; readonly from?: undefined; readonly to?: undefined };

/** The ids that are meant. Throws a `TypeError` for everything else, in PTB's words (statement 105). */
export function migrationOf({ from, to, message }: MigrateChatData): ChatAlias {
  if (message !== undefined) {
    if (from !== undefined || to !== undefined) throw new TypeError("Message and chat_id pair are mutually exclusive");
    return announced(message);
  }
  // 0 is no chat.
  if ((from ?? 0) === 0 && (to ?? 0) === 0) throw new TypeError("chat_id pair or message must be passed");
  if (!isId(from) || !isId(to)) throw new TypeError("old_chat_id and new_chat_id must be integers (from and to)");
  return { from, to };
}

function isId(id: number | undefined): id is number {
  return Number.isSafeInteger(id) && id !== 0;
}

function announced({ chat, migrate_from_chat_id: from, migrate_to_chat_id: to }: Message): ChatAlias {
  if (from === undefined && to === undefined) {
    throw new TypeError(
      "Invalid message instance. The message must have either `Message.migrate_from_chat_id` or `Message.migrate_to_chat_id`.",
    );
  }
  return { from: from ?? chat.id, to: to ?? chat.id };
}
