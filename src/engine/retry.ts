import type { MaybePromise } from "../data/maybe-promise.ts";
import { isPerdureError } from "../errors.ts";
import type { Clock } from "./clock.ts";

/** The pauses between attempts, in milliseconds: the first, doubled each time, up to the last. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 10_000;

/** How {@link retry} waits and whom it tells. */
export interface RetryOptions {
  readonly clock: Clock;
  /** Ends the waiting: the promise rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Hears every failure, `attempt` counting from 1, and the pause that follows, in milliseconds. */
  readonly onFailure: (error: unknown, attempt: number, pause: number) => void;
}

/**
 * Does what may fail for now, until it works. `PERDURE_REFUSED` and `PERDURE_CLOSED` are final and are thrown; every
 * other error is taken as "not now" (see `AtomicPersistence`).
 */
export async function retry<T>(task: () => MaybePromise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1, pause = FIRST_PAUSE; ; attempt += 1, pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    options.signal.throwIfAborted();
    try {
      return await task();
    } catch (error) {
      if (isPerdureError(error, "PERDURE_REFUSED") || isPerdureError(error, "PERDURE_CLOSED")) throw error;
      options.signal.throwIfAborted();
      options.onFailure(error, attempt, pause);
      await options.clock.sleep(pause, options.signal);
    }
  }
}
