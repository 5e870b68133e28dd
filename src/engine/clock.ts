import { setTimeout as sleep } from "node:timers/promises";

/** Where the engine gets its time from. Times are in milliseconds. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after so many milliseconds; rejects with the signal's reason when it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Calls once after so many milliseconds. What is returned takes it back. */
  after(milliseconds: number, call: () => void): () => void;
}

/** The longest time that Node's timers take; a longer one would be over at once. */
const LONGEST = 2 ** 31 - 1;

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(milliseconds, signal) {
    try {
      await sleep(Math.min(milliseconds, LONGEST), undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // Node gives an error of its own for every reason.
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
  after(milliseconds, call) {
    const timer = setTimeout(call, Math.min(milliseconds, LONGEST));
    return () => clearTimeout(timer);
  },
};
