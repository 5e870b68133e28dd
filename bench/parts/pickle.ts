import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PicklePersistence } from "../../src/persistence/pickle/pickle-persistence.ts";
import { readPickle } from "../../src/persistence/pickle/reader/read-pickle.ts";
import { writePickle } from "../../src/persistence/pickle/writer/write-pickle.ts";
import type { Plan } from "../plan.ts";
import { count, withQuartiles } from "../report/figures.ts";
import { pairedRatios, spreadOf } from "../statistics.ts";

/** What was measured of a large file of python-telegram-bot, in milliseconds, each repetition. */
export interface PickleFigures {
  readonly records: number;
  readonly bytes: number;
  readonly read: readonly number[];
  /** Read, and all values made: what a bot's start waits for. */
  readonly loaded: readonly number[];
  readonly written: readonly number[];
  /** Python's `pickle.load`; empty where there is no Python. */
  readonly python: readonly number[];
}

/** Times `pickle.load` in Python itself, so that the start of the interpreter does not count. */
const PYTHON = `
import pickle, sys, time
begin = time.perf_counter()
with open(sys.argv[1], "rb") as file: pickle.load(file)
print((time.perf_counter() - begin) * 1000)
`;

/** A single file of 100 000 users and as many chats, about 20 MB, read here and by Python in turns. */
export async function picklePart(plan: Plan): Promise<PickleFigures> {
  const records = plan.isQuick ? 20_000 : 100_000;
  const folder = mkdtempSync(join(tmpdir(), "perdure-pickle-"));
  try {
    const file = join(folder, "bot.pickle");
    writeFileSync(file, writePickle(rootWith(records)));
    const bytes = readFileSync(file).length;
    const figures = {
      records,
      bytes,
      read: [] as number[],
      loaded: [] as number[],
      written: [] as number[],
      python: [] as number[],
    };
    // The first round warms up.
    for (let round = 0; round <= plan.repetitions; round += 1) {
      const [read, description] = await timed(async () => readPickle(readFileSync(file)));
      const [written] = await timed(async () => writePickle(description));
      const [loaded] = await timed(() => loadedFrom(file));
      const python = pythonTime(file);
      if (round === 0) continue;
      figures.read.push(read);
      figures.written.push(written);
      figures.loaded.push(loaded);
      if (python !== undefined) figures.python.push(python);
    }
    show(plan, figures);
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rootWith(records: number): Map<string, unknown> {
  const ids = Array.from({ length: records }, (_, index) => index);
  const user = (id: number): unknown =>
    new Map<string, unknown>([
      ["name", `user ${id}`],
      ["visits", id % 100],
      ["cart", [`item ${id % 977}`, id]],
      ["balance", id / 7],
      ["language", "en"],
      ["address", `${id} Long Street, Some Town, ${id % 1000}`],
    ]);
  const chat = (id: number): unknown =>
    new Map<string, unknown>([
      ["title", `chat ${id}`],
      ["messages", id],
      ["muted", id % 3 === 0],
      ["last", `hello there, how are you today? ${id}`],
    ]);
  return new Map<string, unknown>([
    ["conversations", new Map()],
    ["user_data", new Map(ids.map((id) => [1_000_000 + id, user(id)]))],
    ["chat_data", new Map(ids.map((id) => [-1_000_000_000_000 - id, chat(id)]))],
    ["bot_data", new Map()],
    ["callback_data", null],
  ]);
}

async function loadedFrom(file: string): Promise<void> {
  const persistence = new PicklePersistence({ filepath: file });
  await persistence.getUserData();
  await persistence.getChatData();
  await persistence.flush();
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [milliseconds: number, T]> {
  const begin = performance.now();
  const result = await work();
  return [performance.now() - begin, result];
}

function pythonTime(file: string): number | undefined {
  const { status, stdout } = spawnSync("python3", ["-c", PYTHON, file]);
  return status === 0 ? Number(stdout.toString()) : undefined;
}

function show(plan: Plan, { records, bytes, read, loaded, written, python }: PickleFigures): void {
  const row = (what: string, times: readonly number[]): string[] => [
    what,
    withQuartiles(spreadOf(times)),
    python.length === 0 ? "–" : `${spreadOf(pairedRatios(times, python)).median.toFixed(2)} ×`,
  ];
  plan.show({
    title: "A file of python-telegram-bot",
    note: `${count(records)} users and as many chats, ${(bytes / 1_000_000).toFixed(1)} MB. ms. ${python.length === 0 ? "There is no python3 here." : ""}`,
    head: ["", "", "× Python's pickle.load"],
    rows: [
      ...(python.length === 0 ? [] : [row("Python: pickle.load", python)]),
      row("read", read),
      row("read, and all values made (`PicklePersistence`)", loaded),
      row("written", written),
    ],
  });
}
