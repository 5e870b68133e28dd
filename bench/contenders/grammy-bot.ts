import { run, sequentialize } from "@grammyjs/runner";
import { Bot, session, type Context, type SessionFlavor, type StorageAdapter } from "grammy";
import type { Update } from "@grammyjs/types";
import { ME, type TelegramStub } from "../telegram-stub.ts";
import { newRecord, type Counted, type Setting } from "./contender.ts";

/** A context with one session per chat and one per user. */
export type SessionContext = Context & SessionFlavor<{ chat: Counted; user: Counted }>;

/** A bot whose Telegram is the stub, which hears of every update's end. */
export function newBot<C extends Context>(stub: TelegramStub): Bot<C> {
  const bot = new Bot<C>("1:x", { botInfo: ME as never, client: { fetch: stub.fetch } });
  const handle = bot.handleUpdate.bind(bot);
  bot.handleUpdate = async (update: Update) => {
    await handle(update);
    stub.handled(update.update_id);
  };
  return bot;
}

/** Handles one update after the other, with grammY's own loop. */
export async function startUntilFinished(bot: Bot<never>, stub: TelegramStub): Promise<void> {
  const running = bot.start();
  await stub.finished;
  await bot.stop();
  await running;
}

/**
 * grammY's multi session on this storage. With several updates in flight it runs as grammY advises: with the runner, and
 * `sequentialize` for the chat and the user, without which updates of one chat would overwrite each other.
 */
export async function runSessions(
  stub: TelegramStub,
  setting: Setting,
  storage: StorageAdapter<Counted>,
): Promise<void> {
  const bot = newBot<SessionContext>(stub);
  const isConcurrent = setting.inFlight > 1;
  if (isConcurrent) bot.use(sequentialize((ctx) => [chatKey(ctx.chat?.id ?? 0), userKey(ctx.from?.id ?? 0)]));
  addSessions(bot, storage, setting);
  if (!isConcurrent) return startUntilFinished(bot as never, stub);
  const runner = run(bot);
  await stub.finished;
  await runner.stop();
}

/** The sessions, and the handler that touches them. */
export function addSessions(bot: Bot<SessionContext>, storage: StorageAdapter<Counted>, { touch }: Setting): void {
  bot.use(
    session<{ chat: Counted; user: Counted }, SessionContext>({
      type: "multi",
      chat: { storage, initial: newRecord, getSessionKey: (ctx) => chatKey(ctx.chat?.id ?? 0) },
      user: { storage, initial: newRecord, getSessionKey: (ctx) => userKey(ctx.from?.id ?? 0) },
    }),
  );
  let read = 0;
  bot.on("message", (ctx) => {
    if (touch === "both") ctx.session.user.n += 1;
    if (touch === "both" || touch === "chat") ctx.session.chat.n += 1;
    if (touch === "read") read += ctx.session.chat.n + ctx.session.user.n;
  });
}

export function chatKey(id: number): string {
  return `chat-${id}`;
}

export function userKey(id: number): string {
  return `user-${id}`;
}
