import type { Update } from "@grammyjs/types";

/** An update before it has its number. */
export type NewUpdate = Omit<Update, "update_id">;

/** A link of the chain, oldest first. */
interface Queued {
  readonly update: Update;
  readonly createdAt: number;
  previous: Queued | undefined;
  next: Queued | undefined;
}

/** "Incoming updates are stored on the server until the bot receives them, but not longer than 24 hours." */
const LIFETIME = 24 * 60 * 60 * 1000;

/** TQueue of the official server: an offset further than this beyond the next id is ignored. */
const OFFSET_TOLERANCE = 10;

/** Of so many updates at least it stays known how often they were handed out, of twice as many at most. */
const DELIVERIES_KEPT = 100_000;

/**
 * One bot's unconfirmed updates (Bot API, getUpdates). An update stays until `take` is called with an offset above its
 * id, or until `confirm` is, and is handed out again until then.
 *
 * Kept as a chain, so that every operation costs what it hands out or removes, not what waits.
 */
export class UpdateQueue {
  readonly #clock: () => number;
  readonly #queued = new Map<number, Queued>();
  #first: Queued | undefined;
  #last: Queued | undefined;
  #deliveries = new Map<number, number>();
  #nextId: number;
  #pushListener: ((update: Update) => void) | undefined;
  #emptyListeners: (() => void)[] = [];

  constructor(clock: () => number, firstId: number) {
    this.#clock = clock;
    this.#nextId = firstId;
  }

  /** How many updates are unconfirmed. */
  get size(): number {
    this.#expire();
    return this.#queued.size;
  }

  push(content: NewUpdate): Update {
    const update: Update = { update_id: this.#nextId, ...content };
    this.#nextId += 1;
    const queued: Queued = { update, createdAt: this.#clock(), previous: this.#last, next: undefined };
    if (this.#last === undefined) this.#first = queued;
    else this.#last.next = queued;
    this.#last = queued;
    this.#queued.set(update.update_id, queued);
    this.#pushListener?.(update);
    return update;
  }

  /** Confirms what `offset` confirms, then hands out up to `limit` updates. */
  take(offset: number, limit: number): Update[] {
    this.#expire();
    if (offset < 0) this.#drop(this.#queued.size + offset);
    else if (offset <= this.#nextId + OFFSET_TOLERANCE) this.#dropWhile(({ update }) => update.update_id < offset);
    const updates = this.#walk(limit);
    for (const { update_id } of updates) this.countDelivery(update_id);
    return updates;
  }

  /** Whether the update is unconfirmed. */
  has(updateId: number): boolean {
    this.#expire();
    return this.#queued.has(updateId);
  }

  /** Confirms one update, wherever it stands. */
  confirm(updateId: number): void {
    const queued = this.#queued.get(updateId);
    if (queued !== undefined) this.#remove(queued);
  }

  /** What is unconfirmed now, oldest first. */
  pending(): Update[] {
    this.#expire();
    return this.#walk(Infinity);
  }

  /** Notes that the update was handed out once more. */
  countDelivery(updateId: number): void {
    this.#deliveries.set(updateId, (this.#deliveries.get(updateId) ?? 0) + 1);
    if (this.#deliveries.size < 2 * DELIVERIES_KEPT) return;
    this.#deliveries = new Map([...this.#deliveries].slice(-DELIVERIES_KEPT));
  }

  /** update_id to how often it was handed out. */
  deliveries(): ReadonlyMap<number, number> {
    return this.#deliveries;
  }

  clear(): void {
    this.#drop(this.#queued.size);
  }

  /**
   * Numbers the next update with `id`. Only an empty queue can start anew, as at Telegram, where it happens after a week
   * without updates.
   */
  restartIds(id: number): void {
    if (this.size > 0) throw new Error(`update ids can only start anew when nothing is unconfirmed (${this.size} are)`);
    this.#nextId = id;
  }

  /** The one listener that hears of new updates: the long poll that waits, or the webhook. */
  onPush(listener: ((update: Update) => void) | undefined): void {
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

  #walk(limit: number): Update[] {
    const updates: Update[] = [];
    for (let queued = this.#first; queued !== undefined && updates.length < limit; queued = queued.next) {
      updates.push(queued.update);
    }
    return updates;
  }

  #expire(): void {
    const oldest = this.#clock() - LIFETIME;
    this.#dropWhile(({ createdAt }) => createdAt < oldest);
  }

  #drop(count: number): void {
    let left = count;
    this.#dropWhile(() => left-- > 0);
  }

  #dropWhile(isToGo: (queued: Queued) => boolean): void {
    while (this.#first !== undefined && isToGo(this.#first)) this.#remove(this.#first);
  }

  #remove({ update, previous, next }: Queued): void {
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    this.#queued.delete(update.update_id);
    if (this.#queued.size === 0) for (const listener of this.#emptyListeners.splice(0)) listener();
  }
}
