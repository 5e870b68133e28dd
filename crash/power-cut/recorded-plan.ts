import type { UnitCommit } from "../../src/index.ts";

/** Faults put into the bot on purpose: whoever cuts the power must find each. */
export type PowerMutant = "synchronous off" | "state before done";

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

/** What a bot prints when a call is answered: from here on it must survive. */
export const ANSWERED = "answered";
