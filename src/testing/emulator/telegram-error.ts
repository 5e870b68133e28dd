import type { ResponseParameters } from "@grammyjs/types";

/** A Bot API method's refusal, as Telegram words it (Bot API, "Making requests"). */
export class TelegramError extends Error {
  readonly code: number;
  readonly parameters: ResponseParameters | undefined;

  constructor(code: number, description: string, parameters?: ResponseParameters) {
    super(description);
    this.name = "TelegramError";
    this.code = code;
    this.parameters = parameters;
  }
}

/** 400, "Bad Request: ...". */
export function badRequest(reason: string): TelegramError {
  return new TelegramError(400, `Bad Request: ${reason}`);
}

/** 403, "Forbidden: ...". */
export function forbidden(reason: string): TelegramError {
  return new TelegramError(403, `Forbidden: ${reason}`);
}

/** 409, "Conflict: ...". */
export function conflict(reason: string): TelegramError {
  return new TelegramError(409, `Conflict: ${reason}`);
}
