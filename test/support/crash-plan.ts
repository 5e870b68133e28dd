/** The ways of running a bot that are killed. */
export const MODES = ["one at a time", "64 at a time", "bot.start()", "runner", "webhook"] as const;
export type Mode = (typeof MODES)[number];

/** Where a bot process dies. */
export type Place =
  | "before accepting"
  | "after accepting"
  | "replay"
  | "in a handler"
  | "before a commit"
  | "in a commit"
  | "after a commit"
  | "any moment";

/** Faults put into the bot on purpose: the story must find each. */
export type Mutant = "no done mark" | "acknowledge first" | "state before done";

/** What one bot process is told. */
export interface CrashPlan {
  readonly mode: Mode;
  readonly token: string;
  readonly apiRoot: string;
  readonly file: string;
  /** For webhooks: where to listen, and whether with grammY's own callback. */
  readonly port: number;
  readonly stock: boolean;
  /** Where to die, and how often to pass by that place before. */
  readonly place: Place | undefined;
  readonly after: number;
  readonly mutant: Mutant | undefined;
}
