// What the model test has found, each as its shortest history.
import { join } from "node:path";
import type { Update } from "@grammyjs/types";
import { Bot, type Context } from "grammy";
import { expect, onTestFinished, test } from "vitest";
import { Application, SqlitePersistence, type PersistentContext } from "../src/index.ts";
import { DrivenClock, settled } from "./support/driven-clock.ts";
import { FailingPersistence } from "./support/failing-persistence.ts";
import { makeEngine, type Counts, type MadeEngine } from "./support/made-engine.ts";
import { newSqlite } from "./support/new-sqlite.ts";
import { openedSqlite } from "./support/opened-sqlite.ts";
import { setUp } from "./support/setting.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";
import { message } from "./support/updates.ts";

type CountingContext = PersistentContext<Context, { bot: object; chat: Counts; user: object }>;

/** An engine over a file in which an earlier run has left these updates. */
async function start(left: readonly Update[]): Promise<MadeEngine<FailingPersistence>> {
  const path = join(temporaryFolder(), "bot.sqlite");
  const clock = new DrivenClock();
  const earlier = await openedSqlite(path, { now: () => clock.now() });
  earlier.accept(left);
  earlier.close();
  return makeEngine(new FailingPersistence(newSqlite(path)), { clock });
}

test("after drop_pending_updates, what comes to app.webhookCallback runs", async () => {
  const { emulator, token, path } = await setUp();
  const bot = new Bot<CountingContext>(token, { client: { apiRoot: emulator.url } });
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path, durability: "os" }),
    initial: { bot: () => ({}), chat: () => ({ n: 0 }), user: () => ({}) },
    logger: silentLogger,
  });
  onTestFinished(() => app.shutdown());
  const counts: number[] = [];
  bot.on("message", (ctx) => void counts.push((ctx.chatData.n += 1)));
  const answer = app.webhookCallback("std/http") as unknown as (request: Request) => Promise<Response>;
  const receive = (id: number): Promise<Response> =>
    answer(new Request("http://localhost/", { method: "POST", body: JSON.stringify(message(id)) }));
  await receive(1);
  await expect.poll(() => counts).toEqual([1]);
  await bot.api.setWebhook("http://127.0.0.1:9/", { drop_pending_updates: true });
  await receive(2);
  await receive(3);
  await expect.poll(() => counts).toEqual([1, 2, 3]);
});

test("an update runs whose acceptance takes longer than the replay that it was left to", async () => {
  const { engine, persistence, clock } = await start([message(1)]);
  const ran: number[] = [];
  const handle = (update: Update): Promise<unknown> =>
    engine.handle(update, async () => void ran.push(update.update_id));
  let failures = 0;
  persistence.before = (operation) => {
    if (operation === "accept" && (failures += 1) === 1) throw new Error("busy");
  };
  const left = handle(message(2));
  await settled();
  for (const update of await engine.inbox.replay(100)) await handle(update);
  expect(await engine.inbox.replay(100)).toEqual([]);
  await clock.advance(1000);
  await left;
  expect(ran).toEqual([1, 2]);
});

test("an update that is left to a replay after its last page was read is on the next page", async () => {
  const { engine, persistence } = await start([message(1)]);
  const [first] = await engine.inbox.replay(100);
  await engine.handle(first as Update, async () => {});
  const { promise: late, resolve: answer } = Promise.withResolvers<void>();
  const openUpdates = persistence.openUpdates.bind(persistence);
  persistence.openUpdates = async (options) => {
    const page = await openUpdates(options);
    await late;
    return page;
  };
  const replaying = engine.inbox.replay(100);
  await settled();
  expect(await engine.inbox.accept([message(2)])).toEqual([]);
  answer();
  expect(await replaying).toEqual([message(2)]);
});

test("an update that is left to a replay when the inbox was empty meanwhile is not passed over", async () => {
  const { engine } = await start([message(1)]);
  const [first] = await engine.inbox.replay(100);
  await engine.handle(first as Update, async (unit) => void ((unit.chatData as Counts).n += 1));
  expect(await engine.inbox.accept([message(2)])).toEqual([]);
  expect(await engine.inbox.replay(100)).toEqual([message(2)]);
});

test("an update that is accepted twice at once, and done before the first answer comes, runs once", async () => {
  const { engine, persistence } = await start([]);
  const answers: (() => void)[] = [];
  persistence.after = (operation) =>
    operation === "accept" ? new Promise<void>((resolve) => answers.push(resolve)) : undefined;
  const receive = async (): Promise<void> => {
    for (const update of await engine.inbox.accept([message(1)])) {
      await engine.handle(update, async (unit) => void ((unit.chatData as Counts).n += 1));
    }
  };
  const [first, second] = [receive(), receive()];
  await settled();
  answers[1]?.();
  await second;
  answers[0]?.();
  await first;
  expect(await persistence.read([{ kind: "chat", id: 1 }])).toEqual([{ text: '{"n":1}', version: 0 }]);
});

test("forgetting a user takes along what the private chat was left while it waited for the user", async () => {
  const { engine, persistence } = await start([]);
  const { promise: late, resolve: goOn } = Promise.withResolvers<void>();
  const leaving = engine.transaction({ users: [1] }, async (unit) => {
    await late;
    const job = await unit.perform("job", () => unit.open({ kind: "job", id: "a" }));
    job.set({ left: true });
    job.foundBy = { chatId: 1 };
  });
  const forgetting = engine.transaction({ chats: [1] }, () => engine.forgetUser(1));
  await settled();
  goOn();
  await Promise.all([leaving, forgetting]);
  expect(await persistence.read([{ kind: "job", id: "a" }])).toEqual([undefined]);
});
