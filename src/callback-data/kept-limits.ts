import { AsyncLocalStorage } from "node:async_hooks";
import type { Engine } from "../engine/engine.ts";
import type { KeptValue } from "../engine/kept-value.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { isPerdureError } from "../errors.ts";
import type { EarliestOptions } from "../persistence/atomic-persistence.ts";
import type { CallbackDataHost } from "./callback-data-host.ts";

/** How much is kept. */
export interface Limits {
  /** At most so many records of each kind. */
  readonly most: number;
  /** How long after its last use a record is kept, in milliseconds. */
  readonly ttl: number;
}

/** So many records are removed side by side: their units of work share a commit. */
const AT_ONCE = 10;

/** So many keys are counted before others have their turn of the event loop. */
const COUNTED_AT_ONCE = 1000;

/** Between two looks for what is too old, in milliseconds. */
const LOOK_INTERVAL = 60 * 60 * 1000;

/**
 * Keeps the records of one kind from growing without end: those whose last use is too long ago go, and of too many the least recently used, a
 * hundredth of the limit together.
 *
 * That happens after the commits that add records, in small units of work of its own. An index leads to what goes; nothing is gone through but, once
 * in a process and not at its start, the keys, to count them.
 */
export class KeptLimits {
  readonly #kind: "keyboard" | "callbackQuery";
  readonly #limits: Limits;
  readonly #host: CallbackDataHost;
  /** Out of the unit of work that calls, whose business this is not. */
  readonly #outside = AsyncLocalStorage.snapshot();
  readonly #watched = new WeakSet<KeptValue>();
  #engine: Engine | undefined;
  #count: number | undefined;
  /** What was added while the keys are counted: it may have been counted, or not. */
  #addedMeanwhile = new Set<string>();
  #running: Promise<void> | undefined;
  #lookedAt: number | undefined;

  constructor(kind: "keyboard" | "callbackQuery", limits: Limits, host: CallbackDataHost) {
    this.#kind = kind;
    this.#limits = limits;
    this.#host = host;
  }

  /** Whether a record is too old to be used. */
  isExpired(time: number | undefined): boolean {
    return time !== undefined && time <= this.#host.now() - this.#limits.ttl;
  }

  /** Counts what becomes of a record, once it is durable. To be called by the unit that adds or drops it. */
  watch(unit: UnitOfWork, value: KeptValue): void {
    if (this.#watched.has(value)) return;
    this.#watched.add(value);
    unit.afterCommit(() => this.#committed(value));
  }

  /** Looks for what is too old, if the last look is an hour ago. To be called when records are used. */
  used(): void {
    if (this.#isLookDue()) this.#start();
  }

  /** Whether there is any record of this kind. */
  async hasAny(): Promise<boolean> {
    return (await this.#counted(await this.#host.engine())) > 0;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  #committed(value: KeptValue): void {
    const was = value.loaded !== undefined;
    const is = value.current !== undefined;
    if (was === is) return;
    if (this.#count !== undefined) this.#count += is ? 1 : -1;
    else if (is) this.#addedMeanwhile.add((value.key as { readonly id: string }).id);
    if (is && (this.#count === undefined || this.#count > this.#limits.most || this.#isLookDue())) this.#start();
  }

  #isLookDue(): boolean {
    return this.#lookedAt === undefined || this.#host.now() - this.#lookedAt >= LOOK_INTERVAL;
  }

  #start(): void {
    this.#running ??= this.#outside(() => this.#keepWithin())
      .catch((error: unknown) => {
        const isOver = isPerdureError(error, "PERDURE_STOPPED") || isPerdureError(error, "PERDURE_CLOSED");
        if (!isOver) this.#host.report(error);
      })
      .finally(() => (this.#running = undefined));
  }

  async #keepWithin(): Promise<void> {
    const engine = await this.#host.engine();
    if (this.#isLookDue()) {
      this.#lookedAt = this.#host.now();
      await this.#remove(engine, () => ({ until: this.#host.now() - this.#limits.ttl, limit: AT_ONCE }));
    }
    const { most } = this.#limits;
    if ((await this.#counted(engine)) <= most) return;
    const goal = most - Math.floor(most / 100);
    await this.#remove(engine, () => {
      return { until: Number.MAX_SAFE_INTEGER, limit: Math.min(AT_ONCE, (this.#count ?? 0) - goal) };
    });
  }

  /** Removes the earliest, batch by batch, until there is none or nothing more is wanted. */
  async #remove(engine: Engine, wanted: () => EarliestOptions): Promise<void> {
    for (;;) {
      const options = wanted();
      if (options.limit <= 0) return;
      const records = await engine.records.earliest(this.#kind, options);
      const removed = await Promise.all(records.map((record) => this.#removeOne(record)));
      // What was used meanwhile stays; if that is all of them, it has time.
      if (!removed.includes(true)) return;
    }
  }

  #removeOne({ key, foundBy }: KeptValue): Promise<boolean> {
    return this.#host.join(`removing an old ${this.#kind}`, async (unit) => {
      const value = await unit.open(key);
      if (value.loaded?.time !== foundBy.time) return false;
      value.drop();
      this.watch(unit, value);
      return true;
    });
  }

  async #counted(engine: Engine): Promise<number> {
    if (engine !== this.#engine) {
      this.#engine = engine;
      this.#count = undefined;
      this.#addedMeanwhile.clear();
    }
    if (this.#count !== undefined) return this.#count;
    let count = 0;
    for await (const { id } of engine.records.keys(this.#kind)) {
      this.#addedMeanwhile.delete(id);
      count += 1;
      if (count % COUNTED_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    // Somebody else may have counted meanwhile.
    this.#count ??= count + this.#addedMeanwhile.size;
    this.#addedMeanwhile.clear();
    return this.#count;
  }
}
