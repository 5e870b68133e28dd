import type { BotCommand, UserFromGetMe } from "@grammyjs/types";
import { badRequest } from "../telegram-error.ts";
import type { Call } from "./method.ts";

/** "Pass an empty string to ..., 0-200 characters" (answerCallbackQuery, text). */
const MAX_ANSWER = 200;

export function getMe({ bot }: Call): UserFromGetMe {
  return bot.user;
}

export function setMyCommands(call: Call): true {
  const commands = call.parameters.json("commands", "commands");
  if (!Array.isArray(commands)) throw badRequest("can't parse commands list");
  call.bot.commands.set(audience(call), commands as BotCommand[]);
  return true;
}

export function getMyCommands(call: Call): BotCommand[] {
  return call.bot.commands.get(audience(call)) ?? [];
}

export function deleteMyCommands(call: Call): true {
  call.bot.commands.delete(audience(call));
  return true;
}

export function answerCallbackQuery({ world, bot, parameters }: Call): true {
  const text = parameters.text("text");
  if (text !== undefined && text.length > MAX_ANSWER) throw badRequest("MESSAGE_TOO_LONG");
  const url = parameters.text("url");
  const isOpen = world.callbackQueries.answer(parameters.text("callback_query_id") ?? "", bot.user.id, {
    ...(text !== undefined && text !== "" && { text }),
    show_alert: parameters.boolean("show_alert"),
    ...(url !== undefined && { url }),
    cache_time: parameters.integer("cache_time", 0),
  });
  if (!isOpen) throw badRequest("query is too old and response timeout expired or query ID is invalid");
  return true;
}

/** Whom a list of commands is for. */
function audience({ parameters }: Call): string {
  const scope = parameters.json("scope", "scope") ?? { type: "default" };
  return JSON.stringify([scope, parameters.text("language_code") ?? ""]);
}
