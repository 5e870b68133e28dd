import type { ContenderName } from "../contenders/all.ts";
import type { Setting } from "../contenders/contender.ts";
import type { Plan } from "../plan.ts";
import type { StartFigures } from "../processes/job.ts";
import { inOwnProcess } from "../processes/measured-process.ts";
import { interleaved } from "../repetitions.ts";
import { count, figure, withQuartiles } from "../report/figures.ts";
import { spreadOf } from "../statistics.ts";
import { sizes } from "./growth.ts";

/** By contender, then by how many chats are kept: each repetition. */
export type StartsFigures = Record<string, Record<string, StartFigures[]>>;

const TITLES: Partial<Record<ContenderName, string>> = { "perdure-disk": "Perdure", raw: "SQLite alone" };

/** What it costs to open a file with many chats. */
export async function start(plan: Plan): Promise<StartsFigures> {
  const figures: StartsFigures = {};
  for (const contender of Object.keys(TITLES) as ContenderName[]) figures[contender] = await measure(plan, contender);
  const rows = Object.entries(figures).flatMap(([contender, bySize]) =>
    Object.entries(bySize).map(([chats, runs]) => row(TITLES[contender as ContenderName] ?? contender, chats, runs)),
  );
  const title = "Start with an existing file";
  const note =
    "From the first call on, in a new process whose code is loaded: until the file is open, and until the first update is " +
    "durable. Resident memory of the whole process after that.";
  plan.show({ title, note, head: ["", "chats kept", "open ms", "first update ms", "memory MB"], rows });
  return figures;
}

async function measure(plan: Plan, contender: ContenderName): Promise<Record<string, StartFigures[]>> {
  const settings: Setting[] = [];
  for (const chats of [0, ...sizes(plan)]) {
    settings.push(await plan.stores.setting(contender, { chats, inFlight: 1, touch: "chat" }));
  }
  const measurements = settings.map((setting) => ({
    name: String(setting.chats),
    measure: () => inOwnProcess("start", { contender, setting }),
  }));
  return interleaved(measurements, plan.repetitions);
}

function row(title: string, chats: string, runs: readonly StartFigures[]): string[] {
  const spread = (of: keyof StartFigures): string => withQuartiles(spreadOf(runs.map((run) => run[of])));
  const memory = figure(spreadOf(runs.map((run) => run.memory)).median);
  return [title, count(Number(chats)), spread("open"), spread("first"), memory];
}
