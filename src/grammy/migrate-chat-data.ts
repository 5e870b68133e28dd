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
  if (from === undefined && to === undefined) throw new TypeError("chat_id pair or message must be passed");
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) {
    throw new TypeError("old_chat_id and new_chat_id must be integers (from and to)");
  }
  return { from, to } as ChatAlias;
}

function announced({ chat, migrate_from_chat_id: from, migrate_to_chat_id: to }: Message): ChatAlias {
  if (from === undefined && to === undefined) {
    throw new TypeError(
      "Invalid message instance. The message must have either `Message.migrate_from_chat_id` or `Message.migrate_to_chat_id`.",
    );
  }
  return { from: from ?? chat.id, to: to ?? chat.id };
}
