import type { Plan } from "../plan.ts";
import { inOwnProcess } from "../processes/measured-process.ts";
import type { ButtonsFigures, ButtonsJob } from "../processes/job.ts";
import { interleaved } from "../repetitions.ts";
import { count, figure, withQuartiles } from "../report/figures.ts";
import { spreadOf } from "../statistics.ts";

/** By case: each repetition. */
export type ButtonsResults = Record<string, ButtonsFigures[]>;

const CONTENDERS = ["plain buttons", "data buttons"] as const;

/** What data buttons cost beside buttons with plain data, of which nothing is kept. */
export async function buttons(plan: Plan): Promise<ButtonsResults> {
  const updates = plan.isQuick ? 500 : 2000;
  const cases = [100, plan.isQuick ? 1000 : 10_000].flatMap((kept) =>
    CONTENDERS.map((contender) => ({ contender, kept })),
  );
  const measurements = cases.map(({ contender, kept }, index) => {
    let repetition = 0;
    return {
      name: nameOf({ contender, kept }),
      measure: (): Promise<ButtonsFigures> => {
        repetition += 1;
        const folder = plan.stores.newFolder(`buttons-${index}-${repetition}`);
        return inOwnProcess("buttons", { contender, kept, updates, folder });
      },
    };
  });
  const figures = await interleaved(measurements, plan.repetitions);
  plan.show({
    title: "Data buttons",
    note:
      "A bot that has sent so many keyboards of two buttons, each with an object of 50 bytes or with a short text, by data that is durable on disk. Per press: µs, one at a time, its update " +
      "accepted, handled and done, with a change of chat data. Per keyboard that is sent: rows changed and bytes written into SQLite's log, by an update of its own. Memory: MB of heap in use after sending them all.",
    head: ["", "µs per press", "rows per keyboard", "bytes per keyboard", "MB"],
    rows: Object.entries(figures).map(([name, runs]) => [
      name,
      withQuartiles(spreadOf(runs.map(({ time }) => time))),
      spreadOf(runs.map(({ written }) => written.rows)).median.toFixed(2),
      figure(spreadOf(runs.map(({ written }) => written.bytes)).median),
      figure(spreadOf(runs.map(({ heap }) => heap)).median),
    ]),
  });
  return figures;
}

function nameOf({ contender, kept }: Pick<ButtonsJob, "contender" | "kept">): string {
  return `${contender}, ${count(kept)} keyboards`;
}
