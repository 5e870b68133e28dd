import type { MaybePromise } from "../data/maybe-promise.ts";

interface Waiting {
  readonly count: number;
  readonly resolve: () => void;
}

/** How many units of work may run at the same time. Who waits longest gets the next free slots. */
export class Slots {
  readonly #total: number;
  readonly #waiting: Waiting[] = [];
  readonly #lender: Lender = {
    acquire: (count) => this.#acquire(count),
    release: (count) => this.#release(count),
  };
  #free: number;

  constructor(total: number) {
    this.#total = total;
    this.#free = total;
  }

  /** A slot, or all of them, to run alone. A promise for it when it has to be waited for. */
  take(alone = false): MaybePromise<Slot> {
    const count = alone ? this.#total : 1;
    const waiting = this.#acquire(count);
    return waiting === undefined ? new Slot(this.#lender, count) : waiting.then(() => new Slot(this.#lender, count));
  }

  #acquire(count: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#free >= count) {
      this.#free -= count;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  #release(count: number): void {
    this.#free += count;
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || next.count > this.#free) return;
      this.#waiting.shift();
      this.#free -= next.count;
      next.resolve();
    }
  }
}

/** Where a slot's share comes from, and where it goes. */
interface Lender {
  acquire(count: number): Promise<void> | undefined;
  release(count: number): void;
}

/** What one unit has of the slots. */
export class Slot {
  readonly #lender: Lender;
  #count: number;
  #held = true;
  #lent = 0;
  #given = false;

  constructor(lender: Lender, count: number) {
    this.#lender = lender;
    this.#count = count;
  }

  /** Gives back all but one. */
  shrink(): void {
    const surplus = this.#count - 1;
    this.#count = 1;
    if (this.#held && surplus > 0) this.#lender.release(surplus);
  }

  /**
   * Lets others run while this unit waits. Units that wait for a record would otherwise hold all slots, and its owner
   * could wait for one.
   */
  async lendWhile(waiting: Promise<unknown>): Promise<void> {
    this.#lent += 1;
    this.#letGo();
    try {
      await waiting;
    } finally {
      this.#lent -= 1;
      await this.#takeBack();
    }
  }

  /** Gives it back for good. Called again, it does nothing. */
  give(): void {
    this.#given = true;
    this.#letGo();
  }

  #letGo(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#lender.release(this.#count);
  }

  async #takeBack(): Promise<void> {
    if (this.#mayNotHold()) return;
    const count = this.#count;
    await this.#lender.acquire(count);
    // Meanwhile the unit may have ended, may wait for something else, or may want less.
    if (this.#mayNotHold()) return this.#lender.release(count);
    this.#held = true;
    if (count > this.#count) this.#lender.release(count - this.#count);
  }

  #mayNotHold(): boolean {
    return this.#held || this.#given || this.#lent > 0;
  }
}
