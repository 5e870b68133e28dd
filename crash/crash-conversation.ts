import { END, TIMEOUT, filter, type Application, type Handler } from "../src/index.ts";
import { SILENCE, type State, type Step } from "./conversation-steps.ts";
import type { CrashContext } from "./crash-jobs.ts";
import type { DeadlyPlaces } from "./deadly-places.ts";

/**
 * Makes every text a step in the conversation of its chat and its user: from state to state, then it ends. After a while of silence it ends by itself. Each
 * step is noted in the chat, with where it began; the text, by `note`.
 */
export function addCrashConversation(
  app: Application<CrashContext>,
  places: DeadlyPlaces,
  note: (ctx: CrashContext) => Promise<void>,
): void {
  const step = (from: Step["from"], to: State | "end"): Handler<CrashContext, State | typeof END> =>
    filter(
      (ctx: CrashContext) => ctx.msg?.text !== undefined,
      async (ctx: CrashContext) => {
        (ctx.chatData.steps ??= []).push({ user: ctx.from?.id ?? 0, from, to });
        await note(ctx);
        return to === "end" ? END : to;
      },
    );
  const conversation = app.conversation({
    name: "steps",
    persistent: true,
    entryPoints: [step("none", "one")],
    states: {
      one: [step("one", "two")],
      two: [step("two", "three")],
      three: [step("three", "four")],
      four: [step("four", "end")],
      [TIMEOUT]: [
        filter(
          () => true,
          (ctx) => {
            const steps = (ctx.chatData.steps ??= []);
            const user = ctx.from?.id ?? 0;
            const from = steps.findLast((one) => one.user === user)?.to ?? "none";
            steps.push({ user, from, to: "silence" });
            places.pass("in a job");
            ctx.userData.runs = (ctx.userData.runs ?? 0) + 1;
          },
        ),
      ],
    },
    conversationTimeout: `${SILENCE}ms`,
  });
  app.bot.use(conversation);
}
