// The benchmark: `npm run bench -- --help`.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArguments, USAGE, type Arguments, type PartName } from "./arguments.ts";
import { barResults } from "./bars.ts";
import { currentLoad, environment, isInMemory } from "./environment.ts";
import { botData } from "./parts/bot-data.ts";
import { buttons } from "./parts/buttons.ts";
import { codecPart } from "./parts/codec.ts";
import { growth } from "./parts/growth.ts";
import { conversation } from "./parts/conversation.ts";
import type { Part } from "./parts/part.ts";
import { picklePart } from "./parts/pickle.ts";
import { start } from "./parts/start.ts";
import { updates } from "./parts/updates.ts";
import { written } from "./parts/written.ts";
import type { Plan } from "./plan.ts";
import { writeBetweenMarks } from "./report/docs-page.ts";
import { picture } from "./report/picture.ts";
import { barsTable, environmentText, reportText } from "./report/report.ts";
import { tableText, type Table } from "./report/table.ts";
import type { Figures, Results } from "./results.ts";
import { Servers } from "./servers/servers.ts";
import { Stores } from "./stores.ts";

const PARTS: Readonly<Record<PartName, Part<unknown>>> = {
  codec: codecPart,
  written,
  conversation,
  start,
  growth,
  "bot-data": botData,
  buttons,
  pickle: picklePart,
  updates,
};
const DOCS = new URL("../docs/", import.meta.url);

if (process.argv.includes("--help")) console.log(USAGE);
else await bench(readArguments());

function readArguments(): Arguments {
  try {
    return parseArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

async function bench(args: Arguments): Promise<void> {
  const folder = mkdtempSync(join(process.env["PERDURE_BENCH_FOLDER"] ?? tmpdir(), "perdure-bench-"));
  // PostgreSQL may have to run as somebody else.
  chmodSync(folder, 0o711);
  const servers = new Servers(join(folder, "servers"));
  const cleanUp = async (): Promise<void> => {
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const quit = (): void => void cleanUp().finally(() => process.exit(130));
  process.once("SIGINT", quit).once("SIGTERM", quit);
  try {
    if (isInMemory(folder))
      console.log(
        "NOTE: the data is kept in memory, flushing costs nothing. PERDURE_BENCH_FOLDER names a folder on a disk.",
      );
    if (args.parts.includes("updates")) await servers.start();
    await measure(args, new Stores(folder, servers), servers.remarks);
  } finally {
    await cleanUp();
  }
}

async function measure(args: Arguments, stores: Stores, remarks: readonly string[]): Promise<void> {
  const before = environment();
  const begin = performance.now();
  console.log(`seed ${args.seed}`);
  const tables: Table[] = [];
  const show = (table: Table): void => {
    tables.push(table);
    console.log(`\n${tableText(table)}`);
  };
  const plan: Plan = { ...args, stores, show };
  const figures: Record<string, unknown> = {};
  const { isQuick, seed, repetitions } = args;
  const results = (): Results => {
    const seconds = (performance.now() - begin) / 1000;
    const now = { ...before, loadAfter: currentLoad(), isQuick, seed, repetitions, seconds, remarks };
    return { environment: now, figures: figures as Figures, bars: barResults(figures as Figures, plan) };
  };
  for (const name of args.parts) {
    console.error(`${name} (${Math.round((performance.now() - begin) / 1000)} s)`);
    figures[name] = await PARTS[name](plan);
    // After each part, so that a run that is broken off leaves what it has.
    save(args, plan, results());
  }
  const all = results();
  console.log(
    `\n${tableText(barsTable(all.bars))}\n\n${environmentText(all.environment)}\n\nThe results are in ${args.out}.`,
  );
  if (args.writesDocs) writeDocs(plan, all, tables);
}

function save(args: Arguments, plan: Plan, results: Results): void {
  mkdirSync(dirname(args.out), { recursive: true });
  writeFileSync(args.out, `${JSON.stringify(results)}\n`);
  const svg = picture(results.figures.updates, plan);
  if (svg !== undefined) writeFileSync(args.out.replace(/(\.json)?$/, ".svg"), svg);
}

function writeDocs(plan: Plan, results: Results, tables: readonly Table[]): void {
  writeBetweenMarks(new URL("performance.md", DOCS), reportText(results.environment, tables, results.bars));
  const svg = picture(results.figures.updates, plan);
  if (svg !== undefined) writeFileSync(new URL("performance.svg", DOCS), svg);
  console.log("docs/performance.md has them, too.");
}
