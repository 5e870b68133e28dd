import { join } from "node:path";
import { Bot, type BotConfig, type Context } from "grammy";
import { onTestFinished } from "vitest";
import {
  Application,
  SqlitePersistence,
  type ApplicationOptions,
  type KeptOf,
  type PersistentContext,
} from "../../src/index.ts";
import { silentLogger } from "./silent-logger.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** What the bots of most stories keep. */
export interface Kept {
  bot: { n: number };
  chat: { log: string[] };
  user: { n: number };
}
export type MyContext = PersistentContext<Context, Kept>;
export type MyOptions = ApplicationOptions<KeptOf<MyContext>, Application<MyContext>>;

const ME = { id: 1, is_bot: true, first_name: "bot", username: "test_bot" };

/** An application, its bot and its file. */
export interface MadeApp {
  readonly bot: Bot<MyContext>;
  readonly app: Application<MyContext>;
  readonly path: string;
  /** What `app.onError` heard. */
  readonly reported: readonly unknown[];
}

/** An application whose updates the test hands in itself, shut down when the test has finished. */
export function makeApp(options: Partial<MyOptions> = {}, config: BotConfig<MyContext> = {}): MadeApp {
  const path = join(temporaryFolder(), "bot.sqlite");
  const bot = new Bot<MyContext>("1:x", { botInfo: ME as never, ...config });
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }),
    initial: { bot: () => ({ n: 0 }), chat: () => ({ log: [] }), user: () => ({ n: 0 }) },
    logger: silentLogger,
    ...options,
  });
  const reported: unknown[] = [];
  app.onError((error) => void reported.push(error));
  onTestFinished(() => app.shutdown());
  return { bot, app, path, reported };
}

let nextId = 1;

/** The next update: what a user writes in a chat. */
export function textUpdate(text: string, { chat = -1, user = 7 }: { chat?: number; user?: number } = {}): never {
  const from = { id: user, is_bot: false, first_name: "Ann" };
  const entities = text.startsWith("/") ? [{ type: "bot_command", offset: 0, length: text.length }] : undefined;
  const message = { message_id: nextId, date: 0, text, entities, from, chat: { id: chat, type: "group", title: "" } };
  return { update_id: nextId++, message } as never;
}

/** All that an iteration gives. */
export async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}
