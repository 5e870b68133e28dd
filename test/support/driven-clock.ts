import type { Clock } from "../../src/engine/clock.ts";

/** More turns of the event loop than anything takes. */
const TURNS = 20;

interface Timer {
  readonly at: number;
  readonly call: () => void;
}

/** A clock that stands still until it is told to go on. */
export class DrivenClock implements Clock {
  #now: number;
  readonly #turns: number;
  readonly #timers = new Set<Timer>();

  /** `turns` is how many turns of the event loop it lets pass before and after each timer. */
  constructor({ now = 1_700_000_000_000, turns = TURNS }: { now?: number; turns?: number } = {}) {
    this.#now = now;
    this.#turns = turns;
  }

  now(): number {
    return this.#now;
  }

  /** How many timers wait for their time. */
  get waiting(): number {
    return this.#timers.size;
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = { at: this.#now + milliseconds, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Is put to another time, as the clock of a machine that has slept, or that a person puts back; then what is due runs. */
  async jump(milliseconds: number): Promise<void> {
    await settled(this.#turns);
    this.#now += milliseconds;
    await this.advance(0);
  }

  /** Goes on, and lets everything that was due run, in its order. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      await settled(this.#turns);
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = end;
    await settled(this.#turns);
  }
}

/** Lets everything run that waits for nothing but the event loop. */
export async function settled(turns: number = TURNS): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Whether a promise has settled once everything that waits for nothing but the event loop has run. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  const end = (): void => void (done = true);
  promise.then(end, end);
  await settled();
  return done;
}
