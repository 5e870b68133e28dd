import { AsyncLocalStorage } from "node:async_hooks";
import type { SqliteStatement } from "./sqlite-client.ts";
import type { SqliteStatements } from "./sqlite-statements.ts";

/** The transactions of one connection: each all or nothing, one at a time. */
export class SqliteTransactions {
  readonly #statements: SqliteStatements;
  /** The exclusive transaction that is open. */
  #exclusive: object | undefined;
  /** The exclusive transaction that the running code is a part of, open or not. */
  readonly #own = new AsyncLocalStorage<object>();
  /** Why SQLite has ended the exclusive transaction by itself. */
  #lost: { readonly error: unknown } | undefined;

  constructor(statements: SqliteStatements) {
    this.#statements = statements;
  }

  /** Whether there is a transaction that lasts longer than a call, of which everything is a part until it ends. */
  get isExclusive(): boolean {
    return this.#exclusive !== undefined;
  }

  /** Whether the running code is a part of the transaction that is exclusive: all other has to wait for its end. */
  get isWithin(): boolean {
    return this.#exclusive !== undefined && this.#own.getStore() === this.#exclusive;
  }

  /** Throws if the exclusive transaction has ended by itself: what came now would be outside of it. */
  requireNotLost(): void {
    if (this.#lost !== undefined) throw this.#lost.error;
  }

  /** What is read in it is of one moment. */
  read<T>(work: () => T): T {
    return this.isExclusive ? work() : this.#run(this.#statements.begin, work);
  }

  /** What is written in it is written as one or not at all; in an exclusive transaction, as a part of that. */
  write<T>(work: () => T): T {
    return this.isExclusive ? this.#runPart(work) : this.#run(this.#statements.beginImmediate, work);
  }

  /** Begins a transaction that lasts until one of the two that follow. */
  beginExclusive(): void {
    this.#statements.beginImmediate.run();
    this.#exclusive = {};
  }

  /** Does this as a part of the exclusive transaction. */
  within<T>(work: () => T): T {
    return this.#own.run(this.#exclusive ?? {}, work);
  }

  /** If it fails, the transaction is to be rolled back. */
  commitExclusive(): void {
    this.#statements.commit.run();
    this.#exclusive = undefined;
  }

  rollbackExclusive(): void {
    this.#exclusive = undefined;
    this.#lost = undefined;
    this.#rollBack();
  }

  #run<T>(begin: SqliteStatement, work: () => T): T {
    begin.run();
    try {
      const result = work();
      this.#statements.commit.run();
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #runPart<T>(work: () => T): T {
    const { savepoint, rollbackToSavepoint, releaseSavepoint } = this.#statements;
    savepoint.run();
    try {
      const result = work();
      releaseSavepoint.run();
      return result;
    } catch (error) {
      try {
        rollbackToSavepoint.run();
        releaseSavepoint.run();
      } catch {
        this.#lost = { error };
      }
      throw error;
    }
  }

  /** A full disk, for one, has ended the transaction already; its error is the one to tell, not that there is none to roll back. */
  #rollBack(): void {
    try {
      this.#statements.rollback.run();
    } catch {}
  }
}
