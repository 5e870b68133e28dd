import type { Touch } from "../load.ts";
import type { TelegramStub } from "../telegram-stub.ts";

/** What is kept for a chat, and for a user: about 200 bytes of JSON. */
export interface Counted {
  n: number;
  filler: string;
}

/** A record that nobody has changed yet. */
export function newRecord(): Counted {
  return { n: 0, filler: "x".repeat(180) };
}

/** Where and how a contender works. */
export interface Setting {
  /** A folder of its own, which outlives the process. */
  readonly folder: string;
  /** The server that it keeps its data in, if it does. */
  readonly server?: string | undefined;
  readonly chats: number;
  readonly inFlight: number;
  readonly touch: Touch;
  /** About so many bytes of bot data are kept. */
  readonly botBytes?: number | undefined;
}

/** How often each of some chats and users was counted. */
export interface Counts {
  readonly chats: readonly number[];
  readonly users: readonly number[];
}

/** One of those that are compared. Each measurement has a process of its own. */
export interface Contender {
  /** Keeps as many chats and users as the setting says. For those whose data outlives the process: once. */
  fill(): Promise<void>;
  /** What is kept for these chats and users, or `undefined` for a contender that keeps nothing. */
  counts(ids: readonly number[]): Promise<Counts | undefined>;
  /** Handles everything that is delivered, and stops. */
  run(stub: TelegramStub): Promise<void>;
  /** Lets go of what it has open. */
  close(): Promise<void>;
}
