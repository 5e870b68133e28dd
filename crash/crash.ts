// `npm run crash`: kills bots by the thousand, and looks at what they have kept. See docs/reliability.md.
//   --kills N        of Perdure's modes together (1000); the file storage gets as many for each mode
//   --mode MODE      only this mode; may be given more than once
//   --storage S      perdure (default), file (grammY's session() with its file storage) or both
//   --load L         texts (default); jobs: the bot also schedules jobs of all kinds, and dies in them; conversations: each text is a step in one
//   --place PLACE    bots die only here; may be given more than once
//   --seed N         where chance begins
//   --jobs N         how many bots side by side
//   --mutant M       a fault on purpose: "no done mark", "acknowledge first" or "state before done"; with jobs "state before job" or
//                    "job before state", with conversations "data before conversation"
//   --write-docs     the table goes into docs/reliability.md
// The exit code is 1 if anything is lost, twice, misordered, torn or unreadable. With `--storage both` this is about Perdure only.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TelegramEmulator } from "../src/testing/index.ts";
import { campaign, complaints, type Way, type WayReport } from "./campaign.ts";
import {
  LOADS,
  MODES,
  MODES_OF_FILE,
  MUTANTS_OF,
  PLACES,
  PLACES_OF_JOBS,
  STORAGES,
  type Death,
  type Mode,
  type Storage,
} from "./crash-plan.ts";
import { crashTable } from "./crash-table.ts";
import { measuredOn, writeDocsSection } from "./docs-section.ts";
import { Progress } from "./progress.ts";
import { SystemCallKiller } from "./system-call-killer.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    mode: { type: "string", multiple: true, default: [...MODES] },
    storage: { type: "string", default: "perdure" },
    load: { type: "string", default: "texts" },
    place: { type: "string", multiple: true },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    jobs: { type: "string", default: String(availableParallelism() + 1) },
    mutant: { type: "string" },
    "write-docs": { type: "boolean", default: false },
  },
});
const modes = values.mode.map((mode) => oneOf("mode", MODES, mode));
const storages = values.storage === "both" ? STORAGES : [oneOf("storage", STORAGES, values.storage)];
const load = oneOf("load", LOADS, values.load);
if (load !== "texts" && values.storage !== "perdure") throw new Error(`--load ${load} is for --storage perdure`);
const mutant = values.mutant === undefined ? undefined : oneOf("mutant", MUTANTS_OF[load], values.mutant);
const places = values.place?.map((place) => oneOf("place", [...PLACES, ...PLACES_OF_JOBS], place));
const seed = wholeNumber("seed", values.seed);
const ways = storages.flatMap((storage) => waysOf(storage, modes));
const kills = Math.ceil(wholeNumber("kills", values.kills) / modes.length);

const canTrace = await SystemCallKiller.isPossible();
const deaths: Death[] = canTrace ? ["system call", "watchdog"] : ["watchdog"];
const folder = mkdtempSync(join(tmpdir(), "perdure-crash-"));
const emulator = await TelegramEmulator.start({ transcriptLimit: 1000 });
const progress = new Progress(kills * ways.length);
console.log(`${kills} kills in each of ${ways.length} ways, seed ${seed}${canTrace ? "" : ", without strace"}`);
const reports = await campaign({
  emulator,
  folder,
  ways,
  load,
  places,
  kills,
  seed,
  deaths,
  mutant,
  jobs: wholeNumber("jobs", values.jobs),
  onKill: () => progress.next(),
});
await emulator.stop();
finish(reports);

function finish(all: readonly WayReport[]): void {
  const table = crashTable(all, load);
  const remark = `${measuredOn()}, ${progress.seconds} s, seed ${seed}${canTrace ? "" : ", without strace"}`;
  console.log(`\n${table}\n\n${remark}`);
  if (values["write-docs"])
    writeDocsSection(load === "texts" ? "crash table" : `crash table with ${load}`, `${table}\n\n${remark}.`);
  // The file storage is there to be compared with; where it is alone, it is what was asked about.
  const judged = values.storage === "both" ? all.filter(({ storage }) => storage === "perdure") : all;
  const wrong = complaints(judged, { kills, load, places });
  const failures = all.filter((report) => !judged.includes(report)).flatMap((report) => report.failures);
  if (failures.length > 0) console.log(failures.join("\n"));
  if (wrong.length === 0) {
    console.log("Nothing lost, nothing twice, nothing misordered, nothing torn, nothing unreadable.");
    rmSync(folder, { recursive: true, force: true });
    return;
  }
  console.log(`${wrong.join("\n")}\nThe files are in ${folder}`);
  process.exitCode = 1;
}

function waysOf(storage: Storage, chosen: readonly Mode[]): Way[] {
  const possible = storage === "file" ? chosen.filter((mode) => MODES_OF_FILE.includes(mode)) : chosen;
  return possible.map((mode) => ({ storage, mode }));
}

function oneOf<T extends string>(option: string, known: readonly T[], value: string): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new Error(`--${option} ${JSON.stringify(value)}: one of ${known.join(", ")}`);
  return found;
}

function wholeNumber(option: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new Error(`--${option} ${JSON.stringify(value)}: a whole number`);
  return Number(value);
}
