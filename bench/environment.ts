import { readFileSync, statfsSync } from "node:fs";
import { cpus, loadavg } from "node:os";

/** Where and how a run was made: figures of two runs are not comparable, and this says why. */
export interface Environment {
  readonly at: string;
  readonly node: string;
  readonly sqlite: string;
  readonly grammy: string;
  readonly processor: string;
  readonly cores: number;
  /** How many programs wanted a processor when the run began and when it ended, over a minute. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly isQuick: boolean;
  readonly seed: number;
  readonly repetitions: number;
  readonly seconds: number;
  readonly remarks: readonly string[];
}

/** What `statfs` says of a file system in memory. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);

/** What is known before a run. */
export function environment(): Pick<
  Environment,
  "at" | "node" | "sqlite" | "grammy" | "processor" | "cores" | "loadBefore"
> {
  const processors = cpus();
  return {
    at: new Date().toISOString(),
    node: process.versions.node,
    sqlite: process.versions["sqlite"] ?? "",
    grammy: versionOf("grammy"),
    processor: processors[0]?.model.trim() ?? "",
    cores: processors.length,
    loadBefore: currentLoad(),
  };
}

export function currentLoad(): number {
  return loadavg()[0] ?? 0;
}

/** Whether what is written in this folder never reaches a disk, so that flushing costs nothing. */
export function isInMemory(folder: string): boolean {
  return IN_MEMORY.has(statfsSync(folder).type);
}

function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
