import type { Chat, Message, User } from "@grammyjs/types";
import { kindOf } from "./update-kind.ts";
import type { NewUpdate } from "./update-queue.ts";

/** The fields by which most kinds of update say who and where. */
interface Content {
  readonly from?: User | undefined;
  readonly user?: User | undefined;
  readonly chat?: Chat | undefined;
  readonly message?: Message | undefined;
}

/** Who caused an update, and where. Either may be missing: a poll has neither. */
export function placeOf(update: NewUpdate): { user: User | undefined; chat: Chat | undefined } {
  const content = update[kindOf(update)] as Content;
  return { user: content.from ?? content.user, chat: content.chat ?? content.message?.chat };
}
