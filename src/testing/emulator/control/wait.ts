/** Milliseconds. */
const DEFAULT_TIMEOUT = 5000;

/** How long to wait, and what to say when it was in vain. */
export interface WaitOptions {
  /** Milliseconds, 5000 by default. */
  readonly timeout: number | undefined;
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
  /** The error's message: what did not happen in that time. */
  readonly missing: (timeout: number) => string;
}

/**
 * Waits for `subscribe` to call back. `subscribe` may do so at once, and returns how to unsubscribe. Rejects after the
 * timeout.
 */
export function waitFor<T>(
  subscribe: (done: (value: T) => void) => () => void,
  { timeout = DEFAULT_TIMEOUT, signal, missing }: WaitOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      finish();
    };
    const giveUp = (): void => {
      unsubscribe();
      end(() => reject(new Error("the emulator was stopped")));
    };
    const timer = setTimeout(() => {
      unsubscribe();
      end(() => reject(new Error(missing(timeout))));
    }, timeout);
    signal.addEventListener("abort", giveUp);
    const unsubscribe = subscribe((value) => end(() => resolve(value)));
    if (signal.aborted) giveUp();
  });
}
