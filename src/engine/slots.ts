interface Waiting {
  readonly count: number;
  readonly resolve: () => void;
}

/** How many units of work may run at the same time. Who waits longest gets the next free slots. */
export class Slots {
  readonly #total: number;
  #free: number;
  readonly #waiting: Waiting[] = [];

  constructor(total: number) {
    this.#total = total;
    this.#free = total;
  }

  /** Waits for a slot; for all of them, to run alone. */
  async take(alone = false): Promise<Slot> {
    const count = alone ? this.#total : 1;
    await this.#acquire(count);
    return new Slot(
      count,
      (wanted) => this.#acquire(wanted),
      (given) => this.#release(given),
    );
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

/** What one unit has of the slots. */
export class Slot {
  readonly #acquire: (count: number) => Promise<void> | undefined;
  readonly #release: (count: number) => void;
  #count: number;
  #held = true;
  #lent = 0;
  #given = false;

  constructor(count: number, acquire: (count: number) => Promise<void> | undefined, release: (count: number) => void) {
    this.#count = count;
    this.#acquire = acquire;
    this.#release = release;
  }

  /** Gives back all but one. */
  shrink(): void {
    const surplus = this.#count - 1;
    this.#count = 1;
    if (this.#held && surplus > 0) this.#release(surplus);
  }

  /**
   * Lets others run while this unit waits. Units that wait for a record would otherwise hold all slots, and its owner
   * could wait for one.
   */
  async lendWhile(waiting: Promise<void>): Promise<void> {
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
    this.#release(this.#count);
  }

  async #takeBack(): Promise<void> {
    if (this.#mayNotHold()) return;
    const count = this.#count;
    await this.#acquire(count);
    // Meanwhile the unit may have ended, may wait for something else, or may want less.
    if (this.#mayNotHold()) return this.#release(count);
    this.#held = true;
    if (count > this.#count) this.#release(count - this.#count);
  }

  #mayNotHold(): boolean {
    return this.#held || this.#given || this.#lent > 0;
  }
}
