import type { Update, WebhookInfo } from "@grammyjs/types";
import { conflict } from "../telegram-error.ts";
import { LongPoll } from "../world/long-poll.ts";
import type { Call } from "./method.ts";

/** Seconds; the official server waits no longer, whatever is asked for. */
const MAX_TIMEOUT = 50;

const MAX_LIMIT = 100;

export function getUpdates({ bot, parameters, signal }: Call): Update[] | Promise<Update[]> {
  if (bot.webhookUrl !== "") {
    throw conflict(
      "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
  }
  const allowed = parameters.json("allowed_updates", "allowed updates");
  if (Array.isArray(allowed)) bot.allowedUpdates.choose(allowed.map(String));
  const request = {
    offset: parameters.integer("offset", 0),
    limit: clamp(parameters.integer("limit", MAX_LIMIT), 1, MAX_LIMIT),
    timeout: clamp(parameters.integer("timeout", 0), 0, MAX_TIMEOUT),
  };
  const updates = bot.queue.take(request.offset, request.limit);
  return updates.length > 0 || request.timeout === 0 ? updates : LongPoll.wait(bot, request, signal);
}

export function deleteWebhook({ bot, parameters }: Call): true {
  bot.webhookUrl = "";
  if (parameters.boolean("drop_pending_updates")) bot.queue.clear();
  return true;
}

export function getWebhookInfo({ bot }: Call): WebhookInfo {
  const { names } = bot.allowedUpdates;
  return {
    url: bot.webhookUrl,
    has_custom_certificate: false,
    pending_update_count: bot.queue.pending().length,
    ...(names !== undefined && { allowed_updates: [...names] }),
  } as WebhookInfo;
}

function clamp(value: number, lowest: number, highest: number): number {
  return Math.min(Math.max(value, lowest), highest);
}
