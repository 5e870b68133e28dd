import type { ApiClientOptions } from "grammy";
import type { Update } from "@grammyjs/types";

interface RequestOptions {
  readonly signal?: AbortSignal;
  readonly body?: string;
}

/**
 * A Telegram without a network: a `fetch` for grammY that answers getUpdates with the next batch once the last one has been
 * handled, and everything else with `true`. What is measured is the bot, not HTTP.
 */
export class TelegramStub {
  readonly #updates: Iterator<Update>;
  readonly #batch: number;
  readonly #total: number;
  #handled = 0;
  #awaited = 0;
  #proceed = Promise.withResolvers<void>();
  readonly finished: Promise<void>;
  #finish: () => void;

  constructor(updates: Iterable<Update>, total: number, batch: number) {
    this.#updates = updates[Symbol.iterator]();
    this.#batch = batch;
    this.#total = total;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
  }

  /** To be called by the bot at the end of each update's handling. */
  handled(): void {
    this.#handled += 1;
    if (this.#handled >= this.#awaited) this.#proceed.resolve();
    if (this.#handled >= this.#total) this.#finish();
  }

  readonly fetch: NonNullable<ApiClientOptions["fetch"]> = (async (url: unknown, options: RequestOptions = {}) => {
    const result = String(url).endsWith("/getUpdates") ? await this.#next(options) : true;
    return { json: async () => ({ ok: true, result }) };
  }) as never;

  async #next(options: RequestOptions): Promise<Update[]> {
    if (this.#handled < this.#awaited) await this.#proceed.promise;
    const batch: Update[] = [];
    while (batch.length < this.#batch) {
      const { value, done } = this.#updates.next() as IteratorResult<Update, undefined>;
      if (done === true) break;
      batch.push(value);
    }
    this.#awaited += batch.length;
    this.#proceed = Promise.withResolvers();
    // The end: hold the line, as Telegram does for a call with a timeout.
    if (batch.length === 0 && options.body?.includes('"timeout"') === true) {
      await new Promise((resolve) => options.signal?.addEventListener("abort", resolve));
    }
    return batch;
  }
}

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

/** Messages of `chats` private chats in turn, so that 64 of them in a row are of 64 different chats. */
export function* messages(count: number, chats: number, firstId = 1): Generator<Update> {
  for (let id = firstId; id < firstId + count; id += 1) {
    const chat = 1 + ((id * 7919) % chats);
    const from = { id: chat, is_bot: false, first_name: "Ann" };
    yield {
      update_id: id,
      message: { message_id: id, date: 0, text: "hello", from, chat: { id: chat, type: "private", first_name: "Ann" } },
    } as Update;
  }
}
