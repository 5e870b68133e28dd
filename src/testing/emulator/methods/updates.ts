import type { Update } from "@grammyjs/types";
import { conflict } from "../telegram-error.ts";
import { LongPoll } from "../world/long-poll.ts";
import type { BotAccount } from "../world/bot-account.ts";
import type { Call } from "./method.ts";
import type { Parameters } from "./parameters.ts";

/** Seconds; the official server waits no longer, whatever is asked for. */
const MAX_TIMEOUT = 50;

const MAX_LIMIT = 100;

export function getUpdates({ world, bot, parameters, signal }: Call): Update[] | Promise<Update[]> {
  if (bot.webhook !== undefined) {
    throw conflict(
      "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
  }
  chooseUpdates(bot, parameters);
  const request = {
    offset: parameters.integer("offset", 0),
    limit: clamp(parameters.integer("limit", MAX_LIMIT), 1, MAX_LIMIT),
    timeout: clamp(parameters.integer("timeout", 0), 0, MAX_TIMEOUT),
  };
  const updates = bot.queue.take(request.offset, request.limit);
  return updates.length > 0 || request.timeout === 0 ? updates : LongPoll.wait(world.clock, bot, request, signal);
}

/** What `allowed_updates` says holds from now on; when it is missing nothing changes. */
export function chooseUpdates({ allowedUpdates }: BotAccount, parameters: Parameters): void {
  const allowed = parameters.json("allowed_updates", "allowed updates");
  if (Array.isArray(allowed)) allowedUpdates.choose(allowed.map(String));
}

export function clamp(value: number, lowest: number, highest: number): number {
  return Math.min(Math.max(value, lowest), highest);
}
