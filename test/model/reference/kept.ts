import { DONE_MEMORY } from "../../../src/persistence/atomic-persistence.ts";

/** A group that becomes a supergroup. */
export interface Migration {
  readonly from: number;
  readonly to: number;
}

/** An update as Telegram sent it, and whom it is about. */
export interface SentUpdate {
  readonly id: number;
  /** The update as JSON; no two are the same. */
  readonly text: string;
  readonly chat: number | undefined;
  readonly user: number | undefined;
  readonly migration: Migration | undefined;
}

/** An update that was accepted and is not done. */
export interface OpenUpdate extends SentUpdate {
  attempts: number;
  /** How many units of work had arrived when it was accepted. */
  readonly arrival: number;
  /** The life of the bot in which it was accepted. */
  readonly life: number;
}

/** An update that was set aside. */
export interface SetAsideUpdate {
  readonly id: number;
  readonly text: string;
  readonly attempts: number;
}

/** Everything that must be in the file, plainly. Records are JSON texts under `chat:1`, `user:1` and `bot`. */
export interface Kept {
  readonly records: Map<string, string>;
  /** In order of arrival. */
  readonly inbox: OpenUpdate[];
  /** When each update was done, by its id. */
  readonly done: Map<number, number>;
  readonly failed: SetAsideUpdate[];
  readonly aliases: Map<number, number>;
}

export function nothingKept(): Kept {
  return { records: new Map(), inbox: [], done: new Map(), failed: [], aliases: new Map() };
}

/** Ids are remembered in ranges that grow for an hour: so much longer than promised an update may be remembered. */
const SLACK = 60 * 60 * 1000;

/** Whether an update must be known to be done, must not be, or may be either. */
export function memoryOf(id: number, { done }: Kept, now: number): "done" | "either" | "forgotten" {
  const at = done.get(id);
  if (at === undefined) return "forgotten";
  if (now - at <= DONE_MEMORY) return "done";
  return now - at <= DONE_MEMORY + SLACK ? "either" : "forgotten";
}

/** The id under which a chat's data is kept. */
export function resolveChat(chat: number, { aliases }: Kept): number {
  return aliases.get(chat) ?? chat;
}

/** Takes an update out of the inbox, done at this time. */
export function markDone(kept: Kept, id: number, now: number): OpenUpdate | undefined {
  const index = kept.inbox.findIndex((open) => open.id === id);
  kept.done.set(id, now);
  return index < 0 ? undefined : kept.inbox.splice(index, 1)[0];
}
