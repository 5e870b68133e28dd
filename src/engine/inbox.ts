import type { Update } from "@grammyjs/types";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type { Acceptance, AtomicPersistence, InboxEntry } from "../persistence/atomic-persistence.ts";
import type { Reporter } from "./reporter.ts";
import type { StopSignal } from "./retry.ts";

/** What the inbox needs of the engine. */
export interface InboxOptions {
  readonly persistence: AtomicPersistence;
  readonly reporter: Reporter;
  /** Tries again what fails for now, until the engine or a signal gives up. */
  readonly retry: <T>(task: () => MaybePromise<T>, signals?: readonly StopSignal[]) => Promise<T>;
}

/**
 * How an update came to be claimed: `"fresh"`, accepted and handed out by this process; `"again"`, accepted before, and
 * perhaps run so often; `"unknown"`, not handed out: a webhook's, which is not accepted yet.
 */
export type Claim =
  | { readonly kind: "fresh" }
  | { readonly kind: "again"; readonly attempts: number }
  | { readonly kind: "unknown" };

/** How many open updates are read at once. */
const PAGE = 100;

/**
 * The updates that were accepted and are not done, and who has them: an update is *handed out* to the framework's loop,
 * then *claimed* by the unit of work that runs it. Only what is on its way is in memory; the rest is in the persistence.
 */
export class Inbox {
  readonly #options: InboxOptions;
  /** How often each was run, or 0 for what this process has accepted itself. */
  readonly #handedOut = new Map<number, number>();
  /** With when it is durable, where that was not waited for before. */
  readonly #claimed = new Map<number, Promise<void> | undefined>();
  /** How far the open updates of earlier runs have been handed out; `undefined` when there are no more. */
  #replayedTo: number | undefined = 0;
  /** Whether something was left to the replay since it last began at the beginning. */
  #hasLeft = false;
  /**
   * For each acceptance and each listing that is under way, the ids whose units of work have ended meanwhile: a late answer knows
   * nothing of that.
   */
  readonly #underWay = new Set<Set<number>>();

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Looks whether there is anything to replay. To be called once, before the first update. */
  async load(signals: readonly StopSignal[] = []): Promise<void> {
    const page = await this.#page(0, 1, signals);
    if (page.length === 0) this.endReplay();
  }

  /**
   * Puts updates into the inbox; {@link Inbox.sync} says when they may be acknowledged. Resolves with those that are to be handled now, in
   * their order: that are new, or that nobody has. While there is something to replay, these are none.
   */
  async accept(updates: readonly Update[], signals?: readonly StopSignal[]): Promise<Update[]> {
    const { persistence, retry } = this.#options;
    updates.forEach(requireId);
    const ended = new Set<number>();
    this.#underWay.add(ended);
    try {
      const acceptances = await retry(() => persistence.accept(updates), signals);
      this.#hasLeft ||= this.isReplaying;
      return this.#take(updates, acceptances, ended);
    } finally {
      this.#underWay.delete(ended);
    }
  }

  /** Resolves when all that was accepted is durable: then Telegram may forget it. A stop ends only the trying again. */
  async sync(signals?: readonly StopSignal[]): Promise<void> {
    const { persistence, retry } = this.#options;
    if (!(await this.isSynced())) await retry(() => persistence.sync(), signals);
  }

  /** Tries once to make all that was accepted durable, and answers whether it is. */
  async isSynced(): Promise<boolean> {
    try {
      await this.#options.persistence.sync();
      return true;
    } catch {
      return false;
    }
  }

  /** Accepts one update that is claimed already. Answers what it was, and when it is durable. */
  acceptClaimed(update: Update): { readonly acceptance: Promise<Acceptance>; readonly durable: Promise<void> } {
    const { persistence, retry } = this.#options;
    const acceptance = retry(async () => {
      const [answer = "open"] = await persistence.accept([update]);
      return answer;
    });
    const durable = acceptance.then(() => this.sync());
    this.#claimed.set(update.update_id, durable);
    return { acceptance, durable };
  }

