import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Control } from "../control/control.ts";
import type { World } from "../world/world.ts";
import { carryOut, type Outcome } from "./bot-call.ts";
import { answerControl } from "./control-call.ts";
import { parseParameters, readBody } from "./request-body.ts";
import { WebhookCarrier } from "./webhook-carrier.ts";

/** `/bot<token>/<method>` */
const BOT_PATH = /^\/bot([^/]+)\/([^/]+)$/;

/** `/emulator/<command>` */
const CONTROL_PATH = /^\/emulator\/([^/]+)$/;

/** The emulator's two faces over HTTP, on one loopback port: the Bot API and the control of the outside world. */
export class EmulatorServer {
  readonly #world: World;
  readonly #control: Control;
  readonly #server: Server;
  readonly #carrier: WebhookCarrier;
  readonly #botRequests = new Set<IncomingMessage>();

  constructor(world: World, control: Control) {
    this.#world = world;
    this.#control = control;
    this.#carrier = new WebhookCarrier(world);
    // Without a keep-alive timeout the server never closes a connection that a bot is about to use again.
    this.#server = createServer({ keepAliveTimeout: 0 }, (request, response) => void this.#handle(request, response));
    this.#server.on("clientError", (_error, socket) => socket.destroy());
    world.carrier = this.#carrier.carry.bind(this.#carrier);
    world.faults.onUnreachable(() => {
      this.#carrier.cutAll();
      for (const request of this.#botRequests) request.socket.destroy();
    });
  }

  /** Listens on 127.0.0.1. Port 0 takes any free one. Returns the URL. */
  listen(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.on("error", reject);
      this.#server.listen(port, "127.0.0.1", () => {
        resolve(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
      });
    });
  }

  /** Cuts every connection, and delivers nothing any more. May be called more than once. */
  close(): Promise<void> {
    for (const bot of this.#world.bots()) bot.webhook?.close();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => {});
    try {
      await this.#route(request, response);
    } catch (error) {
      answer(response, 400, { ok: false, error_code: 400, description: `Bad Request: ${String(error)}` });
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    const [, command] = CONTROL_PATH.exec(pathname) ?? [];
    if (command !== undefined) {
      const { status, body } = await answerControl(this.#control, command, request, goneSignal(response));
      return answer(response, status, body);
    }
    const [, token, method] = BOT_PATH.exec(pathname) ?? [];
    if (token === undefined || method === undefined) {
      return answer(response, 404, { ok: false, error_code: 404, description: "Not Found" });
    }
    return this.#answerBot(request, response, searchParams, decodeURIComponent(token), decodeURIComponent(method));
  }

  async #answerBot(
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
    token: string,
    method: string,
  ): Promise<void> {
    if (this.#world.faults.isUnreachable) return void request.socket.destroy();
    this.#botRequests.add(request);
    response.on("close", () => this.#botRequests.delete(request));
    const body = await readBody(request);
    const parameters = parseParameters(query, body, request.headers["content-type"] ?? "");
    const outcome = await carryOut(this.#world, { token, method, parameters, signal: goneSignal(response) });
    answerOutcome(response, outcome);
  }
}

function goneSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  response.on("close", () => controller.abort());
  return controller.signal;
}

function answerOutcome(response: ServerResponse, outcome: Outcome): void {
  if (outcome === "cut") return void response.socket?.destroy();
  if (outcome.ok) return answer(response, 200, outcome);
  const retryAfter = outcome.parameters?.retry_after;
  if (retryAfter !== undefined && !response.headersSent) response.setHeader("retry-after", retryAfter);
  answer(response, outcome.error_code, outcome);
}

function answer(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
