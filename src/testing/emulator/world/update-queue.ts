import type { Update } from "@grammyjs/types";

/** An update before it has its number. */
export type NewUpdate = Omit<Update, "update_id">;

interface Queued {
  readonly update: Update;
  readonly createdAt: number;
}

/** "Incoming updates are stored on the server until the bot receives them, but not longer than 24 hours." */
const LIFETIME = 24 * 60 * 60 * 1000;

/** TQueue of the official server: an offset further than this beyond the next id is ignored. */
const OFFSET_TOLERANCE = 10;

/**
 * One bot's unconfirmed updates (Bot API, getUpdates). An update stays until `take` is called with an offset above its
 * id, and is handed out again by every `take` until then.
 *
 * Kept as an array with a moving start, so that every operation costs what it hands out or removes, not what waits.
 */
export class UpdateQueue {
  readonly #clock: () => number;
  readonly #deliveries = new Map<number, number>();
  #entries: Queued[] = [];
  #head = 0;
  #nextId: number;
  #pushListener: (() => void) | undefined;
  #emptyListeners: (() => void)[] = [];

  constructor(clock: () => number, firstId: number) {
    this.#clock = clock;
    this.#nextId = firstId;
  }

  /** How many updates are unconfirmed. */
  get size(): number {
    return this.#entries.length - this.#head;
  }

  push(content: NewUpdate): Update {
    const update: Update = { update_id: this.#nextId, ...content };
    this.#nextId += 1;
    this.#entries.push({ update, createdAt: this.#clock() });
    this.#pushListener?.();
    return update;
  }

  /** Confirms what `offset` confirms, then hands out up to `limit` updates. */
  take(offset: number, limit: number): Update[] {
    this.#expire();
    if (offset < 0) this.#drop(this.size + offset);
    else if (offset <= this.#nextId + OFFSET_TOLERANCE) this.#confirmBelow(offset);
    const updates = this.#entries.slice(this.#head, this.#head + limit).map((entry) => entry.update);
    for (const { update_id } of updates) this.#deliveries.set(update_id, (this.#deliveries.get(update_id) ?? 0) + 1);
    return updates;
  }

  /** What is unconfirmed now, oldest first. */
  pending(): Update[] {
    this.#expire();
    return this.#entries.slice(this.#head).map((entry) => entry.update);
  }

  /** update_id to how often `take` handed it out. */
  deliveries(): ReadonlyMap<number, number> {
    return this.#deliveries;
  }

  clear(): void {
    this.#drop(this.size);
  }

  /**
   * Numbers the next update with `id`. Only an empty queue can start anew, as at Telegram, where it happens after a week
   * without updates.
   */
  restartIds(id: number): void {
    if (this.size > 0) throw new Error(`update ids can only start anew when nothing is unconfirmed (${this.size} are)`);
    this.#nextId = id;
  }

  /** The one listener that hears of new updates: the long poll that waits, later the webhook sender. */
  onPush(listener: (() => void) | undefined): void {
    this.#pushListener = listener;
  }

  /** Calls `listener` once when nothing is unconfirmed, at once if so now. Returns how to give up. */
  whenEmpty(listener: () => void): () => void {
    if (this.size === 0) {
      listener();
      return () => {};
    }
    this.#emptyListeners.push(listener);
    return () => {
      this.#emptyListeners = this.#emptyListeners.filter((other) => other !== listener);
    };
  }

  #expire(): void {
    const oldest = this.#clock() - LIFETIME;
    let count = 0;
    while ((this.#entries[this.#head + count]?.createdAt ?? Infinity) < oldest) count += 1;
    this.#drop(count);
  }

  #confirmBelow(offset: number): void {
    let count = 0;
    while ((this.#entries[this.#head + count]?.update.update_id ?? Infinity) < offset) count += 1;
    this.#drop(count);
  }

  #drop(count: number): void {
    if (count <= 0) return;
    this.#head += count;
    if (this.#head === this.#entries.length || (this.#head >= 1024 && this.#head * 2 >= this.#entries.length)) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    if (this.size === 0) for (const listener of this.#emptyListeners.splice(0)) listener();
  }
}
