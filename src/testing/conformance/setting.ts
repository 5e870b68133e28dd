import type { MaybePromise } from "../../data/maybe-promise.ts";
import { AtomicPersistence, type Abilities } from "../../persistence/atomic-persistence.ts";
import type { BasePersistence } from "../../persistence/base-persistence.ts";
import { Unexpected } from "./expectations.ts";

/** What is tried, bound to one place where it keeps its data. */
export interface Ground {
  readonly abilities: Abilities | "plain";
  /** A new persistence on this place, not opened. */
  readonly make: () => BasePersistence;
  /** A copy of this place. */
  readonly snapshot: () => Promise<Ground>;
  /** Each makes something impossible until what it resolves with is called. */
  readonly breakReading: () => Promise<() => MaybePromise<void>>;
  readonly breakWriting: () => Promise<() => MaybePromise<void>>;
  readonly dispose: () => MaybePromise<void>;
}

/** The bot that a case opens persistences for, unless it says otherwise. */
export const BOT_ID = 4_000_000_001;

/** Where one case plays: a place that is empty at the beginning, what is open on it, and a clock that stands still. */
export class Setting {
  /** The time that persistences are opened with, in milliseconds since 1970. A case moves it on. */
  now = 1_700_000_000_000;
  readonly #ground: Ground;
  readonly #open = new Set<AtomicPersistence>();
  readonly #copies: Setting[] = [];

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  get abilities(): Abilities | "plain" {
    return this.#ground.abilities;
  }

  /** A persistence on this place, not opened. */
  make(): BasePersistence {
    return this.#ground.make();
  }

  /** Likewise, one that is to be an atomic one. */
  makeAtomic(): AtomicPersistence {
    const made = this.make();
    if (made instanceof AtomicPersistence) return made;
    throw new Unexpected("make()", "an instance of AtomicPersistence", made.constructor.name);
  }

  /** A persistence on this place, ready for use. */
  async open(): Promise<BasePersistence> {
    const made = this.make();
    if (made instanceof AtomicPersistence) await this.openFor(made);
    return made;
  }

  /** Likewise, one that is to be an atomic one. */
  async openAtomic(botId: number = BOT_ID): Promise<AtomicPersistence> {
    const made = this.makeAtomic();
    await this.openFor(made, { botId });
    return made;
  }

  /** Opens it, to be closed when the case is over. */
  async openFor(
    persistence: AtomicPersistence,
    { botId = BOT_ID, signal }: { botId?: number; signal?: AbortSignal } = {},
  ): Promise<void> {
    await persistence.open({ botId, now: () => this.now, signal });
    this.#open.add(persistence);
  }

  /** Ends it as at an orderly stop. */
  async close(persistence: BasePersistence): Promise<void> {
    if (persistence instanceof AtomicPersistence) {
      await persistence.close();
      this.#open.delete(persistence);
    } else {
      await persistence.flush();
    }
  }

  /**
   * Ends it, and opens another one on the same place. One that keeps nothing beyond its end stays as it is: then
   * the case is about what one object remembers.
   */
  async reopen<P extends BasePersistence>(persistence: P): Promise<P> {
    if (this.abilities !== "plain" && this.abilities.durable === "no") {
      await persistence.flush();
      return persistence;
    }
    await this.close(persistence);
    return (await this.open()) as P;
  }

  /** What a process leaves that is killed at this moment. */
  async snapshot(): Promise<Setting> {
    const copy = new Setting(await this.#ground.snapshot());
    copy.now = this.now;
    this.#copies.push(copy);
    return copy;
  }

  /** From now on, until what it resolves with is called, nothing that is kept can be read. */
  breakReading(): Promise<() => MaybePromise<void>> {
    return this.#ground.breakReading();
  }

  /** Likewise, nothing can be written. */
  breakWriting(): Promise<() => MaybePromise<void>> {
    return this.#ground.breakWriting();
  }

  /** Closes what is open, and removes the place. */
  async dispose(): Promise<void> {
    try {
      for (const copy of this.#copies) await copy.dispose();
      for (const persistence of this.#open) await persistence.close();
    } finally {
      await this.#ground.dispose();
    }
  }
}