  /** Resolves when an update that is claimed is durable; rejects when it could not be made so. */
  async accepted({ update_id: id }: Update): Promise<void> {
    await (this.#claimed.get(id) ?? this.sync());
  }

  /** The next open updates that nobody has, at most `limit`: what an earlier run accepted and did not finish. */
  async replay(limit: number, signals?: readonly StopSignal[]): Promise<Update[]> {
    while (this.#replayedTo !== undefined) {
      const from = this.#replayedTo;
      const ended = new Set<number>();
      this.#underWay.add(ended);
      const page = await this.#page(from, Math.max(1, Math.min(limit, PAGE)), signals).finally(() =>
        this.#underWay.delete(ended),
      );
      // Another replay was quicker.
      if (this.#replayedTo !== from) continue;
      // What was left meanwhile may be behind: arrivals begin anew when the inbox was empty.
      this.#replayedTo = page.at(-1)?.arrival ?? (this.#hasLeft ? 0 : undefined);
      if (page.length === 0) this.#hasLeft = false;
      const free = this.#handOut(page.filter(({ updateId }) => !ended.has(updateId)));
      if (free.length > 0) return free;
    }
    return [];
  }

  /** Begins the replay anew, for a loop that starts again and has forgotten what it was handed. */
  restart(): void {
    this.#handedOut.clear();
    this.#replayedTo = 0;
  }

  /**
   * Whether open updates of earlier runs are still to be handed out. What comes meanwhile is left to the replay, which
   * hands it out in its turn: after them, and in order of arrival.
   */
  get isReplaying(): boolean {
    return this.#replayedTo !== undefined;
  }

  /** Ends the replay, for good or because there is nothing to hand out. */
  endReplay(): void {
    this.#replayedTo = undefined;
  }

  /** Whether an update was handed out and not claimed. */
  isHandedOut({ update_id: id }: Update): boolean {
    return this.#handedOut.has(id);
  }

  /** Takes an update to run it. `undefined` when it is running already. Throws a `TypeError` for what is no update. */
  claim(update: Update): Claim | undefined {
    requireId(update);
    const id = update.update_id;
    if (this.#claimed.has(id)) return undefined;
    this.#claimed.set(id, undefined);
    const attempts = this.#handedOut.get(id);
    if (!this.#handedOut.delete(id) || attempts === undefined) return { kind: "unknown" };
    return attempts === 0 ? { kind: "fresh" } : { kind: "again", attempts };
  }

  /** The update's unit of work has ended, and what is to be durable of it is. */
  unclaim({ update_id: id }: Update): void {
    this.#claimed.delete(id);
    for (const ended of this.#underWay) ended.add(id);
  }

  /** The ids of the open updates that no unit of work runs. */
  async *unclaimed(): AsyncGenerator<number[]> {
    for (let after: number | undefined = 0; after !== undefined;) {
      const page: readonly InboxEntry[] = await this.#page(after, PAGE);
      after = page.at(-1)?.arrival;
      yield page.map(({ updateId }) => updateId).filter((id) => !this.#claimed.has(id));
    }
  }

  #take(updates: readonly Update[], acceptances: readonly Acceptance[], ended: ReadonlySet<number>): Update[] {
    const free: Update[] = [];
    for (const [index, update] of updates.entries()) {
      if (ended.has(update.update_id) || !this.#isFree(update, acceptances[index])) continue;
      this.#handedOut.set(update.update_id, acceptances[index] === "accepted" ? 0 : 1);
      free.push(update);
    }
    return free;
  }

  /** New ones, and open ones that nobody has: the answer to an earlier attempt may have been lost. */
  #isFree({ update_id: id }: Update, acceptance: Acceptance | undefined): boolean {
    return acceptance !== "done" && !this.isReplaying && !this.#isTaken(id);
  }

  #isTaken(id: number): boolean {
    return this.#claimed.has(id) || this.#handedOut.has(id);
  }

  #page(after: number, limit: number, signals?: readonly StopSignal[]): Promise<readonly InboxEntry[]> {
    const { persistence, retry } = this.#options;
    return retry(() => persistence.openUpdates({ after, limit }), signals);
  }

  /** Hands out what nobody has; what cannot be read is reported and passed over. */
  #handOut(page: readonly InboxEntry[]): Update[] {
    const free: Update[] = [];
    for (const { updateId, update, attempts, unreadable } of page) {
      if (unreadable !== undefined) this.#options.reporter.report(unreadable, { updateId });
      if (update === undefined || this.#isTaken(update.update_id)) continue;
      this.#handedOut.set(update.update_id, attempts);
      free.push(update);
    }
    return free;
  }
}

/** Whoever sends a webhook request may send anything. */
function requireId({ update_id: id }: Update): void {
  if (Number.isSafeInteger(id)) return;
  throw new TypeError(`This is no update: its update_id is ${String(id)}.`);
}
