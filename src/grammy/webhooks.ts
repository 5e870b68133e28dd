import { webhookCallback, type Bot, type Context } from "grammy";
import type { LifeCycle } from "./life-cycle.ts";
import type { Replay } from "./replay.ts";
import type { UpdateDispatcher } from "./update-dispatcher.ts";

/** Options of `app.webhookCallback`. */
export interface AppWebhookOptions {
  /**
   * When Telegram is answered: `"accepted"` (default), as soon as the update is in the inbox, while its handlers run on;
   * `"done"`, after the commit, for platforms that freeze a process once it has answered.
   */
  acknowledge?: "accepted" | "done" | undefined;
  /** What the header `X-Telegram-Bot-Api-Secret-Token` must say. Requests without it get 401. */
  secretToken?: string | undefined;
  /**
   * With `"done"`: after how many milliseconds of handling Telegram is answered all the same; the update is in the inbox,
   * and its handlers run on. Default 50 000.
   */
  timeoutMilliseconds?: number | undefined;
}

/** What a webhook needs of the application. */
export interface WebhookParts<C extends Context> {
  readonly lifeCycle: LifeCycle;
  readonly replay: Replay<C>;
  readonly dispatcher: UpdateDispatcher<C>;
}

/** Telegram waits for 60 seconds. */
const ANSWER_WITHIN = 50_000;

type Callback = ReturnType<typeof webhookCallback>;

/** grammY's callback for a web framework, answering when `acknowledge` says, and never before the update is durable. */
export function makeWebhookCallback<C extends Context>(
  bot: Bot<C>,
  adapter: Parameters<typeof webhookCallback>[1],
  options: AppWebhookOptions,
  { lifeCycle, replay, dispatcher }: WebhookParts<C>,
): Callback {
  const { acknowledge = "accepted", secretToken, timeoutMilliseconds = ANSWER_WITHIN } = options;
  const isAwaited = acknowledge === "done";
  // The callback sees a bot with another way of handling an update. Everything else is the bot's own.
  const front = Object.create(bot) as Bot<C>;
  front.handleUpdate = async (update) => {
    const lifetime = lifeCycle.open(false);
    const engine = await lifetime.opened();
    const free = await engine.inbox.accept([update], [lifetime.stopping]);
    // It was left to the replay, which nobody may have begun: `drop_pending_updates` makes one necessary.
    if (engine.inbox.isReplaying) replay.begin();
    const work = Promise.all(free.map((each) => dispatcher.dispatchAlone(each, { isAwaited })));
    if (isAwaited) await within(timeoutMilliseconds, work);
    await engine.inbox.sync([lifetime.stopping]);
  };
  const token = secretToken === undefined ? {} : { secretToken };
  // Its own time limit would answer before the update is durable.
  return webhookCallback(front, adapter, { timeoutMilliseconds: Infinity, ...token }) as Callback;
}

async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
  await Promise.race([work, expired]);
  clearTimeout(timer);
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
