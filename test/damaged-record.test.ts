import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Bot, type BotError, type Context } from "grammy";
import { expect, onTestFinished, test } from "vitest";
import {
  Application,
  SqlitePersistence,
  StorageAdapterPersistence,
  type BasePersistence,
  type PersistentContext,
} from "../src/index.ts";
import { setUp } from "./support/setting.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

interface Kept {
  chat: { texts: string[] };
}

/** A persistence, and what writes a text in the place of a chat's data. */
interface Damageable {
  readonly persistence: BasePersistence;
  readonly write: (chatId: number, text: string) => void;
}

function inStorageAdapter(): Damageable {
  const stored = new Map<string, unknown>();
  const storage = {
    read: (key: string) => stored.get(key),
    write: (key: string, value: unknown) => void stored.set(key, value),
    delete: (key: string) => void stored.delete(key),
  };
  return {
    persistence: new StorageAdapterPersistence({ storage }),
    write: (id, text) => void stored.set(`chat_${id}`, { perdure: 1, text }),
  };
}

function inSqlite(): Damageable {
  const path = join(temporaryFolder(), "bot.sqlite");
  return {
    persistence: new SqlitePersistence({ path, durability: "os" }),
    write: (id, text) => {
      const other = new DatabaseSync(path);
      other.prepare("insert or replace into chat_data values (?, 0, ?)").run(id, text);
      other.close();
    },
  };
}

test.each([
  ["StorageAdapterPersistence", inStorageAdapter],
  ["SqlitePersistence", inSqlite],
])(
  "bot.start() on %s: one damaged chat is an error of its updates, and everybody else is answered",
  async (_, make) => {
    const { emulator, token, ann } = await setUp();
    const bob = await emulator.createUser({ firstName: "Bob", bot: token });
    const { persistence, write } = make();
    const bot = new Bot<PersistentContext<Context, Kept>>(token, { client: { apiRoot: emulator.url } });
    const app = new Application(bot, {
      persistence,
      initial: { chat: () => ({ texts: [] }) },
      logger: silentLogger,
      stopTimeout: 0,
    });
    onTestFinished(() => app.shutdown());
    const caught: BotError[] = [];
    bot.catch((error) => void caught.push(error));
    bot.on("message:text", async (ctx) => {
      ctx.chatData.texts.push(ctx.msg.text);
      await ctx.reply(ctx.chatData.texts.join(" "));
    });
    await app.initialize();
    write(ann.id, "{broken");
    const running = bot.start();
    await ann.send("1");
    await bob.send("2");
    expect((await bob.nextReply()).text).toBe("2");
    expect(caught.map(({ ctx }) => ctx.chat?.id)).toEqual([ann.id]);
    expect(String(caught[0]?.error)).toContain(`${ann.id}`);
    await app.stop();
    await running;
  },
);
