import { isPromise, type MaybePromise } from "../data/maybe-promise.ts";

/**
 * Keeps a commit one where its parts are in two places: who reads sees both parts or none. What a commit has in memory waits for the reads
 * before it, and reads wait for such commits. Where nothing has to wait, everything stays synchronous that was.
 */
export class CommitOrder {
  /** The last commit that waits, or whose part in memory is still to come. Never rejects. */
  #commit: Promise<unknown> | undefined;
  /** The reads that have not ended. None rejects. */
  readonly #reads = new Set<Promise<unknown>>();

  read<T>(read: () => MaybePromise<T>): MaybePromise<T> {
    const result = this.#commit === undefined ? read() : this.#commit.then(read);
    if (isPromise(result)) {
      const ended: Promise<unknown> = settled(result).then(() => this.#reads.delete(ended));
      this.#reads.add(ended);
    }
    return result;
  }

  /** Commits after those that were called before. */
  commit(hasPartInMemory: boolean, commit: () => MaybePromise<void>): MaybePromise<void> {
    const mustWait = this.#commit !== undefined || (hasPartInMemory && this.#reads.size > 0);
    const result = mustWait ? this.quiet().then(commit) : commit();
    if (isPromise(result) && (mustWait || hasPartInMemory)) {
      const ended = settled(result).then(() => {
        if (this.#commit === ended) this.#commit = undefined;
      });
      this.#commit = ended;
    }
    return result;
  }

  /** Resolves when what was begun before has ended. */
  async quiet(): Promise<void> {
    await Promise.all([this.#commit, ...this.#reads]);
  }
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await promise.catch(() => {});
}
