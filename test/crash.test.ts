import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { TelegramEmulator } from "../src/testing/index.ts";
import {
  LASTING,
  MODES,
  MUTANTS,
  PLACES as EVERY_PLACE,
  PLACES_OF_JOBS,
  type Death,
  type Mutant,
  type Place,
} from "../crash/crash-plan.ts";
import { stepFaults, tornConversations, type Step } from "../crash/conversation-steps.ts";
import { crashStory, type CrashReport } from "../crash/crash-story.ts";
import { TEXTS_ONLY, readKeptData, type KeptData } from "../crash/kept-data.ts";
import { ScheduledRuns } from "../crash/scheduled-runs.ts";
import { WrittenTexts } from "../crash/written-texts.ts";
import { SystemCallKiller } from "../crash/system-call-killer.ts";
import { Child } from "./support/child.ts";
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
  "while accepting",
  "during a commit",
  "after a commit",
  "in a handler",
  "after accepting",
  "before a commit",
  "any moment",
];

const CRASH = new URL("../crash/crash.ts", import.meta.url).pathname;
const death: Death = (await SystemCallKiller.isPossible()) ? "system call" : "watchdog";

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
      deaths: [death],
      seed: newSeed(mode),
    });
    console.log(`${mode}: ${report.updates} updates, kills:`, Object.fromEntries(report.kills));
    expect(report).toMatchObject({ lost: 0, twice: 0, misordered: 0, torn: 0, unreadable: 0 });
    expect(sum(report.kills)).toBe(PLACES.length);
    const reached = new Set(report.kills.keys());
    // What lasts some microseconds may be over before the death that was meant for it.
    const sure = PLACES.filter((place) => !LASTING.has(place));
    expect(sure.filter((place) => !reached.has(place))).toEqual([]);
  });
});

describe.each([
  ["jobs", "64 at a time"],
  ["conversations", "webhook"],
] as const)("killed with kill -9, with %s, %s", (load, mode) => {
  test(`${PLACES_OF_JOBS.length} kills: each run and each step is made once`, { timeout: 120_000 }, async () => {
    const report = await crashStory({
      emulator: await startEmulator(),
      file: join(temporaryFolder(), "bot.sqlite"),
      load,
      mode,
      places: PLACES_OF_JOBS,
      deaths: [death],
      seed: newSeed(load),
    });
    console.log(`${load}: ${report.updates} updates, ${report.runs} runs, kills:`, Object.fromEntries(report.kills));
    expect(report).toMatchObject({ lost: 0, twice: 0, misordered: 0, torn: 0, unreadable: 0 });
    expect(sum(report.kills)).toBe(PLACES_OF_JOBS.length);
    expect(report.runs).toBeGreaterThan(0);
  });
});

describe("what is kept is compared with what was written", () => {
  const [ann, bob, club] = [1, 2, -3];

  function written(): WrittenTexts {
    const texts = new WrittenTexts();
    texts.add({ chat: club, user: ann });
    texts.add({ chat: club, user: bob });
    return texts;
  }

  const kept = (texts: string[], open: string[] = []): KeptData => ({
    chats: new Map([[club, texts]]),
    users: new Map([
      [ann, 1],
      [bob, 1],
    ]),
    bot: 2,
    open,
    ...TEXTS_ONLY,
    unreadable: 0,
  });

  test.each([
    [["text 1", "text 2"], { lost: 0, twice: 0, misordered: 0 }, 0],
    [["text 2", "text 1"], { lost: 0, twice: 0, misordered: 1 }, 0],
    [["text 2"], { lost: 1, twice: 0, misordered: 0 }, 2],
    [["text 1", "text 2", "text 2"], { lost: 0, twice: 1, misordered: 0 }, 2],
  ])("%j", (texts, faults, torn) => {
    expect(written().faults(kept(texts))).toEqual(faults);
    expect(written().torn(kept(texts))).toBe(torn);
  });

  test("a text in the data whose update is open is torn", () => {
    expect(written().torn(kept(["text 1", "text 2"], ["text 2"]))).toBe(1);
  });

  test("a damaged file, and a session that is no JSON, are unreadable", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "bot.sqlite"), "no database ".repeat(100));
    mkdirSync(join(folder, "chat", "-3"), { recursive: true });
    writeFileSync(join(folder, "chat", "-3", "-3.json"), "");
    expect(readKeptData("perdure", join(folder, "bot.sqlite")).unreadable).toBe(1);
    expect(readKeptData("file", folder).unreadable).toBe(1);
  });
});

