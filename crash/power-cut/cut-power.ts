import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { DiskOperation } from "./disk-operation.ts";
import { KeptState, readState } from "./kept-state.ts";
import type { Recording } from "./record-bot.ts";
import { RecordedDisk, type Fate } from "./recorded-disk.ts";
import type { PersistenceCall, PersistenceLine } from "./recorded-plan.ts";

/** What a power is cut in. */
export interface PowerCutOptions {
  readonly recording: Recording;
  /** Where files are rebuilt: best in memory. Need not exist. */
  readonly folder: string;
  readonly seed: number;
  /** After how many of the operations, evenly spread, the power is cut. Default: after each. */
  readonly moments?: number | undefined;
  /** How often chance decides what becomes of what was not synced, beside all of it and nothing of it. */
  readonly chances: number;
}

/** What was found after the power cuts. */
export interface PowerCutReport {
  /** Operations on the disk, and syncs among them. */
  readonly operations: number;
  readonly syncs: number;
  /** How often the log was folded into the file. */
  readonly checkpoints: number;
  /** Different sets of files that a power cut may leave. */
  readonly cuts: number;
  /** That could not be opened and read. */
  readonly unreadable: number;
  /** Whose records, inbox and done marks are of no single moment. */
  readonly torn: number;
  /** That are of a moment before a call that must survive. */
  readonly early: number;
  /** What the first faults were. */
  readonly examples: readonly string[];
}

const MOST_EXAMPLES = 5;

/** Cuts the power at every moment of a recording, and opens what is left. */
export async function cutPower(options: PowerCutOptions): Promise<PowerCutReport> {
  const cuts = new PowerCuts(options);
  return cuts.run();
}

class PowerCuts {
  readonly #options: PowerCutOptions;
  readonly #random: () => number;
  readonly #disk = new RecordedDisk();
  readonly #updates: number[];
  /** The states after each call, in the order in which they began, as texts. */
  readonly #states: string[];
  readonly #seen = new Set<string>();
  readonly #found = { unreadable: 0, torn: 0, early: 0 };
  readonly #examples: string[] = [];
  #begun = 0;
  /** How many of these must survive. */
  #answered = 0;

  constructor(options: PowerCutOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    const calls = options.recording.operations.flatMap(callOf);
    this.#updates = [...new Set(calls.flatMap((call) => (call.name === "accept" ? call.ids : [])))];
    let state = new KeptState();
    this.#states = [state.text()];
    for (const call of calls) {
      state = state.after(call);
      this.#states.push(state.text());
    }
  }

  async run(): Promise<PowerCutReport> {
    const { operations } = this.#options.recording;
    const onDisk = operations.filter(({ kind }) => kind !== "tell").length;
    const step = Math.max(1, onDisk / (this.#options.moments ?? onDisk));
    let next = 0;
    let index = 0;
    for (const operation of operations) {
      this.#disk.apply(operation);
      if (operation.kind === "tell") {
        this.#hear(operation.line);
        continue;
      }
      if (index >= next) {
        next += step;
        await this.#cutHere(index, operation);
      }
      index += 1;
    }
    await this.#cutHere(index, "the end");
    const syncs = operations.filter(({ kind }) => kind.startsWith("sync")).length;
    const checkpoints = countCheckpoints(operations);
    return { operations: onDisk, syncs, checkpoints, cuts: this.#seen.size, ...this.#found, examples: this.#examples };
  }

  #hear(line: string): void {
    const heard = JSON.parse(line) as PersistenceLine;
    if (heard.name !== "answered") this.#begun += 1;
    else this.#answered = Math.max(this.#answered, this.#begun - heard.since);
  }

  async #cutHere(index: number, after: DiskOperation | "the end"): Promise<void> {
    const fates: Fate[] = ["gone", "there", ...Array.from({ length: this.#options.chances }, () => this.#random)];
    for (const fate of fates) {
      const files = this.#disk.cut(fate);
      if (!this.#isNew(files)) continue;
      const fault = await this.#open(files);
      if (fault === undefined) continue;
      this.#found[fault.kind] += 1;
      const what = after === "the end" ? after : `operation ${index}, ${after.kind}`;
      if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(`after ${what}: ${fault.kind}, ${fault.detail}`);
    }
  }

  /** The same files with the same answers need not be opened again. */
  #isNew(files: ReadonlyMap<string, Buffer>): boolean {
    const hash = createHash("sha1").update(`${this.#answered} ${this.#begun}`);
    for (const [name, content] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (!name.endsWith("-shm")) hash.update(`/${name}/${content.length}/`).update(content);
    }
    const key = hash.digest("hex");
    const isNew = !this.#seen.has(key);
    this.#seen.add(key);
    return isNew;
  }

  async #open(
    files: ReadonlyMap<string, Buffer>,
  ): Promise<{ kind: "unreadable" | "torn" | "early"; detail: string } | undefined> {
    const { folder, recording } = this.#options;
    mkdirSync(folder, { recursive: true });
    try {
      for (const [name, content] of files) writeFileSync(join(folder, name), leftOf(name, content));
      const state = await readState(join(folder, "bot.sqlite"), recording.botId, this.#updates);
      return this.#judge(state.text());
    } catch (error) {
      return { kind: "unreadable", detail: String(error) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  #judge(state: string): { kind: "torn" | "early"; detail: string } | undefined {
    const moment = this.#states.lastIndexOf(state, this.#begun);
    const wanted = `after call ${this.#answered} to ${this.#begun}`;
    if (moment === -1) return { kind: "torn", detail: `it is of no moment ${wanted}: ${state}` };
    if (moment < this.#answered) return { kind: "early", detail: `it is after call ${moment}, not ${wanted}` };
    return undefined;
  }
}

/** SQLite's shared memory is not synced ever, and holds nothing that is not in the log: anything may stand there. */
function leftOf(name: string, content: Buffer): Buffer {
  return name.endsWith("-shm") ? randomBytes(content.length) : content;
}

/** Syncs of the file itself, once it has its name. */
function countCheckpoints(operations: readonly DiskOperation[]): number {
  const naming = operations.find((operation) => operation.kind === "rename" && operation.to === "bot.sqlite");
  if (naming?.kind !== "rename") return 0;
  const later = operations.slice(operations.indexOf(naming));
  return later.filter((operation) => operation.kind === "sync" && operation.file === naming.file).length;
}

function callOf(operation: DiskOperation): PersistenceCall[] {
  if (operation.kind !== "tell") return [];
  const line = JSON.parse(operation.line) as PersistenceLine;
  return line.name === "answered" ? [] : [line];
}
