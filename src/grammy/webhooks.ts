import type { Update } from "@grammyjs/types";
import { webhookCallback, type Bot, type Context } from "grammy";

/** Options of `app.webhookCallback`. */
export interface AppWebhookOptions {
  /**
   * When Telegram is answered: `"accepted"` (default), as soon as the update is in the inbox, while its handlers run on;
   * `"done"`, after the commit, for platforms that freeze a process once it has answered.
   */
  acknowledge?: "accepted" | "done" | undefined;
  /** What the header `X-Telegram-Bot-Api-Secret-Token` must say. Requests without it get 401. */
  secretToken?: string | undefined;
  /** With `"done"`: after how many milliseconds Telegram is answered all the same. The handlers run on. Default 50 000. */
  timeoutMilliseconds?: number | undefined;
}

/** Telegram waits for 60 seconds. */
const ANSWER_WITHIN = 50_000;

type Callback = ReturnType<typeof webhookCallback>;

/** grammY's callback for a web framework, answering when `acknowledge` says. `accept` resolves when an update is durable. */
export function makeWebhookCallback<C extends Context>(
  bot: Bot<C>,
  adapter: Parameters<typeof webhookCallback>[1],
  options: AppWebhookOptions,
  accept: (update: Update) => Promise<void>,
): Callback {
  const { acknowledge = "accepted", secretToken, timeoutMilliseconds = ANSWER_WITHIN } = options;
  // The callback sees a bot whose way of handling an update is to accept it. Everything else is the bot's own.
  const front = Object.create(bot) as Bot<C>;
  if (acknowledge === "accepted") front.handleUpdate = accept;
  const token = secretToken === undefined ? {} : { secretToken };
  // The update is in the inbox by then, so an early answer loses nothing.
  return webhookCallback(front, adapter, { onTimeout: "return", timeoutMilliseconds, ...token }) as Callback;
}

/**
 * Calls `begin` when grammY's own `webhookCallback(bot)` is made: it replaces `bot.start`, and there is nothing else that
 * it does at once. So what an earlier run left in the inbox goes on before the first request.
 */
export function onWebhookCallback<C extends Context>(bot: Bot<C>, begin: () => void): void {
  // oxlint-disable-next-line typescript/unbound-method -- it is called as bot.start() all the same
  let start = bot.start;
  Object.defineProperty(bot, "start", {
    configurable: true,
    enumerable: false,
    get: () => start,
    set(replacement: typeof start) {
      start = replacement;
      begin();
    },
  });
}
