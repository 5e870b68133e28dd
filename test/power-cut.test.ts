import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { memoryFolder } from "../crash/memory-folder.ts";
import { cutPower, type PowerCutReport } from "../crash/power-cut/cut-power.ts";
import type { DiskOperation } from "../crash/power-cut/disk-operation.ts";
import { recordBot, whyNotRecorded, type Flushes, type Recording } from "../crash/power-cut/record-bot.ts";
import { RecordedDisk } from "../crash/power-cut/recorded-disk.ts";
import type { PowerMutant } from "../crash/power-cut/recorded-plan.ts";
import { TraceReader } from "../crash/power-cut/trace-reader.ts";
import { TelegramEmulator } from "../src/testing/index.ts";
import { seededRandom } from "./support/seeded-random.ts";

interface CutOptions {
  readonly durability: "disk" | "os";
  readonly flushes?: Flushes;
  readonly moments: number;
  readonly mutant?: PowerMutant;
}

const reason = whyNotRecorded();
if (reason !== undefined) console.warn(`No power is cut: ${reason}`);

async function cut(options: CutOptions): Promise<PowerCutReport & { recording: Recording }> {
  const { durability, flushes = "here", moments, mutant } = options;
  const seed = Number(process.env["PERDURE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`power cuts, ${durability}, ${flushes}: PERDURE_SEED=${seed}`);
  const root = memoryFolder();
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [folder, traces] = [join(root, "bot"), join(root, "traces")];
  mkdirSync(folder);
  mkdirSync(traces);
  const emulator = await TelegramEmulator.start();
  onTestFinished(() => emulator.stop());
  const recording = await recordBot({ emulator, folder, traces, updates: 40, durability, flushes, seed, mutant });
  const report = await cutPower({ recording, folder: join(root, "cut"), seed, moments, chances: 2 });
  return { ...report, recording };
}

describe("what is left when the power is cut", () => {
  const name = "bot.sqlite";
  const write = (offset: number, text: string): DiskOperation => ({
    kind: "write",
    file: 1,
    offset,
    data: Buffer.from(text),
  });

  function diskAfter(...operations: DiskOperation[]): RecordedDisk {
    const disk = new RecordedDisk();
    for (const operation of operations) disk.apply(operation);
    return disk;
  }

  const texts = (files: ReadonlyMap<string, Buffer>): string[][] =>
    [...files].map(([file, data]) => [file, String(data)]);

  test("what was synced, under the names that were synced", () => {
    const disk = diskAfter(
      { kind: "create", name: "draft", file: 1 },
      write(0, "abc"),
      { kind: "sync", file: 1, upTo: 2 },
      { kind: "sync folder" },
      write(1, "XYZ"),
      { kind: "rename", from: "draft", to: name, file: 1 },
    );
    expect(texts(disk.cut("gone"))).toEqual([["draft", "abc"]]);
    expect(texts(disk.cut("there"))).toEqual([[name, "aXYZ"]]);
    expect(texts(disk.content())).toEqual([[name, "aXYZ"]]);
  });

  test("of a write that was not synced any of its sectors, and none of what was", () => {
    const disk = diskAfter(
      { kind: "create", name, file: 1 },
      { kind: "sync folder" },
      write(0, "a".repeat(1024)),
      { kind: "sync", file: 1, upTo: 3 },
      write(0, "b".repeat(1024)),
    );
    const random = seededRandom(1);
    const left = new Set(Array.from({ length: 200 }, () => disk.cut(random).get(name)?.toString()));
    const [old, fresh] = ["a".repeat(512), "b".repeat(512)];
    expect(left).toEqual(new Set([old + old, old + fresh, fresh + old, fresh + fresh]));
  });

  test("of what was written while a sync ran, what chance leaves", () => {
    const disk = diskAfter(
      { kind: "create", name, file: 1 },
      { kind: "sync folder" },
      write(0, "abc"),
      write(1, "XYZ"),
      { kind: "sync", file: 1, upTo: 3 },
    );
    expect(texts(disk.cut("gone"))).toEqual([[name, "abc"]]);
    expect(texts(disk.cut("there"))).toEqual([[name, "aXYZ"]]);
    disk.apply({ kind: "sync", file: 1, upTo: 5 });
    expect(texts(disk.cut("gone"))).toEqual([[name, "aXYZ"]]);
  });

  test("what cannot be opened is found", async () => {
    const root = memoryFolder();
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const operations: DiskOperation[] = [{ kind: "create", name, file: 1 }, write(0, "no database ".repeat(100))];
    const recording = { botId: 1, operations };
    const report = await cutPower({ recording, folder: join(root, "cut"), seed: 1, chances: 0 });
    expect(report).toMatchObject({ operations: 2, cuts: 3, unreadable: 2 });
  });
});

describe("what strace wrote is read", () => {
  const hex = (text: string): string => Buffer.from(text).toString("hex").replaceAll(/../g, "\\x$&");
  const opened = `7 openat(AT_FDCWD, "${hex("/bot/log")}", O_RDWR|O_CREAT, 0644) = 5`;

  function read(...lines: string[]): readonly DiskOperation[] {
    const reader = new TraceReader("/bot");
    reader.read(lines.join("\n"));
    return reader.operations;
  }

  const write = (offset: number, text: string): DiskOperation => ({
    kind: "write",
    file: 1,
    offset,
    data: Buffer.from(text),
  });

  test("a sync in another thread covers what was written before it began", () => {
    const operations = read(
      opened,
      `7 pwrite64(5, "${hex("ab")}", 2, 0) = 2`,
      "8 fdatasync(5 <unfinished ...>",
      `7 pwrite64(5, "${hex("cd")}", 2, 2) = 2`,
      `7 write(1, "${hex("told\n")}", 5) = 5`,
      "8 <... fdatasync resumed>)          = 0 (DELAYED)",
      "7 fdatasync(5) = 0",
    );
    expect(operations).toEqual([
      { kind: "create", name: "log", file: 1 },
      write(0, "ab"),
      write(2, "cd"),
      { kind: "tell", line: "told" },
      { kind: "sync", file: 1, upTo: 2 },
      { kind: "sync", file: 1, upTo: 5 },
    ]);
  });

  test("a write that has not ended when a sync begins is not covered, and one that never ends is none; nor is a sync", () => {
    const operations = read(
      opened,
      `7 pwrite64(5, "${hex("ab")}", 2, 0 <unfinished ...>`,
      "8 fdatasync(5 <unfinished ...>",
      "7 <... pwrite64 resumed>)            = 2",
      "8 <... fdatasync resumed>)          = 0",
      "8 fdatasync(5 <unfinished ...>",
      `7 pwrite64(5, "${hex("cd")}", 2, 2 <unfinished ...>`,
      "8 <... fdatasync resumed>)          = ?",
      "7 <... pwrite64 resumed>)            = ?",
      "7 +++ killed by SIGKILL +++",
    );
    expect(operations).toEqual([
      { kind: "create", name: "log", file: 1 },
      write(0, "ab"),
      { kind: "sync", file: 1, upTo: 1 },
    ]);
  });

  test("the number of a file that another thread closes is free at once", () => {
    const operations = read(
      opened,
      "8 close(5 <unfinished ...>",
      `7 openat(AT_FDCWD, "${hex("/bot/other")}", O_RDWR|O_CREAT, 0644) = 5`,
      "8 <... close resumed>)               = 0",
      "7 fsync(5) = 0",
    );
    expect(operations.at(-1)).toEqual({ kind: "sync", file: 2, upTo: 2 });
  });
});

/** During how many syncs of a file something was written to it. */
function overtaken(operations: readonly DiskOperation[]): number {
  return operations.filter((sync, index) => {
    if (sync.kind !== "sync") return false;
    const meanwhile = operations.slice(sync.upTo, index);
    return meanwhile.some((other) => other.kind === "write" && other.file === sync.file);
  }).length;
}

describe.skipIf(reason !== undefined)("the power is cut", { timeout: 60_000 }, () => {
  test.each<Flushes>(["here", "in a thread"])(
    'with "disk" every answered call survives, whole, flushed %s',
    async (flushes) => {
      const { recording, ...report } = await cut({ durability: "disk", flushes, moments: 300 });
      expect(report).toMatchObject({ unreadable: 0, torn: 0, early: 0, examples: [] });
      expect(report.cuts).toBeGreaterThan(300);
      // What must have been recorded: a new file, the log folded into it while the bot works and when it stops, the log removed.
      expect(recording.operations).toContainEqual(expect.objectContaining({ kind: "rename", to: "bot.sqlite" }));
      expect(report.checkpoints).toBeGreaterThanOrEqual(2);
      expect(recording.operations).toContainEqual({ kind: "remove", name: "bot.sqlite-wal" });
      expect(overtaken(recording.operations)).toBeGreaterThanOrEqual(flushes === "in a thread" ? 1 : 0);
    },
  );

  test('with "os" it is of one moment, which may be an earlier one', async () => {
    const report = await cut({ durability: "os", moments: 100 });
    expect(report).toMatchObject({ unreadable: 0, torn: 0 });
    expect(report.early).toBeGreaterThan(0);
  });

  test.each<[PowerMutant, "early" | "torn"]>([
    ["never flushed", "early"],
    ["confirmed first", "early"],
    ["state before done", "torn"],
  ])("a bot with the fault is found: %s", async (mutant, fault) => {
    const report = await cut({ durability: "disk", moments: 40, mutant });
    expect(report[fault]).toBeGreaterThan(0);
  });
});
