import { join } from "node:path";
import type { TelegramEmulator } from "../src/testing/index.ts";
import { seededRandom } from "../test/support/seeded-random.ts";
import { placesOf, type Death, type Load, type Mode, type Mutant, type Place, type Storage } from "./crash-plan.ts";
import { crashStory, type CrashReport } from "./crash-story.ts";

/** So many kills a story has at most; then everything begins anew, with a file that does not exist. */
const KILLS_OF_STORY = 40;

/** One way of running a bot, with one storage. */
export interface Way {
  readonly storage: Storage;
  readonly mode: Mode;
}

/** What a campaign is about. */
export interface CampaignOptions {
  readonly emulator: TelegramEmulator;
  /** Where the files of the bots are. */
  readonly folder: string;
  readonly ways: readonly Way[];
  readonly load: Load;
  /** Where bots die, if not everywhere. */
  readonly places?: readonly Place[] | undefined;
  /** For each way. */
  readonly kills: number;
  readonly seed: number;
  readonly deaths: readonly Death[];
  readonly mutant?: Mutant | undefined;
  /** How many stories run side by side. */
  readonly jobs: number;
  readonly onKill: () => void;
}

/** What came of one way. */
export interface WayReport extends Way, CrashReport {
  /** Stories that did not come to their end, and why. */
  readonly failures: readonly string[];
}

interface Story {
  readonly way: Way;
  readonly places: readonly Place[];
  readonly seed: number;
}

const EMPTY: CrashReport = {
  kills: new Map(),
  updates: 0,
  runs: 0,
  lost: 0,
  twice: 0,
  misordered: 0,
  torn: 0,
  unreadable: 0,
};

/** Kills bots in every way, with every place equally often, and tells what became of what they kept. */
export async function campaign(options: CampaignOptions): Promise<WayReport[]> {
  const reports = new Map(options.ways.map((way): [Way, WayReport] => [way, { ...way, ...EMPTY, failures: [] }]));
  const stories = planStories(options);
  async function work(): Promise<void> {
    for (let story = stories.shift(); story !== undefined; story = stories.shift()) {
      const before = reports.get(story.way);
      const told = await tell(options, story);
      // Others have added to it meanwhile.
      const report = reports.get(story.way) ?? before;
      if (report !== undefined) reports.set(story.way, { ...story.way, ...add(report, told) });
    }
  }
  await Promise.all(Array.from({ length: options.jobs }, work));
  return [...reports.values()];
}

async function tell(options: CampaignOptions, { way, places, seed }: Story): Promise<CrashReport | string> {
  const { emulator, folder, load, deaths, mutant, onKill } = options;
  const file = join(folder, `${way.storage}-${seed}`);
  try {
    return await crashStory({ emulator, file, load, ...way, places, seed, deaths, mutant, onKill });
  } catch (error) {
    return `${way.mode}, ${file}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Ways in turn, so that a campaign that is broken off has seen all of them. */
function planStories({ ways, load, places: chosen, kills, seed }: CampaignOptions): Story[] {
  const random = seededRandom(seed);
  const stories: Story[] = [];
  for (let begin = 0; begin < kills; begin += KILLS_OF_STORY) {
    for (const way of ways) {
      const all = chosen ?? placesOf(way.storage, load);
      const count = Math.min(KILLS_OF_STORY, kills - begin);
      const places = Array.from({ length: count }, (_, index) => all[(begin + index) % all.length] as Place);
      stories.push({ way, places: shuffled(places, random), seed: seed + stories.length });
    }
  }
  return stories;
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const places = values.map((value) => ({ value, place: random() }));
  return places.sort((a, b) => a.place - b.place).map(({ value }) => value);
}

/** The two together, with what only one of them tells. */
function add(report: WayReport, told: CrashReport | string): CrashReport & Pick<WayReport, "failures"> {
  if (typeof told === "string") return { ...report, failures: [...report.failures, told] };
  return { ...sum([report, told]), failures: report.failures };
}

/** Several reports as one. */
export function sum(reports: readonly CrashReport[]): CrashReport {
  const kills = new Map<Place, number>();
  let total = EMPTY;
  for (const report of reports) {
    for (const [place, count] of report.kills) kills.set(place, (kills.get(place) ?? 0) + count);
    total = {
      kills,
      updates: total.updates + report.updates,
      runs: total.runs + report.runs,
      lost: total.lost + report.lost,
      twice: total.twice + report.twice,
      misordered: total.misordered + report.misordered,
      torn: total.torn + report.torn,
      unreadable: total.unreadable + report.unreadable,
    };
  }
  return total;
}

/** How often bots were killed. */
export function killsOf({ kills }: CrashReport): number {
  return [...kills.values()].reduce((total, count) => total + count, 0);
}

/** What is wrong with a campaign; nothing, if all is well. `kills` is how many there were to be for each way. */
export function complaints(
  reports: readonly WayReport[],
  { kills, load, places: chosen }: Pick<CampaignOptions, "kills" | "load" | "places">,
): string[] {
  const total = sum(reports);
  const found = (["lost", "twice", "misordered", "torn", "unreadable"] as const)
    .filter((fault) => total[fault] > 0)
    .map((fault) => `${fault}: ${total[fault]}`);
  const asked = kills * reports.length;
  if (killsOf(total) < asked) found.push(`${killsOf(total)} kills instead of ${asked}`);
  const places = chosen ?? placesOf(reports.some(({ storage }) => storage === "perdure") ? "perdure" : "file", load);
  const least = Math.floor(asked / 50);
  for (const place of places) {
    const count = total.kills.get(place) ?? 0;
    if (count < least) found.push(`${place}: ${count} kills instead of at least ${least}`);
  }
  return [...reports.flatMap(({ failures }) => failures), ...found];
}
