import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A server of our own, on loopback, for as long as it is needed. */
export class ServerProcess {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Resolves when it has said `ready`. Rejects with what it said when it ends before. */
  static async start(
    command: string,
    args: readonly string[],
    { ready, input = "", ...options }: SpawnOptions & { readonly ready: string; readonly input?: string },
  ): Promise<ServerProcess> {
    const child = spawn(command, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
    const lines: string[] = [];
    const isReady = new Promise<void>((resolve) => {
      const hear = (line: string): void => {
        lines.push(line);
        if (line.includes(ready)) resolve();
      };
      createInterface({ input: child.stdout }).on("line", hear);
      createInterface({ input: child.stderr }).on("line", hear);
    });
    const ended = Promise.race([once(child, "error"), once(child, "close")]).then(([error]: unknown[]) => {
      throw new Error(
        `${command} did not start: ${error instanceof Error ? error.message : lines.slice(-5).join("\n")}`,
      );
    });
    child.stdin.end(input);
    await Promise.race([isReady, ended]);
    ended.catch(() => {});
    return new ServerProcess(child);
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    // For PostgreSQL: end the sessions and stop; for Redis: stop.
    this.#process.kill("SIGINT");
    await exited;
  }
}
