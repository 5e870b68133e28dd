import type {
  AtomicPersistence,
  ChatAlias,
  InboxEntry,
  OpenUpdatesOptions,
  UnitCommit,
} from "../../../src/persistence/atomic-persistence.ts";
import { FailingPersistence } from "../../support/failing-persistence.ts";
import type { Call } from "./faults.ts";

/** Who watches a persistence: told of each call before it is made, and after it was, before its caller hears of it. */
export interface Watcher {
  before(call: Call, units?: readonly UnitCommit[]): Promise<void>;
  after(call: Call): Promise<void>;
  answered(call: Call): void;
}

/** A persistence each of whose calls is watched. */
export class WatchedPersistence extends FailingPersistence {
  readonly #watcher: Watcher;

  constructor(inner: AtomicPersistence, watcher: Watcher) {
    super(inner);
    this.#watcher = watcher;
    // A flush changes nothing that an end of the process could leave behind.
    this.before = (call, units) => (call === "sync" ? undefined : watcher.before(call, units));
    this.after = (call) => watcher.after(call);
  }

  override async commit(units: readonly UnitCommit[]): Promise<void> {
    await super.commit(units);
    this.#watcher.answered("commit");
  }

  override noteAttempts(updateId: number, attempts: number): Promise<boolean> {
    return this.#watch("note", () => super.noteAttempts(updateId, attempts));
  }

  override openUpdates(options: OpenUpdatesOptions): Promise<readonly InboxEntry[]> {
    return this.#watch("list", () => super.openUpdates(options));
  }

  override chatAliases(): Promise<readonly ChatAlias[]> {
    return this.#watch("list", () => super.chatAliases());
  }

  async #watch<T>(call: Call, make: () => Promise<T>): Promise<T> {
    await this.#watcher.before(call);
    const answer = await make();
    await this.#watcher.after(call);
    return answer;
  }
}
