import { Worker } from "node:worker_threads";

const ASLEEP = 0;
const WOKEN = 1;
const COUNTING = 2;
const KILLING = 3;
const DISARMED = 4;

const PROGRAM = `
  const { workerData: { state, delay } } = require("node:worker_threads");
  Atomics.wait(state, 0, ${ASLEEP});
  Atomics.store(state, 0, ${COUNTING});
  Atomics.notify(state, 0);
  const end = performance.now() + delay / 1000;
  while (performance.now() < end);
  if (Atomics.compareExchange(state, 0, ${COUNTING}, ${KILLING}) === ${COUNTING}) process.kill(${process.pid}, "SIGKILL");
`;

/** A thread that kills its process while the main thread is busy, some microseconds after it was armed. */
export class Watchdog {
  readonly #state = new Int32Array(new SharedArrayBuffer(4));

  constructor(delay: number) {
    new Worker(PROGRAM, { eval: true, workerData: { state: this.#state, delay } }).unref();
  }

  /** Returns when the time runs. */
  arm(): void {
    Atomics.store(this.#state, 0, WOKEN);
    Atomics.notify(this.#state, 0);
    Atomics.wait(this.#state, 0, WOKEN);
  }

  /** From here on it kills no more. If it has begun to, this does not return. */
  disarm(): void {
    if (Atomics.compareExchange(this.#state, 0, COUNTING, DISARMED) !== COUNTING) Atomics.wait(this.#state, 0, KILLING);
  }
}
