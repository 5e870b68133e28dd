import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { memoryFolder } from "../crash/memory-folder.ts";
import { cutPower, type PowerCutReport } from "../crash/power-cut/cut-power.ts";
import type { DiskOperation } from "../crash/power-cut/disk-operation.ts";
import { recordBot, whyNotRecorded, type Recording } from "../crash/power-cut/record-bot.ts";
import { RecordedDisk } from "../crash/power-cut/recorded-disk.ts";
import type { PowerMutant } from "../crash/power-cut/recorded-plan.ts";
import { TelegramEmulator } from "../src/testing/index.ts";
import { seededRandom } from "./support/seeded-random.ts";

interface CutOptions {
  readonly durability: "disk" | "os";
  readonly moments: number;
  readonly mutant?: PowerMutant;
}

const reason = whyNotRecorded();
if (reason !== undefined) console.warn(`No power is cut: ${reason}`);

async function cut({ durability, moments, mutant }: CutOptions): Promise<PowerCutReport & { recording: Recording }> {
  const seed = Number(process.env["PERDURE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`power cuts, ${durability}: PERDURE_SEED=${seed}`);
  const root = memoryFolder();
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [folder, traces] = [join(root, "bot"), join(root, "traces")];
  mkdirSync(folder);
  mkdirSync(traces);
  const emulator = await TelegramEmulator.start();
  onTestFinished(() => emulator.stop());
  const recording = await recordBot({ emulator, folder, traces, updates: 40, durability, seed, mutant });
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
      { kind: "sync", file: 1 },
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
      { kind: "sync", file: 1 },
      write(0, "b".repeat(1024)),
    );
    const random = seededRandom(1);
    const left = new Set(Array.from({ length: 200 }, () => disk.cut(random).get(name)?.toString()));
    const [old, fresh] = ["a".repeat(512), "b".repeat(512)];
    expect(left).toEqual(new Set([old + old, old + fresh, fresh + old, fresh + fresh]));
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

describe.skipIf(reason !== undefined)("the power is cut", { timeout: 60_000 }, () => {
  test('with "disk" every answered call survives, whole', async () => {
    const { recording, ...report } = await cut({ durability: "disk", moments: 300 });
    expect(report).toMatchObject({ unreadable: 0, torn: 0, early: 0, examples: [] });
    expect(report.cuts).toBeGreaterThan(300);
    // What must have been recorded: a new file, the log folded into it while the bot works and when it stops, the log removed.
    expect(recording.operations).toContainEqual(expect.objectContaining({ kind: "rename", to: "bot.sqlite" }));
    expect(report.checkpoints).toBeGreaterThanOrEqual(2);
    expect(recording.operations).toContainEqual({ kind: "remove", name: "bot.sqlite-wal" });
  });

  test('with "os" it is of one moment, which may be an earlier one', async () => {
    const report = await cut({ durability: "os", moments: 100 });
    expect(report).toMatchObject({ unreadable: 0, torn: 0 });
    expect(report.early).toBeGreaterThan(0);
  });

  test.each<[PowerMutant, "early" | "torn"]>([
    ["synchronous off", "early"],
    ["state before done", "torn"],
  ])("a bot with the fault is found: %s", async (mutant, fault) => {
    const report = await cut({ durability: "disk", moments: 40, mutant });
    expect(report[fault]).toBeGreaterThan(0);
  });
});
