import { request, type ClientRequest, type IncomingMessage } from "node:http";
import type { Update } from "@grammyjs/types";
import type { BotAccount } from "../world/bot-account.ts";
import type { WebhookFault } from "../world/faults.ts";
import type { DeliveryResult, WebhookSettings } from "../world/webhook.ts";
import type { World } from "../world/world.ts";
import { carryOut } from "./bot-call.ts";
import { parseParameters, readBody } from "./request-body.ts";

/** What an answer to a delivery cannot call: as the official server, nothing that only makes sense with its result. */
const NOT_AS_REPLY = /^(get.*|setwebhook|deletewebhook|close|logout)$/i;

/** Seconds; the official server waits no longer, whatever is asked for. */
const MAX_RETRY_AFTER = 3600;

/** Takes updates to webhooks over HTTP, each on a connection of its own. */
export class WebhookCarrier {
  readonly #world: World;
  readonly #open = new Set<ClientRequest>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Cuts every delivery that is under way. */
  cutAll(): void {
    for (const call of this.#open) call.destroy(new Error("Connection reset by peer"));
  }

  /** Delivers one update. Never rejects. */
  async carry(
    bot: BotAccount,
    settings: WebhookSettings,
    update: Update,
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    if (this.#world.faults.isUnreachable) return { isConfirmed: false, error: "Connection refused" };
    const fault = this.#world.faults.forDelivery(bot.token)?.fault;
    const note = fault !== undefined && { fault: fault.kind };
    try {
      const response = await this.#post(bot, settings, update, signal, fault);
      const status = response.statusCode ?? 0;
      if (fault?.kind === "lostAcknowledgement") {
        response.destroy();
        return { isConfirmed: false, status, error: "Connection reset by peer", ...note };
      }
      return { ...(await this.#read(bot, response)), status, ...note };
    } catch (error) {
      return { isConfirmed: false, error: wording(error), ...note };
    }
  }

  /** Resolves with the answer's head. Its body, too, has to come before the timeout. */
  #post(
    bot: BotAccount,
    { url, secretToken }: WebhookSettings,
    update: Update,
    signal: AbortSignal,
    fault: WebhookFault | undefined,
  ): Promise<IncomingMessage> {
    const body = JSON.stringify(update);
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...(secretToken !== undefined && { "x-telegram-bot-api-secret-token": secretToken }),
    };
    return new Promise((resolve, reject) => {
      const call = request(url, { method: "POST", agent: false, headers, signal }, resolve);
      const patience = fault?.kind === "webhookTimeout" ? fault.milliseconds : this.#world.webhookTimeout;
      const stopTimer = this.#afterwards(patience, () => cutOnceSent(call));
      this.#open.add(call);
      call.once("socket", (socket) => socket.once("connect", () => bot.queue.countDelivery(update.update_id)));
      call.on("error", reject);
      call.once("close", () => {
        stopTimer();
        this.#open.delete(call);
      });
      call.end(body);
    });
  }

  /** At once for 0, also when the clock stands still. */
  #afterwards(milliseconds: number, listener: () => void): () => void {
    if (milliseconds > 0) return this.#world.clock.after(milliseconds, listener);
    listener();
    return () => {};
  }

  /** A 2xx confirms. What else it may say is carried out as a call, whose result nobody hears. */
  async #read(bot: BotAccount, response: IncomingMessage): Promise<DeliveryResult> {
    const body = await readBody(response);
    const { statusCode = 0, statusMessage, headers } = response;
    if (statusCode >= 200 && statusCode < 300) {
      this.#callBack(bot, body, headers["content-type"] ?? "");
      return { isConfirmed: true };
    }
    const seconds = Number.parseInt(headers["retry-after"] ?? "", 10);
    return {
      isConfirmed: false,
      error: `Wrong response from the webhook: ${statusCode} ${statusMessage ?? ""}`.trim(),
      ...(seconds > 0 && { retryAfter: Math.min(seconds, MAX_RETRY_AFTER) * 1000 }),
    };
  }

  #callBack({ token }: BotAccount, body: Buffer, contentType: string): void {
    const { method, ...parameters } = readReply(body, contentType);
    if (typeof method !== "string" || method === "" || NOT_AS_REPLY.test(method)) return;
    void carryOut(this.#world, { token, method, parameters, signal: new AbortController().signal });
  }
}

/** Telegram gives up, but not before the bot has had its chance to get the update. */
function cutOnceSent(call: ClientRequest): void {
  const cut = (): void => void call.destroy(new Error("Read timeout expired"));
  if (call.writableFinished) cut();
  else call.once("finish", cut);
}

/** Not every body is a call: "OK" is as good. */
function readReply(body: Buffer, contentType: string): Record<string, unknown> {
  try {
    return parseParameters(new URLSearchParams(), body, contentType);
  } catch {
    return {};
  }
}

function wording(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ABORT_ERR") return "The webhook was removed";
  if (code === "ECONNREFUSED") return "Connection refused";
  if (code === "ECONNRESET") return "Connection reset by peer";
  return message;
}
