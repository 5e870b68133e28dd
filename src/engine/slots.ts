/** How many units of work may run at the same time. Who waits longest gets the next free slot. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for a slot. */
  async take(): Promise<Slot> {
    await this.#acquire();
    return new Slot(
      () => this.#acquire(),
      () => this.#release(),
    );
  }

  #acquire(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** One unit's slot. */
export class Slot {
  readonly #acquire: () => Promise<void> | undefined;
  readonly #release: () => void;
  #held = true;
  #lent = 0;
  #given = false;

  constructor(acquire: () => Promise<void> | undefined, release: () => void) {
    this.#acquire = acquire;
    this.#release = release;
  }

  /**
   * Lets another unit run while this one waits. Units that wait for a record would otherwise hold all slots, and its
   * owner could wait for one.
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

  /** Gives the slot back for good. Called again, it does nothing. */
  give(): void {
    this.#given = true;
    this.#letGo();
  }

  #letGo(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#release();
  }

  async #takeBack(): Promise<void> {
    if (this.#mayNotHold()) return;
    await this.#acquire();
    // Meanwhile the unit may have ended, or may wait for something else.
    if (this.#mayNotHold()) this.#release();
    else this.#held = true;
  }

  #mayNotHold(): boolean {
    return this.#held || this.#given || this.#lent > 0;
  }
}
