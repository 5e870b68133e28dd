import type { Context } from "grammy";
import type { Application, PersistentContext } from "../src/index.ts";
import type { Step } from "./conversation-steps.ts";
import type { DeadlyPlaces } from "./deadly-places.ts";
import { INTERVAL, REPETITIONS, kindOf, numberOf, runName } from "./scheduled-runs.ts";

/** What the bot keeps. */
interface CrashKept {
  bot: { n: number; runs?: number };
  chat: { texts: string[]; runs?: string[]; steps?: Step[] };
  user: { n: number; runs?: number };
}

export type CrashContext = PersistentContext<Context, CrashKept>;

/** What fails because it is to. */
export class OnPurpose extends Error {}

/** Longer than anything takes, in milliseconds: what is scheduled for then and removed is never due. */
const FAR = 60_000;

/** Defines the jobs of a bot that is to be killed. Answers what schedules those of a text, in the text's update. */
export function defineCrashJobs(
  app: Application<CrashContext>,
  places: DeadlyPlaces,
): (ctx: CrashContext, text: string) => Promise<void> {
  const { jobQueue } = app;
  const note = jobQueue.define<{ number: number; fails: boolean }>(
    "note",
    async (ctx) => {
      const { number, fails } = ctx.job.data;
      const runs = (ctx.chatData.runs ??= []);
      runs.push(runName(number, ctx.scheduledTime.getTime()));
      places.pass("in a job");
      if (fails && ctx.attempt === 1) throw new OnPurpose("It fails at first.");
      ctx.userData.runs = (ctx.userData.runs ?? 0) + 1;
      await ctx.updateBotData((data) => (data.runs = (data.runs ?? 0) + 1));
    },
    { coalesce: false, retry: { attempts: 2, backoff: "50ms" } },
  );

  return async (ctx, text) => {
    const [number, kind] = [numberOf(text), kindOf(text)];
    const options = {
      id: String(number),
      chatId: ctx.chat?.id,
      userId: ctx.from?.id,
      data: { number, fails: kind === "fails at first" },
    };
    const soon = `${number % 200}ms` as const;
    const { due, last } = nextSecond();
    const [hour, minute, second] = [due.getUTCHours(), due.getUTCMinutes(), due.getUTCSeconds()];
    switch (kind) {
      case "nothing":
        return;
      case "once":
      case "fails at first":
        await jobQueue.runOnce(note, soon, options);
        return;
      case "daily":
        await jobQueue.runDaily(note, { hour, minute, second }, { ...options, last });
        return;
      case "monthly":
        await jobQueue.runMonthly(note, { hour, minute, second }, due.getUTCDate(), { ...options, last });
        return;
      case "cron":
        await jobQueue.runCron(note, `${second} ${minute} ${hour} * * *`, { ...options, last });
        return;
      case "repeating": {
        const end = new Date(Date.now() + (REPETITIONS + 0.5) * INTERVAL);
        await jobQueue.runRepeating(note, `${INTERVAL}ms`, { ...options, last: end });
        return;
      }
      case "one of two removed": {
        const other = await jobQueue.runOnce(note, FAR, { ...options, id: `${number} removed` });
        await jobQueue.runOnce(note, soon, options);
        await other.scheduleRemoval();
        return;
      }
      case "replaced":
        await jobQueue.runOnce(note, FAR, options);
        await jobQueue.runOnce(note, soon, options);
    }
  };
}

/** A moment that a clock shows in whole seconds, a second from now or a bit later, after which there is no other run. */
function nextSecond(): { readonly due: Date; readonly last: Date } {
  const due = Math.ceil(Date.now() / 1000 + 1) * 1000;
  return { due: new Date(due), last: new Date(due + 500) };
}
