// `npm run power-cuts`: records what a bot writes, cuts the power at every moment of that, and opens what is left. See
// docs/reliability.md. Needs strace.
//   --updates N      how many the bot gets (100)
//   --chances N      how often chance decides at each moment what is left (4)
//   --seed N         where chance begins
//   --write-docs     the table goes into docs/reliability.md
// The exit code is 1 if anything is unreadable or torn, or with durability "disk" earlier than the last answer.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TelegramEmulator } from "../src/testing/index.ts";
import { measuredOn, writeDocsSection } from "./docs-section.ts";
import { markdownTable } from "./markdown-table.ts";
import { memoryFolder } from "./memory-folder.ts";
import { cutPower, type PowerCutReport } from "./power-cut/cut-power.ts";
import { recordBot, whyNotRecorded, type Flushes } from "./power-cut/record-bot.ts";

interface Column {
  readonly name: string;
  readonly durability: "disk" | "os";
  readonly flushes: Flushes;
}

const COLUMNS: readonly Column[] = [
  { name: '`durability: "disk"`', durability: "disk", flushes: "here" },
  { name: '`"disk"`, a slow one', durability: "disk", flushes: "in a thread" },
  { name: '`durability: "os"`', durability: "os", flushes: "here" },
];

const { values } = parseArgs({
  options: {
    updates: { type: "string", default: "100" },
    chances: { type: "string", default: "4" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    "write-docs": { type: "boolean", default: false },
  },
});
const [updates, chances, seed] = [values.updates, values.chances, values.seed].map(Number) as [number, number, number];

const reason = whyNotRecorded();
if (reason !== undefined) throw new Error(`Nothing can be recorded: ${reason}`);
console.log(`${updates} updates, seed ${seed}`);
const started = performance.now();
const reports: PowerCutReport[] = [];
for (const column of COLUMNS) reports.push(await cut(column));

const table = markdownTable(
  ["", ...COLUMNS.map(({ name }) => name)],
  (["operations", "syncs", "checkpoints", "cuts", "unreadable", "torn", "early"] as const).map((row) => [
    row,
    ...reports.map((report) => String(report[row])),
  ]),
);
const seconds = Math.round((performance.now() - started) / 1000);
const remark = `${measuredOn()}, ${updates} updates, ${seconds} s, seed ${seed}`;
console.log(`\n${table}\n\n${remark}`);
if (values["write-docs"]) writeDocsSection("power cut table", `${table}\n\n${remark}.`);
const faults = COLUMNS.flatMap(({ durability }, index) => faultsOf(durability, reports[index]));
if (faults.length > 0) {
  console.log(faults.join("\n"));
  process.exitCode = 1;
}

async function cut({ durability, flushes }: Column): Promise<PowerCutReport> {
  const emulator = await TelegramEmulator.start();
  const root = memoryFolder();
  const [folder, traces] = [join(root, "bot"), join(root, "traces")];
  mkdirSync(folder);
  mkdirSync(traces);
  try {
    const recording = await recordBot({ emulator, folder, traces, updates, durability, flushes, seed });
    return await cutPower({ recording, folder: join(root, "cut"), seed, chances });
  } finally {
    await emulator.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** With "os" a power cut may go back to an earlier moment. */
function faultsOf(durability: string, report: PowerCutReport | undefined): readonly string[] {
  if (report === undefined) return [];
  const { unreadable, torn, early, examples } = report;
  return unreadable + torn + (durability === "disk" ? early : 0) > 0 ? examples : [];
}
