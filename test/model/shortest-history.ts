import { commandOf, type History } from "./history.ts";

/** How long it may take to shorten a history, in plays. */
const MOST_PLAYS = 1500;

/**
 * The shortest history that still fails: as many steps as possible are left out, many at once first, and what stays is
 * made as simple as its kind knows how to. Every part of a history is a history, so nothing has to be mended.
 */
export async function shortestHistory(
  history: History,
  fails: (history: History) => Promise<boolean>,
): Promise<History> {
  let [shortest, plays] = [history, 0];
  const takes = async (shorter: History): Promise<boolean> => {
    plays += 1;
    if (plays > MOST_PLAYS || !(await fails(shorter))) return false;
    shortest = shorter;
    return true;
  };
  for (let before: History | undefined; before !== shortest;) {
    before = shortest;
    await leaveOut(() => shortest, takes);
    await simplify(() => shortest, takes);
  }
  return shortest;
}

type Takes = (shorter: History) => Promise<boolean>;

async function leaveOut(shortest: () => History, takes: Takes): Promise<void> {
  for (let size = Math.ceil(shortest().length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let end = shortest().length; end > 0;) {
      const begin = Math.max(0, end - size);
      await takes(shortest().toSpliced(begin, end - begin));
      end = begin;
    }
  }
}

async function simplify(shortest: () => History, takes: Takes): Promise<void> {
  for (let index = 0; index < shortest().length; index += 1) {
    while (await simplifyAt(index, shortest(), takes));
  }
}

async function simplifyAt(index: number, history: History, takes: Takes): Promise<boolean> {
  const step = history[index];
  if (step === undefined) return false;
  for (const simpler of commandOf(step).simpler?.(step) ?? []) {
    if (await takes(history.with(index, simpler))) return true;
  }
  return false;
}
