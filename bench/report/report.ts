import type { Environment } from "../environment.ts";
import type { BarResult } from "../results.ts";
import type { Table } from "./table.ts";
import { tableText } from "./table.ts";

/** How a run was made, in a few lines. */
export function environmentText(of: Environment): string {
  return [
    `${of.at.slice(0, 10)}, Node ${of.node} (SQLite ${of.sqlite}), grammY ${of.grammy}, ${of.cores} cores of ${of.processor};`,
    `load ${of.loadBefore.toFixed(1)} when it began, ${of.loadAfter.toFixed(1)} when it ended; ${Math.round(of.seconds)} s;`,
    `seed ${of.seed}; ${of.repetitions} repetitions${of.isQuick ? "; a quick run, with fewer chats and a shorter warm-up than the bars ask for" : ""}.`,
    ...(of.remarks.length === 0 ? [] : [`Servers: ${of.remarks.join("; ")}.`]),
  ].join("\n");
}

/** The bars with their verdicts. */
export function barsTable(bars: readonly BarResult[]): Table {
  return {
    title: "Bars",
    note: "The median (quartiles) of the ratios of each repetition.",
    head: ["", "bar", "measured", "verdict"],
    rows: bars.map(({ what, bar, measured, verdict }) => [what, bar, measured, verdict]),
  };
}

/** The whole of it, as Markdown. */
export function reportText(of: Environment, tables: readonly Table[], bars: readonly BarResult[]): string {
  return [environmentText(of), ...tables.map(tableText), tableText(barsTable(bars))].join("\n\n");
}
