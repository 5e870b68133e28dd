import { tellHistory, historyOf, type History } from "./history.ts";
import type { WorldOptions } from "./driver/world.ts";
import { playHistory } from "./play-history.ts";
import { shortestHistory } from "./shortest-history.ts";

/** A history in which the library did what it may not do. */
export interface Find {
  readonly seed: number;
  /** How many histories were played until then. */
  readonly histories: number;
  /** The shortest history that was found from there. */
  readonly history: History;
  /** What happens in that one. */
  readonly problem: unknown;
}

/** Plays the histories of so many seeds, and shortens the first that fails. */
export async function hunt(seed: number, count: number, options: WorldOptions): Promise<Find | undefined> {
  for (let index = 0; index < count; index += 1) {
    const history = historyOf(seed + index);
    if ((await playHistory(history, options)) === undefined) continue;
    const shortest = await shortestHistory(history, async (other) => (await playHistory(other, options)) !== undefined);
    const problem = await playHistory(shortest, options);
    return { seed: seed + index, histories: index + 1, history: shortest, problem };
  }
  return undefined;
}

/** A find for people to read, with the way to play it again. */
export function tellFind({ seed, history, problem }: Find): string {
  const what = problem instanceof Error && problem.name !== "Violation" ? problem.stack : String(problem);
  return `${what}\n${tellHistory(history)}\nPlay its original again with PERDURE_SEED=${seed} PERDURE_HISTORIES=1`;
}
