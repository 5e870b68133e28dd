import { measurementOf, type Plan } from "../plan.ts";
import type { RunFigures } from "../processes/job.ts";
import { interleaved } from "../repetitions.ts";
import { ratio, withQuartiles } from "../report/figures.ts";
import type { Table } from "../report/table.ts";
import { pairedRatios, spreadOf } from "../statistics.ts";

/** By case, then `small` and `large`: each repetition. */
export type BotDataFigures = Record<string, Record<"small" | "large", RunFigures[]>>;

const BYTES = { small: 100, large: 1_000_000 };

const CASES = (["bot", "chat"] as const).flatMap((touch) =>
  [1, 64].flatMap((inFlight) =>
    (["perdure-disk", "perdure-os"] as const).map((contender) => ({ touch, inFlight, contender })),
  ),
);

/** What 1 MB of bot data costs the updates that only read it, and those that change something else. */
export async function botData(plan: Plan): Promise<BotDataFigures> {
  const sizes = ["small", "large"] as const;
  const cases = CASES.filter(
    ({ contender, inFlight }) => !plan.isQuick || (contender === "perdure-disk" && inFlight > 1),
  );
  const measurements = cases.flatMap((one) =>
    sizes.map((size) =>
      measurementOf(plan, `${caseName(one)} ${size}`, one.contender, {
        ...one,
        chats: 1000,
        distribution: "uniform",
        botBytes: BYTES[size],
      }),
    ),
  );
  const measured = await interleaved(measurements, plan.repetitions);
  const figures: BotDataFigures = {};
  for (const one of cases) {
    const name = caseName(one);
    figures[name] = { small: measured[`${name} small`] ?? [], large: measured[`${name} large`] ?? [] };
  }
  plan.show(tableOf(figures));
  return figures;
}

function tableOf(figures: BotDataFigures): Table {
  const times = (runs: readonly RunFigures[]): number[] => runs.map(({ time }) => time);
  return {
    title: "Bot data of 1 MB",
    note: "µs per update, Perdure, 1 000 chats.",
    head: ["", "100 B", "1 MB", "1 MB : 100 B"],
    rows: Object.entries(figures).map(([name, { small, large }]) => [
      name,
      withQuartiles(spreadOf(times(small))),
      withQuartiles(spreadOf(times(large))),
      ratio(spreadOf(pairedRatios(times(large), times(small))).median),
    ]),
  };
}

function caseName({ touch, inFlight, contender }: (typeof CASES)[number]): string {
  const what = touch === "bot" ? "bot data read" : "chat data changed";
  return `${what}, ${inFlight} in flight, durability ${contender === "perdure-os" ? "os" : "disk"}`;
}
