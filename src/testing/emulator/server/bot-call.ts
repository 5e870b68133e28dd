import { STATUS_CODES } from "node:http";
import type { ResponseParameters, Update } from "@grammyjs/types";
import { findMethod } from "../methods/table.ts";
import { Parameters } from "../methods/parameters.ts";
import { TelegramError } from "../telegram-error.ts";
import type { BotAccount } from "../world/bot-account.ts";
import type { CallFault, ErrorFault, FaultRule } from "../world/faults.ts";
import type { World } from "../world/world.ts";

/** A call as it comes over the wire. */
export interface BotRequest {
  readonly token: string;
  readonly method: string;
  readonly parameters: Record<string, unknown>;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

/** What the bot reads (Bot API, "Making requests"). */
type Answer =
  | { ok: true; result: unknown }
  | { ok: false; error_code: number; description: string; parameters?: ResponseParameters };

/** An answer, or a connection that is cut without one. */
export type Outcome = Answer | "cut";

/** Carries out one call, with whatever fault is set up for it. Never rejects. */
export async function carryOut(world: World, request: BotRequest): Promise<Outcome> {
  const bot = world.bot(request.token);
  if (bot === undefined) return refusal(unknownToken(request.token));
  const rule = world.faults.forCall(request.token, request.method);
  return rule === undefined ? perform(world, bot, request) : performFaulty(world, bot, request, rule);
}

async function performFaulty(
  world: World,
  bot: BotAccount,
  request: BotRequest,
  rule: FaultRule<CallFault>,
): Promise<Outcome> {
  const { fault } = rule;
  switch (fault.kind) {
    case "error":
      return note(world, bot, request, refusal(injected(fault)), rule);
    case "lostRequest":
      return cut(world, bot, request, rule);
    case "lostResponse":
      await perform(world, bot, request, rule);
      return "cut";
    case "delay":
      await pause(world, fault.milliseconds);
      return perform(world, bot, request, rule);
    case "hang":
      if (fault.afterEffect === true) await perform(world, bot, request, rule);
      else cut(world, bot, request, rule);
      await ended(rule, request.signal);
      return "cut";
  }
}

async function perform(
  world: World,
  bot: BotAccount,
  request: BotRequest,
  rule?: FaultRule<CallFault>,
): Promise<Answer> {
  const answer = await attempt(world, bot, request);
  return note(world, bot, request, answer, rule);
}

async function attempt(world: World, bot: BotAccount, { method, parameters, signal }: BotRequest): Promise<Answer> {
  try {
    const run = findMethod(method);
    return { ok: true, result: await run({ world, bot, parameters: new Parameters(parameters), signal }) };
  } catch (error) {
    return refusal(
      error instanceof TelegramError ? error : new TelegramError(500, `Internal Server Error: ${String(error)}`),
    );
  }
}

function note(world: World, bot: BotAccount, request: BotRequest, answer: Answer, rule?: FaultRule<CallFault>): Answer {
  const { method, parameters: payload } = request;
  world.transcript.add({
    type: "call",
    bot: bot.user.username,
    method,
    payload,
    chat: chatOf(payload),
    ok: answer.ok,
    ...(answer.ok
      ? { result: brief(method, answer.result) }
      : { error: { code: answer.error_code, description: answer.description } }),
    ...(rule !== undefined && { fault: rule.fault.kind }),
  });
  return answer;
}

function cut(world: World, bot: BotAccount, request: BotRequest, rule: FaultRule<CallFault>): "cut" {
  note(world, bot, request, refusal(new TelegramError(0, "no answer: the emulator had a fault set up")), rule);
  return "cut";
}

/** The updates are in the transcript already. */
function brief(method: string, result: unknown): unknown {
  return method.toLowerCase() === "getupdates" ? (result as Update[]).map(({ update_id }) => update_id) : result;
}

function chatOf(payload: Record<string, unknown>): number | undefined {
  const id = Number(payload["chat_id"] ?? Number.NaN);
  return Number.isSafeInteger(id) ? id : undefined;
}

function injected({ code, description, retryAfter }: ErrorFault): TelegramError {
  const wording = code === 429 ? `Too Many Requests: retry after ${retryAfter ?? 1}` : (STATUS_CODES[code] ?? "Error");
  const parameters = code === 429 ? { retry_after: retryAfter ?? 1 } : undefined;
  return new TelegramError(code, description ?? wording, parameters);
}

/** The official server tells apart what can be no token (404) and what is none (401). */
function unknownToken(token: string): TelegramError {
  return /^\d+:[\w-]+$/.test(token) ? new TelegramError(401, "Unauthorized") : new TelegramError(404, "Not Found");
}

function refusal({ code, message, parameters }: TelegramError): Answer {
  return { ok: false, error_code: code, description: message, ...(parameters !== undefined && { parameters }) };
}

function pause({ clock }: World, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(milliseconds, resolve);
  });
}

function ended(rule: FaultRule, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stopListening = rule.whenEnded(resolve);
    const giveUp = (): void => {
      stopListening();
      resolve();
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  });
}
