import type { StorageAdapter } from "grammy";
import type { Counted, Counts } from "./contender.ts";
import { chatKey, userKey } from "./grammy-bot.ts";

/** So many are read at the same time. */
const PART = 200;

/** What a grammY storage holds for these chats and users. */
export async function storedCounts(storage: StorageAdapter<Counted>, ids: readonly number[]): Promise<Counts> {
  return { chats: await readAll(storage, ids.map(chatKey)), users: await readAll(storage, ids.map(userKey)) };
}

async function readAll(storage: StorageAdapter<Counted>, keys: readonly string[]): Promise<number[]> {
  const counts: number[] = [];
  for (let begin = 0; begin < keys.length; begin += PART) {
    const part = keys.slice(begin, begin + PART).map(async (key) => (await storage.read(key))?.n ?? 0);
    counts.push(...(await Promise.all(part)));
  }
  return counts;
}
