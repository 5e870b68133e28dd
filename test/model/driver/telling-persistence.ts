import type { Update } from "@grammyjs/types";
import type { MaybePromise } from "../../../src/data/maybe-promise.ts";
import type { Acceptance, UnitCommit } from "../../../src/persistence/atomic-persistence.ts";
import {
  SqlitePersistence,
  type SqlitePersistenceOptions,
} from "../../../src/persistence/sqlite/sqlite-persistence.ts";

/**
 * The real persistence, which tells of every change of the file at once, before anything else can happen. What a call writes it has written when
 * it returns; its promise is about the disk.
 */
export class TellingPersistence extends SqlitePersistence {
  readonly #onWritten: () => void;

  constructor(options: SqlitePersistenceOptions, onWritten: () => void) {
    super(options);
    this.#onWritten = onWritten;
  }

  override accept(updates: readonly Update[]): readonly Acceptance[] {
    const acceptances = super.accept(updates);
    this.#onWritten();
    return acceptances;
  }

  override noteAttempts(updateId: number, attempts: number): MaybePromise<boolean> {
    const isOpen = super.noteAttempts(updateId, attempts);
    this.#onWritten();
    return isOpen;
  }

  override commit(units: readonly UnitCommit[]): MaybePromise<void> {
    const flushed = super.commit(units);
    this.#onWritten();
    return flushed;
  }
}
