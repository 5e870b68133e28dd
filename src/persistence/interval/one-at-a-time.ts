import type { MaybePromise } from "../../data/maybe-promise.ts";

/** Runs what it is given one after the other, in the order of the calls. One that fails holds up no other. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as `task` does, which runs once everything that was given before has ended. */
  run<T>(task: () => MaybePromise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => {});
    return result;
  }
}
