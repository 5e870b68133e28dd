import { badRequest } from "../telegram-error.ts";

/**
 * A call's parameters, whichever way they came: as JSON values, or as text from a query string or a form. Telegram
 * reads both alike: `chat_id: 123` and `chat_id=123`, an object and its JSON text.
 */
export class Parameters {
  readonly raw: Readonly<Record<string, unknown>>;

  constructor(raw: Readonly<Record<string, unknown>>) {
    this.raw = raw;
  }

  /** The value as text; `undefined` when missing or null. */
  text(name: string): string | undefined {
    const value = this.raw[name];
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" ? value : JSON.stringify(value);
  }

  /** `fallback` when missing or not a number. */
  integer(name: string, fallback: number): number {
    const value = Number.parseInt(this.text(name) ?? "", 10);
    return Number.isSafeInteger(value) ? value : fallback;
  }

  /** Telegram takes "true", "yes" and "1" for true, everything else for false. */
  boolean(name: string): boolean {
    return ["true", "yes", "1"].includes(this.text(name)?.trim().toLowerCase() ?? "");
  }

  /** An object or a list. `what` names it in the error for text that is no JSON. */
  json(name: string, what: string): unknown {
    const value = this.raw[name];
    if (typeof value !== "string") return value ?? undefined;
    if (value === "") return undefined;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      throw badRequest(`can't parse ${what} JSON object`);
    }
  }
}

/** Whether a parsed value is an object with fields. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