describe("the runs of jobs are compared with what was to be scheduled", () => {
  const [ann, club] = [1, -3];
  /** Text 1 has one run, text 6 three. */
  const scheduled = new ScheduledRuns(
    new Map([
      ["text 1", { user: ann }],
      ["text 6", { user: ann }],
    ]),
  );
  const all = ["1@10", "6@20", "6@30", "6@40"];
  const kept = (runs: string[], jobs: KeptData["jobs"] = []): KeptData => ({
    chats: new Map(),
    users: new Map(),
    bot: 0,
    open: [],
    ...TEXTS_ONLY,
    runs: new Map([[club, runs]]),
    userRuns: new Map([[ann, 4]]),
    botRuns: 4,
    jobs,
    unreadable: 0,
  });

  test.each([
    [all, { lost: 0, twice: 0 }, 0],
    [all.slice(1), { lost: 1, twice: 0 }, 2],
    [[...all, "1@10"], { lost: 0, twice: 1 }, 2],
    [[...all, "1@11"], { lost: 0, twice: 1 }, 2],
    [["1@10", "6@20", "6@20", "6@30"], { lost: 1, twice: 1 }, 0],
    [[...all.slice(1), "1000001@10"], { lost: 1, twice: 1 }, 2],
  ])("%j", (runs, faults, torn) => {
    expect(scheduled.faults(kept(runs))).toEqual(faults);
    expect(scheduled.torn(kept(runs))).toBe(torn);
  });

  test("a job that still waits for a run that was made is torn", () => {
    expect(scheduled.torn(kept(all, [{ id: "6", next: 40 }]))).toBe(1);
    expect(scheduled.torn(kept(all, [{ id: "6", next: 50 }]))).toBe(0);
  });
});

describe("the steps of conversations are compared with each other, and with the state and the timeout", () => {
  const [ann, club] = [1, -3];
  const key = JSON.stringify([club, ann]);
  const kept = (steps: string, state?: string, hasTimeout = state !== undefined): KeptData => {
    const list = steps.split(", ").map((step) => step.split(" to ") as [Step["from"], Step["to"]]);
    return {
      chats: new Map(),
      users: new Map(),
      bot: 0,
      open: [],
      ...TEXTS_ONLY,
      steps: new Map([[club, list.map(([from, to]) => ({ user: ann, from, to }))]]),
      conversations: new Map(state === undefined ? [] : [[key, state]]),
      timeouts: new Set(hasTimeout ? [key] : []),
      unreadable: 0,
    };
  };

  test.each([
    [kept("none to one, one to two", "two"), { lost: 1, twice: 0 }, 0],
    [kept("none to one, one to silence, none to one, one to end"), { lost: 0, twice: 0 }, 0],
    [kept("none to one, none to one, one to end"), { lost: 0, twice: 1 }, 0],
    [kept("none to one, one to silence, silence to silence"), { lost: 0, twice: 1 }, 0],
    [kept("none to one, one to two", "one"), { lost: 1, twice: 0 }, 1],
    [kept("none to one"), { lost: 0, twice: 0 }, 1],
    [kept("none to one", "one", false), { lost: 1, twice: 0 }, 1],
    [kept("none to one, one to silence", undefined, true), { lost: 0, twice: 0 }, 1],
  ])("%#", (data, faults, torn) => {
    expect(stepFaults(data)).toEqual(faults);
    expect(tornConversations(data)).toBe(torn);
  });
});

describe("npm run crash", { timeout: 60_000 }, () => {
  const FINDS: Record<Mutant, RegExp> = {
    "no done mark": /^twice: \d/m,
    "acknowledge first": /^lost: \d/m,
    "state before done": /^twice: \d/m,
    "state before job": /^twice: \d/m,
    "job before state": /^lost: \d/m,
    "data before conversation": /^torn: \d/m,
  };

  const kills = ["--kills", String(EVERY_PLACE.length)];

  async function crash(...args: string[]): Promise<{ code: number | null; output: string }> {
    const child = new Child(CRASH, args, { env: { ...process.env, TMPDIR: temporaryFolder() } });
    const { code } = await child.exited;
    return { code, output: [...child.lines, ...child.errors].join("\n") };
  }

  test("ends well where nothing is wrong, and prints a table", async () => {
    const { code, output } = await crash(...kills, "--mode", "64 at a time");
    expect(output).toMatch(/^\| \*\*kills\*\* +\| +9 \|$/m);
    expect(output).toContain("Nothing lost");
    expect(code).toBe(0);
  });

  test.each(MUTANTS)("finds a bot with the fault: %s", async (mutant) => {
    const { code, output } = await crash(...kills, "--mode", "64 at a time", "--mutant", mutant);
    expect(output).toMatch(FINDS[mutant]);
    expect(code).toBe(1);
  });

  test.each([
    ["jobs", "during a job's commit", "state before job"],
    ["jobs", "during a job's commit", "job before state"],
    ["conversations", "during a commit", "data before conversation"],
  ] as const)("finds a bot with %s that dies %s with the fault: %s", async (load, place, mutant) => {
    const where = ["--load", load, "--mode", "64 at a time", "--place", place, "--kills", "3"];
    const { code, output } = await crash(...where, "--mutant", mutant);
    expect(output).toMatch(FINDS[mutant]);
    expect(code).toBe(1);
  });

  test("shows what grammY's own file storage loses in the same crashes", async () => {
    const { code, output } = await crash(...kills, "--storage", "file", "--mode", "runner");
    expect(output).toMatch(/^lost: \d/m);
    expect(code).toBe(1);
  });
});
