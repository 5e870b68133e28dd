import type { Update } from "@grammyjs/types";
import type {
  Acceptance,
  ChatAlias,
  FailedUpdate,
  InboxEntry,
  OpenUpdatesOptions,
  UnitCommit,
} from "../atomic-persistence.ts";
import { DoneRanges, type DoneRange } from "../done-ranges.ts";

/** An accepted update. Its text, since whoever has the object may change it. */
interface Accepted {
  readonly arrival: number;
  readonly text: string;
  readonly attempts: number;
}

interface Failed {
  readonly text: string;
  readonly attempts: number;
  readonly failedAt: number;
}

/** The inbox, the done marks and the chats' new ids in memory: they mean what they mean elsewhere, and end with the process. */
export class MemoryInbox {
  readonly #now: () => number;
  /** By update id, in order of arrival. */
  #open = new Map<number, Accepted>();
  #failed: readonly Failed[] = [];
  #aliases = new Map<number, number>();
  #done = new DoneRanges();
  #arrivals = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  accept(updates: readonly Update[]): readonly Acceptance[] {
    return updates.map((update) => this.#accept(update));
  }

  openUpdates({ after = 0, limit }: OpenUpdatesOptions): readonly InboxEntry[] {
    const entries: InboxEntry[] = [];
    for (const [updateId, { arrival, attempts, text }] of this.#open) {
      if (entries.length >= limit) break;
      if (arrival > after) entries.push({ arrival, updateId, attempts, update: JSON.parse(text) as Update });
    }
    return entries;
  }

  noteAttempts(updateId: number, attempts: number): boolean {
    const accepted = this.#open.get(updateId);
    if (accepted === undefined) return false;
    this.#open.set(updateId, { ...accepted, attempts });
    return true;
  }

  failedUpdates(): readonly FailedUpdate[] {
    return this.#failed.map(({ text, ...failed }) => ({ update: JSON.parse(text) as Update, ...failed }));
  }

  chatAliases(): readonly ChatAlias[] {
    return Array.from(this.#aliases, ([from, to]) => ({ from, to }));
  }

  doneUpdates(): readonly DoneRange[] {
    return this.#done.remembered(this.#now());
  }

  /** What units of work leave beside their changes. Ranges that are none are a `TypeError`, and nothing has happened. */
  commit(units: readonly UnitCommit[]): void {
    const ranges = units.flatMap(({ doneUpdates = [] }) => doneUpdates);
    if (ranges.length > 0) {
      this.#done.addRanges(ranges, this.#now());
      for (const id of this.#open.keys()) if (this.#done.has(id, this.#now())) this.#open.delete(id);
    }
    const done = units.flatMap((unit) => unit.done ?? []);
    for (const { done: updateId, setAside = false, alias, failedUpdates = [] } of units) {
      if (updateId !== undefined) this.#end(updateId, setAside);
      for (const failed of failedUpdates) this.#setAside(failed);
      if (alias !== undefined) this.#aliases.set(alias.from, alias.to);
    }
    if (done.length > 0) this.#done.add(done, this.#now());
  }

  /** Remembers what there is. What is returned brings that back. */
  snapshot(): () => void {
    const [open, failed, aliases, done] = [
      new Map(this.#open),
      this.#failed,
      new Map(this.#aliases),
      this.doneUpdates(),
    ];
    return () => {
      this.#open = open;
      this.#failed = failed;
      this.#aliases = aliases;
      this.#done = new DoneRanges(done);
    };
  }

  #accept(update: Update): Acceptance {
    const { update_id: updateId } = update;
    if (this.#done.has(updateId, this.#now())) return "done";
    if (this.#open.has(updateId)) return "open";
    this.#arrivals += 1;
    this.#open.set(updateId, { arrival: this.#arrivals, text: JSON.stringify(update), attempts: 1 });
    return "accepted";
  }

  #end(updateId: number, setAside: boolean): void {
    const accepted = this.#open.get(updateId);
    this.#open.delete(updateId);
    if (accepted === undefined || !setAside) return;
    const { text, attempts } = accepted;
    this.#failed = [...this.#failed, { text, attempts, failedAt: this.#now() }];
  }

  #setAside({ update, attempts, failedAt }: FailedUpdate): void {
    const text = JSON.stringify(update);
    if (this.#failed.some((failed) => failed.text === text && failed.failedAt === failedAt)) return;
    this.#failed = [...this.#failed, { text, attempts, failedAt }];
  }
}
