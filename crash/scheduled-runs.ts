import type { KeptData } from "./kept-data.ts";
import type { Faults } from "./written-texts.ts";

/** What a text makes the bot schedule, by the last digit of its number. All is due within seconds. */
const KINDS = [
  "nothing",
  "once",
  "fails at first",
  "daily",
  "monthly",
  "cron",
  "repeating",
  "once",
  "one of two removed",
  "replaced",
] as const;
export type JobKind = (typeof KINDS)[number];

/** How often a job that repeats runs, and in what interval, in milliseconds. */
export const REPETITIONS = 3;
export const INTERVAL = 150;

/** What is scheduled for this text. */
export function kindOf(text: string): JobKind {
  return KINDS[numberOf(text) % KINDS.length] ?? "nothing";
}

/** The number in `text 17`; also the id of its job. */
export function numberOf(text: string): number {
  return Number(/\d+/.exec(text)?.[0]);
}

/** How a run is noted: the number of its text, and when it was to be made. */
export function runName(number: number, scheduled: number): string {
  return `${number}@${scheduled}`;
}

function runsOf(text: string): number {
  const kind = kindOf(text);
  return kind === "nothing" ? 0 : kind === "repeating" ? REPETITIONS : 1;
}

/** The runs of jobs that texts have made the bot schedule. */
export class ScheduledRuns {
  readonly #texts: ReadonlyMap<string, { readonly user: number }>;

  constructor(texts: ReadonlyMap<string, { readonly user: number }>) {
    this.#texts = texts;
  }

  /** How many there must have been. */
  get count(): number {
    return [...this.#texts.keys()].reduce((total, text) => total + runsOf(text), 0);
  }

  /** What is wrong once every job is over. Runs of what was rolled back or removed are runs too many. */
  faults({ runs }: KeptData): Omit<Faults, "misordered"> {
    const byNumber = Map.groupBy([...runs.values()].flat(), numberOf);
    const numbers = new Set([...byNumber.keys(), ...[...this.#texts.keys()].map(numberOf)]);
    let [lost, twice] = [0, 0];
    for (const number of numbers) {
      const text = `text ${number}`;
      const wanted = this.#texts.has(text) ? runsOf(text) : 0;
      const found = byNumber.get(number) ?? [];
      const once = new Set(found).size;
      lost += Math.max(0, wanted - once);
      twice += found.length - Math.min(once, wanted);
    }
    return { lost, twice };
  }

  /** Parts that are not of one moment: counts that are not those of the runs, jobs that still wait for a run that was made. */
  torn({ runs, userRuns, botRuns, jobs }: KeptData): number {
    const made = [...runs.values()].flat();
    const counts = new Map<number, number>();
    for (const run of made) {
      const user = this.#texts.get(`text ${numberOf(run)}`)?.user ?? 0;
      counts.set(user, (counts.get(user) ?? 0) + 1);
    }
    const everybody = new Set([...counts.keys(), ...userRuns.keys()]);
    const wrong = [...everybody].filter((user) => (counts.get(user) ?? 0) !== (userRuns.get(user) ?? 0)).length;
    const known = new Set(made);
    const both = jobs.filter(({ id, next }) => next !== undefined && known.has(runName(numberOf(id), next))).length;
    return wrong + both + Number(botRuns !== made.length);
  }
}
