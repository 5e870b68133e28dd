import { entryOf, type ContenderName } from "../contenders/all.ts";
import { manyChats, scenarioName, type UpdatesFigures } from "../parts/updates.ts";
import type { Plan } from "../plan.ts";
import { pairedRatios, spreadOf } from "../statistics.ts";
import { chart, type ChartGroup } from "./chart.ts";
import { count, figure } from "./figures.ts";

/** The two loads that the bars are about, as a picture; `undefined` when they were not measured. */
export function picture(updates: UpdatesFigures | undefined, plan: Pick<Plan, "isQuick">): string | undefined {
  if (updates === undefined) return undefined;
  const chats = manyChats(plan);
  const groups = [1, 64].map((inFlight): ChartGroup => {
    const measured = updates[scenarioName({ inFlight, chats, distribution: "uniform", touch: "both" })] ?? {};
    const floor = (measured["floor"] ?? []).map(({ time }) => time);
    const bars = Object.entries(measured).map(([name, runs]) => {
      const times = runs.map(({ time }) => time);
      const value = spreadOf(pairedRatios(times, floor)).median;
      const text = `${figure(value)} × · ${figure(spreadOf(times).median)} µs`;
      return { label: entryOf(name as ContenderName).title, value, text, isOurs: name.startsWith("perdure") };
    });
    return { title: inFlight === 1 ? "One at a time" : `${inFlight} in flight`, bars };
  });
  return chart(`Time per update, chat and user data changed, ${count(chats)} chats kept (times of the floor)`, groups);
}
