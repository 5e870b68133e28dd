import type { Update } from "@grammyjs/types";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type { Acceptance, AtomicPersistence, InboxEntry } from "../persistence/atomic-persistence.ts";
import type { Reporter } from "./reporter.ts";

/** What the inbox needs of the engine. */
export interface InboxOptions {
  readonly persistence: AtomicPersistence;
  readonly reporter: Reporter;
  /** Tries again what fails for now, until the engine or the signal gives up. */
  readonly retry: <T>(task: () => MaybePromise<T>, signal?: AbortSignal) => Promise<T>;
}

/**
 * How an update came to be claimed: `"fresh"`, accepted and handed out by this process; `"again"`, handed out by a replay;
 * `"unknown"`, not handed out: a webhook's, which is not accepted yet.
 */
export type Claim = "fresh" | "again" | "unknown";

/** How many open updates are read at once. */
const PAGE = 100;

/**
 * The updates that were accepted and are not done, and who has them: an update is *handed out* to the framework's loop,
 * then *claimed* by the unit of work that runs it. Only what is on its way is in memory; the rest is in the persistence.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #handedOut = new Map<number, "fresh" | "again">();
  readonly #claimed = new Set<number>();
  /** How far the open updates of earlier runs have been handed out; `undefined` when there are no more. */
  #replayedTo: number | undefined = 0;
  #replayed = Promise.withResolvers<void>();

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Looks whether there is anything to replay. To be called once, before the first update. */
  async load(): Promise<void> {
    const page = await this.#page(0, 1);
    if (page.length === 0) this.endReplay();
  }

  /** Makes updates durable. Resolves with those that are new, in their order: they are to be handled now. */
  async accept(updates: readonly Update[], signal?: AbortSignal): Promise<Update[]> {
    const { persistence, retry } = this.#options;
    updates.forEach(requireId);
    const acceptances = await retry(() => persistence.accept(updates), signal);
    // A webhook may have claimed one meanwhile.
    const fresh = updates.filter(
      ({ update_id: id }, index) => acceptances[index] === "accepted" && !this.#claimed.has(id),
    );
    for (const { update_id } of fresh) this.#handedOut.set(update_id, "fresh");
    return fresh;
  }

  /** Makes one update durable that is claimed already, and answers what it was. */
  async acceptClaimed(update: Update): Promise<Acceptance> {
    const { persistence, retry } = this.#options;
    const [acceptance = "open"] = await retry(() => persistence.accept([update]));
    return acceptance;
  }

  /** The next open updates that nobody has, at most `limit`: what an earlier run accepted and did not finish. */
  async replay(limit: number, signal?: AbortSignal): Promise<Update[]> {
    while (this.#replayedTo !== undefined) {
      const from = this.#replayedTo;
      const page = await this.#page(from, Math.max(1, Math.min(limit, PAGE)), signal);
      // Another replay was quicker.
      if (this.#replayedTo !== from) continue;
      this.#replayedTo = page.at(-1)?.arrival;
      if (this.#replayedTo === undefined) this.#replayed.resolve();
      const free = this.#readable(page).filter(
        ({ update_id: id }) => !this.#claimed.has(id) && !this.#handedOut.has(id),
      );
      for (const { update_id } of free) this.#handedOut.set(update_id, "again");
      if (free.length > 0) return free;
    }
    return [];
  }

  /** Begins the replay anew, for a loop that starts again and has forgotten what it was handed. */
  restart(): void {
    this.#handedOut.clear();
    if (this.#replayedTo === undefined) this.#replayed = Promise.withResolvers();
    this.#replayedTo = 0;
  }

  /**
   * Resolves when all open updates of earlier runs have been handed out; `undefined` when they have been. What comes after
   * them waits for this, to be handled after them.
   */
  replayed(): Promise<void> | undefined {
    return this.#replayedTo === undefined ? undefined : this.#replayed.promise;
  }

  /** Lets go of what waits for the replay: it will not be continued. */
  endReplay(): void {
    this.#replayedTo = undefined;
    this.#replayed.resolve();
  }

  /** Takes an update to run it. `undefined` when it is running already. Throws a `TypeError` for what is no update. */
  claim(update: Update): Claim | undefined {
    requireId(update);
    const id = update.update_id;
    if (this.#claimed.has(id)) return undefined;
    this.#claimed.add(id);
    const how = this.#handedOut.get(id) ?? "unknown";
    this.#handedOut.delete(id);
    return how;
  }

  /** The update's unit of work has ended, and what is to be durable of it is. */
  unclaim({ update_id: id }: Update): void {
    this.#claimed.delete(id);
  }

  /** The ids of the open updates that no unit of work runs. */
  async *unclaimed(): AsyncGenerator<number[]> {
    for (let after: number | undefined = 0; after !== undefined;) {
      const page: readonly InboxEntry[] = await this.#page(after, PAGE);
      after = page.at(-1)?.arrival;
      yield page.map(({ updateId }) => updateId).filter((id) => !this.#claimed.has(id));
    }
  }

  #page(after: number, limit: number, signal?: AbortSignal): Promise<readonly InboxEntry[]> {
    const { persistence, retry } = this.#options;
    return retry(() => persistence.openUpdates({ after, limit }), signal);
  }

  #readable(page: readonly InboxEntry[]): Update[] {
    for (const { updateId, unreadable } of page) {
      if (unreadable !== undefined) this.#options.reporter.report(unreadable, { updateId });
    }
    return page.map(({ update }) => update).filter((update) => update !== undefined);
  }
}

/** Whoever sends a webhook request may send anything. */
function requireId({ update_id: id }: Update): void {
  if (Number.isSafeInteger(id)) return;
  throw new TypeError(`This is no update: its update_id is ${String(id)}.`);
}
