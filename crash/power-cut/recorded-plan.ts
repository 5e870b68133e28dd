import type { UnitCommit } from "../../src/index.ts";

/** Faults put into the bot on purpose: whoever cuts the power must find each. */
export type PowerMutant = "never flushed" | "confirmed first" | "state before done";

/** What a recorded bot is told. */
export interface RecordedPlan {
  readonly token: string;
  readonly apiRoot: string;
  readonly file: string;
  readonly durability: "disk" | "os";
  /** A text whose handler ends the process. */
  readonly diesAt: string | undefined;
  readonly mutant: PowerMutant | undefined;
}

/** What the engine asks of a persistence that changes what is kept. */
export type PersistenceCall =
  | { readonly name: "accept"; readonly ids: readonly number[] }
  | { readonly name: "noteAttempts"; readonly id: number; readonly attempts: number }
  | { readonly name: "commit"; readonly units: readonly UnitCommit[] };

/**
 * A call is answered, so that all calls which had begun by when it began must survive from here on: all but the last so many. `accept` is not
 * answered for itself, but by a `sync` that begins later.
 */
interface PersistenceAnswer {
  readonly name: "answered";
  readonly since: number;
}

/** What a bot prints, as JSON: a call when it begins, before it writes, and its answer. */
export type PersistenceLine = PersistenceCall | PersistenceAnswer;
