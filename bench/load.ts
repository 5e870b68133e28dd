import type { Update } from "@grammyjs/types";
import { seededRandom } from "../test/support/seeded-random.ts";

/** What each update's handler does: changes chat and user data, changes chat data, reads both, reads the bot's, or nothing. */
export type Touch = "both" | "chat" | "read" | "bot" | "none";

/** The updates of one measurement. Everything about them follows from these numbers. */
export interface Load {
  /** So many are delivered at once, and the next ones when all of those are handled. */
  readonly inFlight: number;
  /** So many chats and users are kept; an update is of one of them. */
  readonly chats: number;
  /** How often each chat writes: all equally, or the k-th in proportion to 1/k. */
  readonly distribution: "uniform" | "zipf";
  readonly touch: Touch;
  /** Handled before the measuring begins. A multiple of `inFlight`, as `updates` is. */
  readonly warmUp: number;
  /** Measured. */
  readonly updates: number;
  readonly seed: number;
  /** The id of the first update. Stores that outlive a process know the ids that they have seen. */
  readonly firstId: number;
}

/** All updates of a load, those of the warm-up included. */
export function updatesOf(load: Load): Update[] {
  const chat = chatsOf(load);
  return Array.from({ length: load.warmUp + load.updates }, (_, index) => messageOf(load.firstId + index, chat()));
}

/** How many of these updates each chat has. A chat's only user has its id. */
export function countPerChat(updates: readonly Update[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const update of updates) {
    const id = update.message?.chat.id ?? 0;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

function chatsOf({ chats, distribution, seed }: Load): () => number {
  const random = seededRandom(seed);
  if (distribution === "uniform") return () => 1 + Math.floor(random() * chats);
  const cumulative = new Float64Array(chats);
  let sum = 0;
  for (let index = 0; index < chats; index += 1) cumulative[index] = sum += 1 / (index + 1);
  return () => 1 + firstAbove(cumulative, random() * sum);
}

function firstAbove(cumulative: Float64Array, value: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cumulative[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A text in a private chat, from its only user, who has its id. */
export function messageOf(id: number, chat: number): Update {
  const from = { id: chat, is_bot: false, first_name: "Ann" };
  return {
    update_id: id,
    message: { message_id: id, date: 0, text: "hello", from, chat: { id: chat, type: "private", first_name: "Ann" } },
  };
}
