import { contenderNames, entryOf, type ContenderName } from "../contenders/all.ts";
import { measurementOf, type Plan, type Scenario } from "../plan.ts";
import type { RunFigures } from "../processes/job.ts";
import { interleaved } from "../repetitions.ts";
import { count, figure, ratio, withQuartiles } from "../report/figures.ts";
import type { Table } from "../report/table.ts";
import { pairedRatios, spreadOf } from "../statistics.ts";

/** By the names of scenarios, then by the names of contenders: each repetition. */
export type UpdatesFigures = Record<string, Record<string, RunFigures[]>>;

/** Few chats, and many. */
const FEW = 1000;

/** Where all take part. Elsewhere the slow ones stay out: their time is said already. */
const FAST: readonly ContenderName[] = [
  "floor",
  "session-memory",
  "session-redis-everysec",
  "perdure-disk",
  "perdure-os",
  "raw",
  "raw-os",
];

interface Wanted extends Scenario {
  readonly who: readonly ContenderName[];
}

/** How long an update takes: every contender, under every load. */
export async function updates(plan: Plan): Promise<UpdatesFigures> {
  const figures: UpdatesFigures = {};
  for (const { who, ...scenario } of scenarios(plan)) {
    const name = scenarioName(scenario);
    const present = who.filter((contender) => plan.stores.has(contender));
    const measurements = present.map((contender) => measurementOf(plan, contender, contender, scenario));
    const measured = await interleaved(measurements, plan.repetitions);
    figures[name] = measured;
    plan.show(tableOf(scenario, measured));
  }
  return figures;
}

/** How many chats are "many" in a run. */
export function manyChats({ isQuick }: Pick<Plan, "isQuick">): number {
  return isQuick ? 10_000 : 100_000;
}

/** What a scenario is kept under. */
export function scenarioName({ inFlight, chats, distribution, touch }: Scenario): string {
  return `${inFlight} in flight, ${chats} chats, ${distribution}, ${touch}`;
}

function scenarios(plan: Plan): Wanted[] {
  const many = manyChats(plan);
  const uniform = "uniform" as const;
  const all = contenderNames;
  const short: Wanted[] = [
    { inFlight: 64, chats: many, distribution: uniform, touch: "both", who: all },
    { inFlight: 1, chats: many, distribution: uniform, touch: "both", who: plan.isQuick ? FAST : all },
    { inFlight: 64, chats: many, distribution: uniform, touch: "none", who: FAST },
  ];
  if (plan.isQuick) return short;
  return [
    ...short,
    { inFlight: 1, chats: many, distribution: uniform, touch: "none", who: FAST },
    { inFlight: 64, chats: many, distribution: uniform, touch: "read", who: FAST },
    { inFlight: 1, chats: many, distribution: uniform, touch: "read", who: FAST },
    { inFlight: 64, chats: FEW, distribution: uniform, touch: "both", who: all },
    { inFlight: 1, chats: FEW, distribution: uniform, touch: "both", who: all },
    { inFlight: 64, chats: many, distribution: "zipf", touch: "both", who: FAST },
    { inFlight: 64, chats: FEW, distribution: "zipf", touch: "both", who: FAST },
    { inFlight: 1, chats: many, distribution: "zipf", touch: "both", who: FAST },
  ];
}

const TOUCHED: Readonly<Record<Scenario["touch"], string>> = {
  both: "chat and user data changed",
  chat: "chat data changed",
  read: "chat and user data only read",
  bot: "bot data only read",
  none: "nothing touched",
};

function tableOf(scenario: Scenario, measured: Record<string, RunFigures[]>): Table {
  const floor = times(measured["floor"] ?? []);
  const raw = times(measured["raw"] ?? []);
  const flow = scenario.inFlight === 1 ? "one at a time" : `${scenario.inFlight} in flight`;
  return {
    title: `${flow}, ${count(scenario.chats)} chats kept, ${scenario.distribution}, ${TOUCHED[scenario.touch]}`,
    head: ["", "µs per update", "best", "× floor", "× SQLite alone", "CPU µs", "longest stall ms"],
    rows: Object.entries(measured).map(([name, runs]) => [
      entryOf(name as ContenderName).title,
      withQuartiles(spreadOf(times(runs))),
      figure(Math.min(...times(runs))),
      ratio(spreadOf(pairedRatios(times(runs), floor)).median),
      ratio(spreadOf(pairedRatios(times(runs), raw)).median),
      figure(spreadOf(runs.map(({ cpu }) => cpu)).median),
      stallText(runs),
    ]),
  };
}

/** Without anything to wait for, the event loop never comes round: nothing to measure. */
function stallText(runs: readonly RunFigures[]): string {
  const { median } = spreadOf(runs.map(({ stall }) => stall));
  return median === 0 ? "–" : figure(median);
}

function times(runs: readonly RunFigures[]): number[] {
  return runs.map(({ time }) => time);
}
