import type { MaybePromise } from "../data/maybe-promise.ts";
import { PerdureError, isPerdureError, type ErrorCode } from "../errors.ts";
import type { Clock } from "./clock.ts";

/** The pauses between attempts, in milliseconds: the first, doubled each time, up to the last. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 10_000;

/** What ends a waiting: Node's `AbortSignal`, or the polyfill's that grammY uses. */
export interface StopSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** How {@link retry} waits and whom it tells. */
export interface RetryOptions {
  readonly clock: Clock;
  /** Any of these ends the trying: the promise rejects with `PERDURE_STOPPED`. */
  readonly signals: readonly StopSignal[];
  /** Hears every failure, `attempt` counting from 1, and the pause that follows, in milliseconds. */
  readonly onFailure: (error: unknown, attempt: number, pause: number) => void;
}

/** What trying again does not change. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["PERDURE_CLOSED", "PERDURE_REFUSED", "PERDURE_UNSUPPORTED"]);

/**
 * Does what may fail for now, until it works. `PERDURE_REFUSED`, `PERDURE_UNSUPPORTED` and `PERDURE_CLOSED` are final and are
 * thrown; every other error is taken as "not now" (see `AtomicPersistence`).
 */
export async function retry<T>(task: () => MaybePromise<T>, options: RetryOptions): Promise<T> {
  const { clock, signals, onFailure } = options;
  for (let attempt = 1, pause = FIRST_PAUSE; ; attempt += 1, pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    throwIfStopped(signals);
    try {
      return await task();
    } catch (error) {
      if (isPerdureError(error) && FINAL.has(error.code)) throw error;
      throwIfStopped(signals);
      onFailure(error, attempt, pause);
      await wait(pause, clock, signals);
    }
  }
}

function throwIfStopped(signals: readonly StopSignal[]): void {
  if (signals.some(({ aborted }) => aborted)) throw stopped();
}

/** What a caller gets whose wish a stop has come before. */
export function stopped(): PerdureError {
  return new PerdureError("PERDURE_STOPPED", "The application was stopped before this was done.");
}

/** Waits for the pause to pass or for a signal, and leaves no listener behind: signals live long. */
export async function wait(pause: number, clock: Clock, signals: readonly StopSignal[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(pause, resolve);
  for (const signal of signals) signal.addEventListener("abort", resolve);
  try {
    await promise;
  } finally {
    cancel();
    for (const signal of signals) signal.removeEventListener("abort", resolve);
  }
}
