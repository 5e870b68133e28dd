import { entryOf, type ContenderName } from "../contenders/all.ts";
import { measurementOf, type Plan } from "../plan.ts";
import type { RunFigures } from "../processes/job.ts";
import { interleaved } from "../repetitions.ts";
import { count, ratio, withQuartiles } from "../report/figures.ts";
import type { Table } from "../report/table.ts";
import { pairedRatios, spreadOf } from "../statistics.ts";

/** By `in flight`, then `contender`, then how many chats are kept: each repetition. */
export type GrowthFigures = Record<string, Record<string, Record<string, RunFigures[]>>>;

function who({ isQuick }: Pick<Plan, "isQuick">): readonly ContenderName[] {
  return isQuick ? ["perdure-disk", "perdure-os"] : ["perdure-disk", "perdure-os", "raw", "raw-os"];
}

/** What an update costs that changes one chat's data, by how many chats are kept. */
export async function growth(plan: Plan): Promise<GrowthFigures> {
  const figures: GrowthFigures = {};
  for (const inFlight of [1, 64]) {
    const measured = await measure(plan, inFlight);
    figures[inFlight] = measured;
    plan.show(tableOf(plan, inFlight, measured));
  }
  return figures;
}

/** How many chats are kept, in ascending order. */
export function sizes({ isQuick }: Pick<Plan, "isQuick">): readonly number[] {
  return isQuick ? [1000, 20_000] : [1000, 10_000, 100_000, 1_000_000];
}

async function measure(plan: Plan, inFlight: number): Promise<Record<string, Record<string, RunFigures[]>>> {
  const cases = who(plan).flatMap((contender) => sizes(plan).map((chats) => ({ contender, chats })));
  const measured = await interleaved(
    cases.map(({ contender, chats }) =>
      measurementOf(plan, `${contender} ${chats}`, contender, {
        inFlight,
        chats,
        distribution: "uniform",
        touch: "chat",
      }),
    ),
    plan.repetitions,
  );
  return Object.fromEntries(
    who(plan).map((contender) => [
      contender,
      Object.fromEntries(sizes(plan).map((chats) => [chats, measured[`${contender} ${chats}`] ?? []])),
    ]),
  );
}

function tableOf(plan: Plan, inFlight: number, measured: Record<string, Record<string, RunFigures[]>>): Table {
  const [fewest = 0, most = 0] = [sizes(plan)[0], sizes(plan).at(-1)];
  return {
    title: `One changed chat among many, ${inFlight === 1 ? "one at a time" : `${inFlight} in flight`}`,
    note: "µs per update; each update changes the data of a chat that is chosen at random.",
    head: ["", ...sizes(plan).map((size) => count(size)), `${count(most)} : ${count(fewest)}`],
    rows: Object.entries(measured).map(([contender, bySize]) => {
      const times = (chats: number): number[] => (bySize[chats] ?? []).map(({ time }) => time);
      return [
        entryOf(contender as ContenderName).title,
        ...sizes(plan).map((chats) => withQuartiles(spreadOf(times(chats)))),
        ratio(spreadOf(pairedRatios(times(most), times(fewest))).median),
      ];
    }),
  };
}
