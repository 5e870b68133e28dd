// Time to start and memory with 1 000 000 chats kept, beside an empty file. `node --expose-gc bench/open.ts [chats]`.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bot, type Context } from "grammy";
import { Application, SqlitePersistence, type PersistentContext, type UnitCommit } from "../src/index.ts";
import { ME, TelegramStub, messages } from "./telegram-stub.ts";

type Kept = { chat: { n: number; filler: string } };

const [path] = process.argv.slice(2);
if (path?.includes("/") === true) await measure(path);
else await compare(Number(path ?? 1_000_000));

/** Opens the application and handles one update: what a start costs until the first answer. */
async function measure(file: string): Promise<void> {
  const stub = new TelegramStub(messages(1, 1, process.pid), 1, 1);
  const bot = new Bot<PersistentContext<Context, Kept>>("1:x", { botInfo: ME as never, client: { fetch: stub.fetch } });
  const app = new Application(bot, {
    persistence: new SqlitePersistence({ path: file }),
    initial: { chat: () => ({ n: 0, filler: "" }) },
  });
  bot.on("message", (ctx) => {
    ctx.chatData.n += 1;
    ctx.afterCommit(() => stub.handled());
  });
  const begin = performance.now();
  await app.initialize();
  const initialized = performance.now();
  const running = app.run();
  await stub.finished;
  const handled = performance.now();
  process.send?.({ open: initialized - begin, first: handled - begin, memory: process.memoryUsage.rss() / 2 ** 20 });
  await app.stop();
  await running;
}

async function compare(chats: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "perdure-bench-"));
  for (const count of [0, chats]) {
    const file = join(folder, `${count}.sqlite`);
    await fill(file, count);
    console.log(`\n${count} chats kept, ${(statSync(file).size / 2 ** 20).toFixed(1)} MB`);
    for (let round = 0; round < 3; round += 1) {
      const child = fork(new URL(import.meta.url), [file]);
      const [{ open, first, memory }] = (await once(child, "message")) as [Record<"open" | "first" | "memory", number>];
      await once(child, "exit");
      console.log(
        `  open ${open.toFixed(1)} ms, first update durable after ${first.toFixed(1)} ms, ${memory.toFixed(1)} MB resident`,
      );
    }
  }
  rmSync(folder, { recursive: true });
}

async function fill(file: string, chats: number): Promise<void> {
  const persistence = new SqlitePersistence({ path: file, durability: "os" });
  await persistence.open({ botId: 1, now: Date.now });
  const text = JSON.stringify({ n: 1, filler: "x".repeat(180) });
  for (let begin = 0; begin < chats; begin += 10_000) {
    const units = Array.from({ length: Math.min(10_000, chats - begin) }, (_, index): UnitCommit => {
      const change = { key: { kind: "chat", id: begin + index + 1 }, record: { text, version: 0 } } as const;
      return { changes: [change] };
    });
    persistence.commit(units);
  }
  persistence.close();
}
