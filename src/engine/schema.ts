import type { Scope } from "../data/record.ts";

/** Brings a value up by one version: changes it in place, or returns a new one. Not asynchronous. */
export type Migration = (value: never) => unknown;

/** What a scope's values are when there is none yet, and how older ones are brought up. */
export interface ScopeSchema {
  readonly initial: () => unknown;
  /** The first brings version 0 to 1, and so on: their number is the current version. */
  readonly migrations: readonly Migration[];
}

/** One for each scope. */
export type Schema = Readonly<Record<Scope, ScopeSchema>>;
