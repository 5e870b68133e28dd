import type { Plan } from "../plan.ts";
import type { StepFigures } from "../processes/job.ts";
import { inOwnProcess } from "../processes/measured-process.ts";
import { figure } from "../report/figures.ts";

/** The steps of which it is told what they write. */
const STEPS = [5, 50, 500] as const;

/** What a step of one user's conversation writes, however long that has been going on. The same in every run; so it is counted once. */
export async function conversation(plan: Plan): Promise<StepFigures[]> {
  const setting = await plan.stores.setting("perdure-disk", { chats: 0, inFlight: 1, touch: "none" });
  const figures = await inOwnProcess("conversation", { contender: "perdure-disk", setting, steps: STEPS });
  plan.show({
    title: "Written per step of a conversation",
    note:
      "A persistent conversation with a timeout, whose answers change nothing else: the state, the timeout's job, the inbox and the " +
      "done mark. Counted as above.",
    head: ["step", "rows", "pages", "bytes"],
    rows: figures.map(({ step, written }) => [
      String(step),
      figure(written.rows),
      figure(written.pages),
      figure(written.bytes),
    ]),
  });
  return figures;
}
