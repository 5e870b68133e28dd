import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { EmulatedUser, TelegramEmulator } from "../../src/testing/index.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { DiskOperation } from "./disk-operation.ts";
import { RecordedDisk } from "./recorded-disk.ts";
import type { PowerMutant, RecordedPlan } from "./recorded-plan.ts";
import { TRACE_OPTIONS, TraceReader } from "./trace-reader.ts";

const RECORDED_BOT = new URL("recorded-bot.ts", import.meta.url).pathname;

/** How long strace holds up each sync of a slow disk, in microseconds. */
const SLOW = 5000;

export type Flushes = "here" | "in a thread";

/** What is recorded. */
export interface RecordingOptions {
  readonly emulator: TelegramEmulator;
  /** Empty folders: of the bot's file, and of what strace writes. */
  readonly folder: string;
  readonly traces: string;
  readonly updates: number;
  readonly durability: "disk" | "os";
  /** Where a bot flushes: while everything else waits, since that is quick; or in a thread, since the disk is slow. */
  readonly flushes: Flushes;
  readonly seed: number;
  readonly mutant?: PowerMutant | undefined;
}

/** What two lives of a bot did to its files. */
export interface Recording {
  readonly botId: number;
  readonly operations: readonly DiskOperation[];
}

/** Why nothing can be recorded here; `undefined` where it can. */
export function whyNotRecorded(): string | undefined {
  const { error, status, stderr } = spawnSync("strace", ["-o", "/dev/null", process.execPath, "-e", "0"], {
    encoding: "utf8",
  });
  if (error !== undefined) return "strace is not installed";
  return status === 0 ? undefined : `strace does not work here: ${stderr}`;
}

/**
 * A bot creates its file, works, is killed in the middle of a handler, is started again, works, and stops in order. What it did
 * to its files was seen by strace.
 */
export async function recordBot(options: RecordingOptions): Promise<Recording> {
  const { emulator, updates, durability, flushes, mutant, traces } = options;
  const folder = realpathSync(options.folder);
  const { token, id: botId } = await emulator.createBot({ username: `cut_${Math.floor(Math.random() * 1e9)}_bot` });
  const users = await Promise.all(["Ann", "Bob"].map((firstName) => emulator.createUser({ firstName, bot: token })));
  const reader = new TraceReader(folder);
  const random = seededRandom(options.seed);
  const plan = { token, apiRoot: emulator.url, file: join(folder, "bot.sqlite"), durability, mutant };

  const first = startTraced({ ...plan, diesAt: "die" }, flushes, join(traces, "1"));
  await talk(users, Math.ceil(updates / 2), random);
  await users[0]?.send("die");
  await first.exited;
  reader.read(readFileSync(first.trace, "utf8"));
  requireSame(reader.operations, folder);

  const second = startTraced({ ...plan, diesAt: undefined }, flushes, join(traces, "2"));
  await users[0]?.nextReply({ timeout: 20_000 });
  await talk(users, Math.floor(updates / 2), random);
  second.stop();
  await second.exited;
  reader.read(readFileSync(second.trace, "utf8"));
  requireSame(reader.operations, folder);
  return { botId, operations: reader.operations };
}

interface Traced {
  readonly trace: string;
  readonly exited: Promise<unknown>;
  stop(): void;
}

function startTraced(plan: RecordedPlan, flushes: Flushes, trace: string): Traced {
  const command = [process.execPath, "--disable-warning=ExperimentalWarning", RECORDED_BOT];
  const slow = flushes === "here" ? [] : ["-e", `inject=fdatasync:delay_enter=${SLOW}`];
  const child = spawn("strace", ["-o", trace, ...TRACE_OPTIONS, ...slow, ...command], {
    env: { ...process.env, RECORDED_PLAN: JSON.stringify(plan) },
    stdio: ["pipe", "ignore", "inherit"],
  });
  return { trace, exited: once(child, "close"), stop: () => void child.stdin?.end() };
}

/** People write, several at once, and wait for their answers. */
async function talk(users: readonly EmulatedUser[], updates: number, random: () => number): Promise<void> {
  for (let left = updates; left > 0;) {
    const writing = Array.from({ length: Math.min(left, 1 + Math.floor(random() * 4)) }, () => {
      return users[Math.floor(random() * users.length)] as EmulatedUser;
    });
    for (const user of writing) await user.send(`text ${left} ${"x".repeat(Math.floor(random() * 200))}`);
    for (const user of writing) await user.nextReply({ timeout: 20_000 });
    left -= writing.length;
  }
}

/** What was recorded must be all that was done: carried out again, it gives the same files. */
function requireSame(operations: readonly DiskOperation[], folder: string): void {
  const disk = new RecordedDisk();
  for (const operation of operations) disk.apply(operation);
  const found = disk.content();
  const names = new Set([...found.keys(), ...readdirSync(folder)]);
  for (const name of [...names].filter((one) => !one.endsWith("-shm"))) {
    const path = join(folder, name);
    const real = existsSync(path) ? readFileSync(path) : undefined;
    const recorded = found.get(name);
    const isSame = real === undefined ? recorded === undefined : recorded?.equals(real) === true;
    if (!isSame) throw new Error(`What was recorded of ${name} is not all that was written to it.`);
  }
}
