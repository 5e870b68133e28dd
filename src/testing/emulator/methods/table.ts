import type { ApiMethods } from "@grammyjs/types";
import { TelegramError } from "../telegram-error.ts";
import { answerCallbackQuery, deleteMyCommands, getMe, getMyCommands, setMyCommands } from "./account.ts";
import {
  getChat,
  getChatAdministrators,
  getChatMember,
  getChatMemberCount,
  leaveChat,
  sendChatAction,
} from "./chats.ts";
import {
  deleteMessage,
  deleteMessages,
  editMessageCaption,
  editMessageReplyMarkup,
  editMessageText,
} from "./editing.ts";
import type { Method } from "./method.ts";
import { copyMessage, forwardMessage, sendDocument, sendMessage, sendPhoto } from "./sending.ts";
import { getUpdates } from "./updates.ts";
import { deleteWebhook, getWebhookInfo, setWebhook } from "./webhooks.ts";

/** Every Bot API method that the emulator has. */
const METHODS: { readonly [M in keyof ApiMethods<unknown>]?: Method } = {
  answerCallbackQuery,
  copyMessage,
  deleteMessage,
  deleteMessages,
  deleteMyCommands,
  deleteWebhook,
  editMessageCaption,
  editMessageReplyMarkup,
  editMessageText,
  forwardMessage,
  getChat,
  getChatAdministrators,
  getChatMember,
  getChatMemberCount,
  getMe,
  getMyCommands,
  getUpdates,
  getWebhookInfo,
  leaveChat,
  sendChatAction,
  sendDocument,
  sendMessage,
  sendPhoto,
  setMyCommands,
  setWebhook,
};

const BY_LOWER_CASE: ReadonlyMap<string, Method> = new Map(
  Object.entries(METHODS as Record<string, Method>).map(([name, method]) => [name.toLowerCase(), method]),
);

/** "All methods in the Bot API are case-insensitive." */
export function findMethod(name: string): Method {
  const method = BY_LOWER_CASE.get(name.toLowerCase());
  if (method !== undefined) return method;
  throw new TelegramError(404, `Not Found: TelegramEmulator does not implement ${name} yet, if Telegram has it at all`);
}
