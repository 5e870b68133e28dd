import type { Update } from "@grammyjs/types";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type { AtomicPersistence, InboxEntry } from "../persistence/atomic-persistence.ts";

/** What the inbox needs of the engine. */
export interface InboxOptions {
  readonly persistence: AtomicPersistence;
  /** Tries again what fails for now. */
  readonly retry: <T>(task: () => MaybePromise<T>) => Promise<T>;
}

/** How many open updates are read at once. */
const PAGE = 100;

/**
 * The updates that were accepted and are not done, and who has them: an update is *handed out* to the framework's loop,
 * then *claimed* by the unit of work that runs it. Only what is on its way is in memory; the rest is in the persistence.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #handedOut = new Set<number>();
  readonly #claimed = new Set<number>();
  /** How far the open updates of earlier runs have been handed out; `undefined` when there are no more. */
  #replayedTo: number | undefined = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Makes updates durable. Resolves with those that are new, in their order: they are to be handled now. */
  async accept(updates: readonly Update[]): Promise<Update[]> {
    const { persistence, retry } = this.#options;
    const acceptances = await retry(() => persistence.accept(updates));
    const fresh = updates.filter((_, index) => acceptances[index] === "accepted");
    for (const { update_id } of fresh) this.#handedOut.add(update_id);
    return fresh;
  }

  /** The next open updates that nobody has, at most `limit`: what an earlier run accepted and did not finish. */
  async replay(limit: number): Promise<Update[]> {
    while (this.#replayedTo !== undefined) {
      const page = await this.#page(this.#replayedTo, Math.min(limit, PAGE));
      this.#replayedTo = page.at(-1)?.arrival;
      const open = page
        .map(({ update }) => update)
        .filter(({ update_id: id }) => !this.#claimed.has(id) && !this.#handedOut.has(id));
      for (const { update_id } of open) this.#handedOut.add(update_id);
      if (open.length > 0) return open;
    }
    return [];
  }

  /** Begins the replay anew, for a loop that starts again and has forgotten what it was handed. */
  restart(): void {
    this.#handedOut.clear();
    this.#replayedTo = 0;
  }

  /**
   * Takes an update to run it, accepting it first if it did not come through {@link Inbox.accept} (a webhook's). `false`
   * when it is done or running already.
   */
  claim(update: Update): MaybePromise<boolean> {
    const id = update.update_id;
    if (this.#claimed.has(id)) return false;
    if (!this.#handedOut.delete(id)) return this.#acceptAndClaim(update);
    this.#claimed.add(id);
    return true;
  }

  /** The update's unit of work has ended; unless it is done by now, it is open. */
  unclaim(update: Update): void {
    this.#claimed.delete(update.update_id);
  }

  /** The ids of the open updates that no unit of work runs. */
  async *unclaimed(): AsyncGenerator<number[]> {
    for (let after: number | undefined = 0; after !== undefined;) {
      const page: readonly InboxEntry[] = await this.#page(after, PAGE);
      after = page.at(-1)?.arrival;
      yield page.map(({ update }) => update.update_id).filter((id) => !this.#claimed.has(id));
    }
  }

  async #acceptAndClaim(update: Update): Promise<boolean> {
    const { persistence, retry } = this.#options;
    const [acceptance] = await retry(() => persistence.accept([update]));
    if (acceptance === "done" || this.#claimed.has(update.update_id)) return false;
    this.#handedOut.delete(update.update_id);
    this.#claimed.add(update.update_id);
    return true;
  }

  #page(after: number, limit: number): Promise<readonly InboxEntry[]> {
    const { persistence, retry } = this.#options;
    return retry(() => persistence.openUpdates({ after, limit }));
  }
}
