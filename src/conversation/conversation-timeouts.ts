import type { UnitOfWork } from "../engine/unit-of-work.ts";
import type { ConversationParties } from "./conversation-id.ts";

/** What the job of a timeout says. */
export interface TimeoutData {
  /** The id of the job. It stays the same when the chat moves, and so the id of the conversation changes. */
  readonly job: string;
  /** The name of the conversation handler. */
  readonly conversation: string;
  /** Whose conversation it is, as of when it was scheduled. */
  readonly parties: ConversationParties;
  /** When it is due, in milliseconds since 1970: what is due at another time is another timeout. */
  readonly due: number;
  /** Whose data `TIMEOUT` handlers have: the chat and the user of the last update. Absent without handlers. */
  readonly last?: Pick<ConversationParties, "chat" | "user"> | undefined;
}

/** A timeout to be scheduled. */
export interface NewTimeout extends TimeoutData {
  /** When it is tried, in milliseconds since 1970. */
  readonly at: number;
}

/** Jobs that end conversations. What becomes of them is real with the unit of work's commit. */
export interface ConversationTimeouts {
  /** Schedules one; with the id of one that is scheduled, moves that. */
  put(unit: UnitOfWork, timeout: NewTimeout): Promise<void>;
  /** Removes one, if there is one. */
  remove(unit: UnitOfWork, job: string): Promise<void>;
}
