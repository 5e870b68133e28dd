// One user's conversation, one answer after the other: what some of its steps write.
import { Bot, type Context } from "grammy";
import { Application, hears, SqlitePersistence, type PersistentContext } from "../../src/index.ts";
import { sqlitePath } from "../contenders/sqlite-store.ts";
import { ME } from "../telegram-stub.ts";
import { answer } from "./answer.ts";
import type { ConversationJob, StepFigures } from "./job.ts";
import { WrittenCount } from "./written-count.ts";

await answer(async ({ setting, steps }: ConversationJob): Promise<StepFigures[]> => {
  const count = new WrittenCount();
  const bot = new Bot<PersistentContext<Context, object>>("1:x", { botInfo: ME as never });
  const app = new Application(bot, { persistence: new SqlitePersistence({ path: sqlitePath(setting) }) });
  bot.use(
    app.conversation({
      name: "steps",
      persistent: true,
      entryPoints: [hears("answer", () => "ODD")],
      states: { ODD: [hears("answer", () => "EVEN")], EVEN: [hears("answer", () => "ODD")] },
      fallbacks: [],
      conversationTimeout: "30m",
    }),
  );
  await app.initialize();
  const figures: StepFigures[] = [];
  for (let step = 1; step <= Math.max(...steps); step += 1) {
    const isCounted = steps.includes(step);
    if (isCounted) count.begin();
    await bot.handleUpdate(answered(step));
    if (isCounted) figures.push({ step, written: count.perUpdate(1) });
  }
  await app.shutdown();
  return figures;
});

function answered(step: number): never {
  const from = { id: 7, is_bot: false, first_name: "Ann" };
  const chat = { id: 7, type: "private", first_name: "Ann" };
  // The numbers have the same length in each step, and so have the texts.
  const [id, date] = [100_000 + step, 1_700_000_000 + step];
  return { update_id: id, message: { message_id: id, date, text: "answer", from, chat } } as never;
}
