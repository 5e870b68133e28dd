import type { Context } from "grammy";
import { Application, SqlitePersistence, type PersistentContext } from "../../src/index.ts";
import type { TelegramStub } from "../telegram-stub.ts";
import { newRecord, type Contender, type Counted, type Setting } from "./contender.ts";
import { newBot } from "./grammy-bot.ts";
import { fillSqlite, sqliteCounts, sqlitePath } from "./sqlite-store.ts";

type Kept = { bot: { entries: readonly unknown[] }; chat: Counted; user: Counted };
type KeptContext = PersistentContext<Context, Kept>;

/** This library, with its own loop. */
export function perdure(setting: Setting, durability: "disk" | "os"): Contender {
  let close = async (): Promise<void> => {};
  return {
    fill: () => fillSqlite(setting),
    counts: async (ids) => sqliteCounts(setting, ids),
    async run(stub) {
      const app = newApplication(stub, setting, durability);
      await app.start();
      await stub.finished;
      // Done marks that wait for a commit are durable after this.
      await app.stop();
      close = () => app.shutdown();
    },
    close: () => close(),
  };
}

/** A bot that does what the setting says. */
export function newApplication(
  stub: TelegramStub,
  setting: Setting,
  durability: "disk" | "os",
): Application<KeptContext> {
  const bot = newBot<KeptContext>(stub);
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path: sqlitePath(setting), durability }),
    initial: { bot: () => ({ entries: [] }), chat: newRecord, user: newRecord },
  });
  const { touch } = setting;
  let read = 0;
  bot.on("message", (ctx) => {
    if (touch === "both") ctx.userData.n += 1;
    if (touch === "both" || touch === "chat") ctx.chatData.n += 1;
    if (touch === "read") read += ctx.chatData.n + ctx.userData.n;
    if (touch === "bot") read += ctx.botData.entries.length;
  });
  return app;
}
