import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { TelegramEmulator } from "../src/testing/index.ts";
import { MODES, type Mutant, type Place } from "./support/crash-plan.ts";
import { crashStory, type CrashReport } from "./support/crash-story.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

/** What each mode goes through: every place, in an order in which there is something to replay, and moments at random. */
const PLACES: readonly Place[] = [
  "any moment",
  "before accepting",
  "after accepting",
  "replay",
  "in a handler",
  "replay",
  "before a commit",
  "any moment",
  "after a commit",
  "in a handler",
  "after accepting",
  "before a commit",
  "any moment",
];

function newSeed(title: string): number {
  const seed = Number(process.env["PERDURE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${title}: PERDURE_SEED=${seed}`);
  return seed;
}

async function startEmulator(): Promise<TelegramEmulator> {
  const emulator = await TelegramEmulator.start();
  onTestFinished(() => emulator.stop());
  return emulator;
}

const sum = (kills: CrashReport["kills"]): number => [...kills.values()].reduce((total, count) => total + count, 0);

describe.each(MODES)("killed with kill -9, %s", (mode) => {
  test(`${PLACES.length} kills: nothing lost, nothing twice, nothing torn`, { timeout: 120_000 }, async () => {
    const report = await crashStory({
      emulator: await startEmulator(),
      file: join(temporaryFolder(), "bot.sqlite"),
      mode,
      places: PLACES,
      seed: newSeed(mode),
    });
    console.log(`${mode}: ${report.updates} updates, kills:`, Object.fromEntries(report.kills));
    expect(report).toMatchObject({ lost: 0, twice: 0, misordered: 0, torn: 0 });
    expect(sum(report.kills)).toBe(PLACES.length);
    expect([...report.kills.keys()].toSorted()).toEqual([...new Set(PLACES)].toSorted());
  });
});

describe("the story finds", () => {
  const FAULTS: Record<Mutant, { places: Place[]; expected: (report: CrashReport) => number }> = {
    "no done mark": { places: ["after a commit", "any moment"], expected: ({ twice }) => twice },
    "acknowledge first": {
      places: ["before a commit", "before a commit", "before a commit"],
      expected: ({ lost }) => lost,
    },
    "state before done": { places: ["in a commit", "in a commit"], expected: ({ twice }) => twice },
  };

  test.each(Object.keys(FAULTS) as Mutant[])("a bot with the fault: %s", { timeout: 60_000 }, async (mutant) => {
    const { places, expected } = FAULTS[mutant];
    const report = await crashStory({
      emulator: await startEmulator(),
      file: join(temporaryFolder(), "bot.sqlite"),
      mode: "64 at a time",
      places,
      seed: newSeed(mutant),
      mutant,
    });
    expect(expected(report)).toBeGreaterThan(0);
  });
});
