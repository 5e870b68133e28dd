import { RedisAdapter } from "@grammyjs/storage-redis";
import { Redis } from "ioredis";
import { newRecord, type Contender, type Counted, type Setting } from "./contender.ts";
import { chatKey, runSessions, userKey } from "./grammy-bot.ts";
import { storedCounts } from "./stored-counts.ts";

const PART = 5000;

/** grammY's official Redis storage, with ioredis. Keys begin with the store's name, since the server may be anybody's. */
export function sessionRedis(setting: Setting): Contender {
  const redis = new Redis(setting.server ?? "", { keyPrefix: `perdure-bench-${setting.chats}-` });
  const storage = new RedisAdapter<Counted>({ instance: redis });
  return {
    async fill() {
      const text = JSON.stringify(newRecord());
      for (let begin = 1; begin <= setting.chats; begin += PART) {
        const pipeline = redis.pipeline();
        for (let id = begin; id < begin + PART && id <= setting.chats; id += 1) {
          pipeline.set(chatKey(id), text).set(userKey(id), text);
        }
        await pipeline.exec();
      }
    },
    counts: (ids) => storedCounts(storage, ids),
    run: (stub) => runSessions(stub, setting, storage),
    async close() {
      await redis.quit();
    },
  };
}
