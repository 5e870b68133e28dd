import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

/** A program of this repository in a process of its own. */
export class Child {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #onLine: (() => void) | undefined;

  constructor(script: string, args: readonly string[] = [], options: SpawnOptions = {}) {
    this.process = spawn(process.execPath, [script, ...args], { stdio: ["pipe", "pipe", "pipe"], ...options });
    this.exited = once(this.process, "close").then(([code, signal]) => {
      this.#onLine?.();
      return { code, signal };
    });
    const { stdout, stderr } = this.process;
    if (stdout) createInterface({ input: stdout }).on("line", (line) => this.#hear(this.lines, line));
    if (stderr) createInterface({ input: stderr }).on("line", (line) => this.#hear(this.errors, line));
    onTestFinished(() => {
      this.process.kill("SIGKILL");
    });
  }

  /** Resolves with the first line on standard output that contains `text`; rejects when the process ends before. */
  async line(text: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.includes(text));
      if (found !== undefined) return found;
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        await this.exited;
        const late = this.lines.find((line) => line.includes(text));
        if (late !== undefined) return late;
        throw new Error(`The process ended without printing "${text}":\n${[...this.lines, ...this.errors].join("\n")}`);
      }
      await new Promise<void>((resolve) => (this.#onLine = resolve));
    }
  }

  /** Kills it as a power cut would, without warning, and waits until it is gone. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited;
  }

  #hear(lines: string[], line: string): void {
    lines.push(line);
    this.#onLine?.();
  }
}
