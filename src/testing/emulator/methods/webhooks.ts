import type { WebhookInfo } from "@grammyjs/types";
import { badRequest, conflict } from "../telegram-error.ts";
import { Webhook, type WebhookSettings } from "../world/webhook.ts";
import type { Call } from "./method.ts";
import type { Parameters } from "./parameters.ts";
import { chooseUpdates, clamp } from "./updates.ts";

/** "Defaults to 40", "1-100" (setWebhook, max_connections). */
const DEFAULT_CONNECTIONS = 40;
const MAX_CONNECTIONS = 100;

/** "1-256 characters" (setWebhook, secret_token). */
const MAX_SECRET = 256;

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** An empty URL deletes the webhook. A URL and settings as they are already disturb nothing that is under way. */
export function setWebhook(call: Call): true {
  const { world, bot, parameters } = call;
  const url = parameters.text("url") ?? "";
  if (url === "") return deleteWebhook(call);
  const settings: WebhookSettings = {
    url: checkUrl(url),
    secretToken: readSecret(parameters),
    maxConnections: clamp(parameters.integer("max_connections", DEFAULT_CONNECTIONS), 1, MAX_CONNECTIONS),
  };
  chooseUpdates(bot, parameters);
  const isDropping = parameters.boolean("drop_pending_updates");
  if (bot.webhook !== undefined && isSame(bot.webhook.settings, settings) && !isDropping) return true;
  bot.longPoll?.fail(conflict("terminated by setWebhook request"));
  bot.webhook?.close();
  if (isDropping) bot.queue.clear();
  bot.webhook = new Webhook(world, bot, settings);
  return true;
}

export function deleteWebhook({ bot, parameters }: Call): true {
  bot.webhook?.close();
  bot.webhook = undefined;
  if (parameters.boolean("drop_pending_updates")) bot.queue.clear();
  return true;
}

export function getWebhookInfo({ bot }: Call): WebhookInfo {
  const { webhook, queue, allowedUpdates } = bot;
  return {
    url: webhook?.settings.url ?? "",
    has_custom_certificate: false,
    pending_update_count: queue.size,
    ...(webhook !== undefined && { max_connections: webhook.settings.maxConnections }),
    ...(webhook?.lastError !== undefined && {
      last_error_date: webhook.lastError.date,
      last_error_message: webhook.lastError.message,
    }),
    ...(allowedUpdates.names !== undefined && { allowed_updates: [...allowedUpdates.names] }),
  } as WebhookInfo;
}

/** Unlike Telegram the emulator delivers to this machine, without encryption, and never anywhere else. */
function checkUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) throw badRequest("bad webhook: invalid webhook URL specified");
  if (parsed.protocol === "http:" && LOOPBACK.has(parsed.hostname)) return url;
  throw badRequest(
    `bad webhook: TelegramEmulator delivers to http://127.0.0.1, localhost or [::1] only, not to ${url}`,
  );
}

function readSecret(parameters: Parameters): string | undefined {
  const secret = parameters.text("secret_token") ?? "";
  if (secret.length > MAX_SECRET) throw badRequest("secret token is too long");
  if (!/^[\w-]*$/.test(secret)) throw badRequest("secret token contains unallowed characters");
  return secret === "" ? undefined : secret;
}

function isSame(a: WebhookSettings, b: WebhookSettings): boolean {
  return a.url === b.url && a.secretToken === b.secretToken && a.maxConnections === b.maxConnections;
}
