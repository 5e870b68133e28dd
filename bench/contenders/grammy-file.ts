import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FileAdapter } from "@grammyjs/storage-file";
import { newRecord, type Contender, type Counted, type Setting } from "./contender.ts";
import { chatKey, runSessions, userKey } from "./grammy-bot.ts";
import { storedCounts } from "./stored-counts.ts";

/** grammY's official file storage: one file per session, in folders by the last two characters of its key. */
export function sessionFile(setting: Setting): Contender {
  const dirName = join(setting.folder, "sessions");
  const storage = new FileAdapter<Counted>({ dirName });
  return {
    async fill() {
      const text = JSON.stringify(newRecord(), null, "\t");
      for (let id = 1; id <= setting.chats; id += 1) {
        for (const key of [chatKey(id), userKey(id)]) {
          const folder = join(dirName, key.slice(-2));
          if (id <= 200) mkdirSync(folder, { recursive: true });
          writeFileSync(join(folder, `${key}.json`), text);
        }
      }
    },
    counts: (ids) => storedCounts(storage, ids),
    run: (stub) => runSessions(stub, setting, storage),
    close: async () => {},
  };
}
