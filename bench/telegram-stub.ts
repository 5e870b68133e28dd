import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Update } from "@grammyjs/types";
import type { ApiClientOptions } from "grammy";
import type { Load } from "./load.ts";

interface RequestOptions {
  readonly signal?: AbortSignal;
  readonly body?: string;
}

/** What one process measured. */
export interface Figures {
  /** Microseconds per update. */
  readonly time: number;
  /** Microseconds of processor time per update, in the bot's process. */
  readonly cpu: number;
  /** The longest time that the event loop was held up, in milliseconds; 0 where nothing ever waited. */
  readonly stall: number;
}

/** What is done at the edges of the measuring. */
export interface Edges {
  /** Before the first measured update is delivered. */
  begin(): void;
}

/**
 * A Telegram without a network: a `fetch` for grammY that answers getUpdates with the next updates once those before them
 * have been handled, and everything else with `true`. What is measured is the bot, not HTTP. Counts how often each was handled.
 */
export class TelegramStub {
  readonly #load: Load;
  readonly #updates: readonly Update[];
  readonly #edges: Edges;
  readonly #times: Uint8Array;
  readonly #delay = monitorEventLoopDelay({ resolution: 1 });
  #delivered = 0;
  #handled = 0;
  #proceed = Promise.withResolvers<void>();
  #began = 0;
  #cpu = process.cpuUsage();
  readonly finished: Promise<void>;
  #finish: () => void;

  constructor(updates: readonly Update[], load: Load, edges: Edges = { begin() {} }) {
    this.#updates = updates;
    this.#load = load;
    this.#edges = edges;
    this.#times = new Uint8Array(updates.length);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
    this.#beginAfterWarmUp();
  }

  /** The chats that write. */
  get chatIds(): ReadonlySet<number> {
    return new Set(this.#updates.map(({ message }) => message?.chat.id ?? 0));
  }

  /** The next updates; none at the end. To be called when those before are handled. */
  take(): readonly Update[] {
    const batch = this.#updates.slice(this.#delivered, this.#delivered + this.#load.inFlight);
    this.#delivered += batch.length;
    this.#proceed = Promise.withResolvers();
    return batch;
  }

  /** To be called when everything about an update is done. */
  handled(updateId: number): void {
    const index = updateId - this.#load.firstId;
    this.#times[index] = (this.#times[index] ?? 0) + 1;
    this.#handled += 1;
    this.#beginAfterWarmUp();
    if (this.#handled === this.#delivered) this.#proceed.resolve();
    if (this.#handled === this.#updates.length) this.#finish();
  }

  /** To be called when the bot has stopped. Throws unless every update was handled exactly once. */
  figures(): Figures {
    const time = (performance.now() - this.#began) * 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#delay.disable();
    const wrong = this.#times.findIndex((times) => times !== 1);
    if (wrong >= 0) throw new Error(`Update ${this.#load.firstId + wrong} was handled ${this.#times[wrong]} times.`);
    const { updates } = this.#load;
    return { time: time / updates, cpu: (user + system) / updates, stall: this.#delay.max / 1e6 };
  }

  readonly fetch: NonNullable<ApiClientOptions["fetch"]> = (async (url: unknown, options: RequestOptions = {}) => {
    const result = String(url).endsWith("/getUpdates") ? await this.#getUpdates(options) : true;
    return { json: async () => ({ ok: true, result }) };
  }) as never;

  async #getUpdates(options: RequestOptions): Promise<readonly Update[]> {
    if (this.#handled < this.#delivered) await this.#proceed.promise;
    const batch = this.take();
    // The end: hold the line, as Telegram does for a call with a timeout.
    if (batch.length === 0 && options.body?.includes('"timeout"') === true) {
      const { signal } = options;
      if (signal?.aborted !== true) await new Promise((resolve) => signal?.addEventListener("abort", resolve));
    }
    return batch;
  }

  #beginAfterWarmUp(): void {
    if (this.#handled !== this.#load.warmUp) return;
    this.#edges.begin();
    this.#delay.enable();
    this.#cpu = process.cpuUsage();
    this.#began = performance.now();
  }
}

/** Who the bot is, so that it need not ask. */
export const ME: object = {
  id: 1,
  is_bot: true,
  first_name: "bench",
  username: "bench_bot",
  can_join_groups: true,
  can_read_all_group_messages: false,
  supports_inline_queries: false,
  can_connect_to_business: false,
  has_main_web_app: false,
};
