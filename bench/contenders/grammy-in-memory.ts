import { MemorySessionStorage } from "grammy";
import type { TelegramStub } from "../telegram-stub.ts";
import { newRecord, type Contender, type Counted, type Counts, type Setting } from "./contender.ts";
import { addSessions, chatKey, newBot, startUntilFinished, userKey, type SessionContext } from "./grammy-bot.ts";

const nothing = async (): Promise<void> => {};

/** What a bot costs that keeps nothing. */
export function stateless(_setting: Setting): Contender {
  return {
    fill: nothing,
    close: nothing,
    counts: async () => undefined,
    async run(stub) {
      const bot = newBot(stub);
      bot.on("message", () => {});
      await startUntilFinished(bot as never, stub);
    },
  };
}

/** The floor: the same handler on two Maps, without any promise for what is kept. */
export function plainMaps(setting: Setting): Contender {
  const chats = new Map<number, Counted>();
  const users = new Map<number, Counted>();
  return {
    async fill() {
      for (let id = 1; id <= setting.chats; id += 1) {
        chats.set(id, newRecord());
        users.set(id, newRecord());
      }
    },
    counts: async (ids) => countsOf(ids, chats, users),
    run: (stub) => runOnMaps(stub, setting, chats, users),
    close: nothing,
  };
}

async function runOnMaps(
  stub: TelegramStub,
  { touch }: Setting,
  chats: Map<number, Counted>,
  users: Map<number, Counted>,
): Promise<void> {
  const bot = newBot(stub);
  let read = 0;
  bot.on("message", (ctx) => {
    if (touch === "none" || touch === "bot") return;
    const chat = kept(chats, ctx.chat.id);
    if (touch === "read") read += chat.n + kept(users, ctx.from.id).n;
    else chat.n += 1;
    if (touch === "both") kept(users, ctx.from.id).n += 1;
  });
  await startUntilFinished(bot as never, stub);
}

function kept(map: Map<number, Counted>, id: number): Counted {
  const found = map.get(id);
  if (found !== undefined) return found;
  const record = newRecord();
  map.set(id, record);
  return record;
}

function countsOf(ids: readonly number[], chats: Map<number, Counted>, users: Map<number, Counted>): Counts {
  return { chats: ids.map((id) => kept(chats, id).n), users: ids.map((id) => kept(users, id).n) };
}

/** grammY's sessions as they are without a storage. Nothing waits, so grammY's own loop is the quickest. */
export function sessionInMemory(setting: Setting): Contender {
  const storage = new MemorySessionStorage<Counted>();
  return {
    async fill() {
      for (let id = 1; id <= setting.chats; id += 1) {
        storage.write(chatKey(id), newRecord());
        storage.write(userKey(id), newRecord());
      }
    },
    async counts(ids) {
      const count = (key: string): number => storage.read(key)?.n ?? 0;
      return { chats: ids.map((id) => count(chatKey(id))), users: ids.map((id) => count(userKey(id))) };
    },
    async run(stub) {
      const bot = newBot<SessionContext>(stub);
      addSessions(bot, storage, setting);
      await startUntilFinished(bot as never, stub);
    },
    close: nothing,
  };
}
