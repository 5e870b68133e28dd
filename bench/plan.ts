import { entryOf, type ContenderName } from "./contenders/all.ts";
import type { Touch, Load } from "./load.ts";
import { inOwnProcess } from "./processes/measured-process.ts";
import type { RunFigures } from "./processes/job.ts";
import type { Measurement } from "./repetitions.ts";
import type { Table } from "./report/table.ts";
import type { Stores } from "./stores.ts";

/** What is delivered to a contender, without the numbers that are every measurement's own. */
export interface Scenario {
  readonly inFlight: number;
  readonly chats: number;
  readonly distribution: Load["distribution"];
  readonly touch: Touch;
  readonly botBytes?: number | undefined;
}

/** What all parts need. */
export interface Plan {
  readonly isQuick: boolean;
  readonly seed: number;
  readonly stores: Stores;
  readonly repetitions: number;
  /** Prints a table, and keeps it for the report. */
  readonly show: (table: Table) => void;
}

/** Updates of a measurement for a contender with a share of 1: some tenths of a second. */
const UPDATES = { one: 1200, many: 9600 };

/** Handled before that: a bot runs for days, and what it does all the time is compiled after some thousand times. */
const WARM_UP = { one: 2400, many: 19_200 };

/** Each measurement has ids of its own: stores remember those that they have seen. */
const IDS_APART = 1_000_000;
let idsTaken = 0;

/** A contender in a scenario, to be measured under this name. Different seeds for each repetition, the same for all contenders. */
export function measurementOf(
  plan: Plan,
  name: string,
  contender: ContenderName,
  scenario: Scenario,
): Measurement<RunFigures> {
  let repetition = 0;
  return {
    name,
    async measure() {
      repetition += 1;
      return runOnce(plan, contender, scenario, repetition, false);
    },
  };
}

/** One measurement. With `counting`, of what is written instead of the time. */
export async function runOnce(
  plan: Plan,
  contender: ContenderName,
  scenario: Scenario,
  repetition: number,
  counting: boolean,
): Promise<RunFigures> {
  const { distribution, ...wanted } = scenario;
  const setting = await plan.stores.setting(contender, wanted);
  idsTaken += 1;
  const seed = plan.seed * 1000 + repetition;
  const size = counting ? { warmUp: 64, updates: 640 } : sizeOf(plan, contender, scenario.inFlight);
  const load: Load = { ...wanted, distribution, ...size, seed, firstId: idsTaken * IDS_APART };
  return inOwnProcess("run", { contender, setting, load, counting });
}

function sizeOf({ isQuick }: Plan, contender: ContenderName, inFlight: number): Pick<Load, "warmUp" | "updates"> {
  const flow = inFlight === 1 ? "one" : "many";
  const { share } = entryOf(contender);
  const batches = (updates: number): number => inFlight * Math.max(1, Math.round((updates * share) / inFlight));
  return { warmUp: batches(WARM_UP[flow] / (isQuick ? 12 : 1)), updates: batches(UPDATES[flow] / (isQuick ? 4 : 1)) };
}
