import { runOnce, type Plan, type Scenario } from "../plan.ts";
import type { Written } from "../processes/job.ts";
import { count, figure } from "../report/figures.ts";
import type { Table } from "../report/table.ts";
import { sizes } from "./growth.ts";

/** By case: what Perdure writes, and what the same rows take. */
export type WrittenFigures = Record<string, { readonly perdure: Written; readonly raw: Written }>;

const TOUCHED = { both: "both changed", chat: "chat changed", read: "both read", none: "untouched" } as const;

/** What is written per update. The same in every run, on every machine; so it is counted once. */
export async function written(plan: Plan): Promise<WrittenFigures> {
  const figures: WrittenFigures = {};
  for (const scenario of scenarios(plan)) {
    const perdure = await countOnce(plan, "perdure-disk", scenario);
    const raw = await countOnce(plan, "raw", scenario);
    const touched = TOUCHED[scenario.touch as keyof typeof TOUCHED];
    figures[`${touched}, ${scenario.inFlight} in flight, ${count(scenario.chats)} chats`] = { perdure, raw };
  }
  plan.show(tableOf(figures));
  return figures;
}

async function countOnce(plan: Plan, contender: "perdure-disk" | "raw", scenario: Scenario): Promise<Written> {
  const { written: found } = await runOnce(plan, contender, scenario, 1, true);
  if (found === undefined) throw new Error(`${contender} has not said what it wrote.`);
  return found;
}

function scenarios(plan: Plan): Scenario[] {
  const [fewest = 0, most = 0] = [sizes(plan)[0], sizes(plan).at(-1)];
  const chosen = plan.isQuick ? [most] : [fewest, most];
  const touches = Object.keys(TOUCHED) as (keyof typeof TOUCHED)[];
  return chosen.flatMap((chats) =>
    [1, 64].flatMap((inFlight) =>
      touches.map((touch): Scenario => ({ chats, inFlight, touch, distribution: "uniform" })),
    ),
  );
}

function tableOf(figures: WrittenFigures): Table {
  return {
    title: "Written per update",
    note:
      "SQLite's own counts on the writing connection: rows inserted, changed and removed (`total_changes()`), pages and bytes " +
      "that went into its log (`wal_checkpoint`). The checkpoints that copy them into the file later are not counted.",
    head: ["", "rows", "rows, SQLite alone", "pages", "pages, SQLite alone", "bytes", "bytes, SQLite alone"],
    rows: Object.entries(figures).map(([name, { perdure, raw }]) => [
      name,
      ...(["rows", "pages"] as const).flatMap((of) => [perdure[of].toFixed(2), raw[of].toFixed(2)]),
      figure(perdure.bytes),
      figure(raw.bytes),
    ]),
  };
}
