import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { GO, WAITING, type CrashPlan } from "./crash-plan.ts";
import { SystemCallKiller } from "./system-call-killer.ts";

const BOTS = { perdure: "crash-bot.ts", file: "file-bot.ts" };

/** Compiled code, so that a bot that starts for the thousandth time does it in a third of the time. */
const COMPILE_CACHE = join(tmpdir(), "perdure-compile-cache");

/** A bot in a process of its own, as its plan has it. */
export class BotProcess {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  /** What it printed on standard error. */
  readonly errors: string[] = [];
  /** Resolves with the exit code, which is `null` when it was killed. */
  readonly exited: Promise<number | null>;
  readonly #when: number;
  #killer: SystemCallKiller | undefined;

  /** `when`: in a place that lasts, it is killed before the so many-th system call there that writes; with 0 before the flush. */
  constructor(plan: CrashPlan, when: number) {
    this.#when = when;
    mkdirSync(COMPILE_CACHE, { recursive: true });
    const script = new URL(BOTS[plan.storage], import.meta.url).pathname;
    const args = ["--disable-warning=ExperimentalWarning", script];
    const env = { ...process.env, CRASH_PLAN: JSON.stringify(plan), NODE_COMPILE_CACHE: COMPILE_CACHE };
    this.#process = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"], env });
    this.exited = once(this.#process, "close").then(([code]) => code as number | null);
    const { stdout, stderr, stdin } = this.#process;
    // It may be dead when it is told something.
    stdin?.on("error", () => {});
    if (stdout) createInterface({ input: stdout }).on("line", (line) => this.#hear(line));
    if (stderr) createInterface({ input: stderr }).on("line", (line) => this.errors.push(line));
  }

  /** Whether it has printed this line. */
  hasPrinted(text: string): boolean {
    return this.#lines.includes(text);
  }

  /** Asks it to stop in order. */
  stop(): void {
    this.#process.kill("SIGTERM");
  }

  /** Ends it without warning, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exited;
    await this.#killer?.exited;
  }

  #hear(line: string): void {
    this.#lines.push(line);
    if (line.startsWith(WAITING)) void this.#killInPlace(line.slice(WAITING.length + 1));
  }

  async #killInPlace(path: string): Promise<void> {
    try {
      this.#killer = new SystemCallKiller(this.#process.pid ?? 0, this.#when, path);
      await this.#killer.attached;
      this.#process.stdin?.write(GO);
    } catch (error) {
      this.errors.push(String(error));
      this.#process.kill("SIGKILL");
    }
  }
}
