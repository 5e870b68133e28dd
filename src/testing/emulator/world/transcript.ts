import type { Update } from "@grammyjs/types";
import type { FaultKind } from "./faults.ts";
import type { UpdateKind } from "./update-kind.ts";

/** An update came into being for a bot. */
export interface UpdateEntry {
  type: "update";
  /** Counts every entry from 0, also those that the transcript has dropped. */
  index: number;
  /** Milliseconds since 1970. */
  at: number;
  /** The bot's username. */
  bot: string;
  kind: UpdateKind;
  /** Where it happened. `undefined` for what belongs to no chat. */
  chat?: number | undefined;
  /** Who caused it. */
  user?: number | undefined;
  /** Missing when the bot has not asked for this kind of update, and never gets it. */
  updateId?: number | undefined;
  update: Omit<Update, "update_id">;
}

/** A bot called a method, and the call is over. */
export interface CallEntry {
  type: "call";
  index: number;
  at: number;
  bot: string;
  method: string;
  /** The parameters as the bot sent them. */
  payload: Record<string, unknown>;
  /** The call's `chat_id`, if it is a number. */
  chat?: number | undefined;
  /** Whether Telegram did what the call asked for. */
  ok: boolean;
  /** What the call returned. Of getUpdates only the update ids. */
  result?: unknown;
  /** What Telegram refused with; code 0 when a fault kept the call from happening. */
  error?: { code: number; description: string } | undefined;
  /** The fault that hit this call. After "lostResponse" `ok` is true and the bot knows nothing of it. */
  fault?: FaultKind | undefined;
}

/** An attempt to deliver an update by webhook is over. */
export interface DeliveryEntry {
  type: "delivery";
  index: number;
  at: number;
  bot: string;
  updateId: number;
  /** Counts the attempts from 1. It starts anew when the webhook is set anew. */
  attempt: number;
  chat?: number | undefined;
  user?: number | undefined;
  /** Whether Telegram knows that the bot has the update. If not, it will deliver it again. */
  ok: boolean;
  /** The HTTP status that the bot answered with, if it did. */
  status?: number | undefined;
  /** What went wrong, as in getWebhookInfo's `last_error_message`. */
  error?: string | undefined;
  /** The fault that hit this delivery. */
  fault?: FaultKind | undefined;
}

/** One thing that happened, either side. */
export type TranscriptEntry = UpdateEntry | CallEntry | DeliveryEntry;

/** Which entries. Everything that is given must match. */
export interface TranscriptFilter {
  type?: TranscriptEntry["type"] | undefined;
  /** A bot's token. */
  bot?: string | undefined;
  /** A method's name; only calls have one. */
  method?: string | undefined;
  /** A kind of update; only updates have one. */
  kind?: UpdateKind | undefined;
  chat?: number | undefined;
  user?: number | undefined;
  /** The lowest index. */
  from?: number | undefined;
}

type WithoutPlace<E> = E extends TranscriptEntry ? Omit<E, "index" | "at"> : never;

/** Everything that happened, oldest first, up to a limit. */
export class Transcript {
  readonly #clock: () => number;
  readonly #limit: number;
  #entries: TranscriptEntry[] = [];
  #head = 0;
  #count = 0;

  constructor(clock: () => number, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  add(entry: WithoutPlace<TranscriptEntry>): void {
    this.#entries.push({ ...entry, index: this.#count, at: this.#clock() });
    this.#count += 1;
    this.#forget();
  }

  /** `bot` is a username here. */
  entries(filter: TranscriptFilter = {}): TranscriptEntry[] {
    const entries: TranscriptEntry[] = [];
    const oldest = this.#count - this.#entries.length;
    for (let place = Math.max(this.#head, (filter.from ?? 0) - oldest); place < this.#entries.length; place += 1) {
      const entry = this.#entries[place] as TranscriptEntry;
      if (matches(entry, filter)) entries.push(entry);
    }
    return entries;
  }

  tail(count: number): TranscriptEntry[] {
    return this.#entries.slice(Math.max(this.#head, this.#entries.length - count));
  }

  #forget(): void {
    if (this.#entries.length - this.#head <= this.#limit) return;
    this.#head += 1;
    if (this.#head < 1024 || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}

function matches(entry: TranscriptEntry, filter: TranscriptFilter): boolean {
  const fields: { method?: string; kind?: UpdateKind; user?: number | undefined } = entry;
  return (
    (filter.type === undefined || entry.type === filter.type) &&
    (filter.bot === undefined || entry.bot === filter.bot) &&
    (filter.method === undefined || fields.method?.toLowerCase() === filter.method.toLowerCase()) &&
    (filter.kind === undefined || fields.kind === filter.kind) &&
    (filter.chat === undefined || entry.chat === filter.chat) &&
    (filter.user === undefined || fields.user === filter.user) &&
    (filter.from === undefined || entry.index >= filter.from)
  );
}
