import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** process.ts beside this source, process.js beside the built file. */
const ENTRY = fileURLToPath(new URL("./process.ts", import.meta.url)).replace(
  /\.ts$/,
  extname(new URL(import.meta.url).pathname),
);

/** Milliseconds that a process gets to end by itself. */
const PATIENCE = 5000;

/** An emulator process that listens. */
export interface EmulatorProcess {
  readonly url: string;
  /** Ends the process and waits for that. May be called more than once. */
  end(): Promise<void>;
}

/** What the process is told at its start: see process.ts. */
interface ProcessOptions {
  readonly port?: number | undefined;
  readonly transcriptLimit?: number | undefined;
  readonly clock?: "driven" | undefined;
  readonly webhookTimeout?: number | undefined;
}

/** Starts the emulator as a child process, which also ends when this process does, however that happens. */
export async function startProcess({
  port = 0,
  transcriptLimit,
  clock,
  webhookTimeout,
}: ProcessOptions): Promise<EmulatorProcess> {
  const args = [ENTRY, "--until-stdin-closes", "--port", String(port)];
  if (transcriptLimit !== undefined) args.push("--transcript-limit", String(transcriptLimit));
  if (webhookTimeout !== undefined) args.push("--webhook-timeout", String(webhookTimeout));
  if (clock !== undefined) args.push("--clock", clock);
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  // A child that could not even be started is reported below.
  exited.catch(() => {});
  const { url } = JSON.parse(await firstLine(child)) as { url: string };
  return { url, end: () => end(child, exited) };
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.stdin?.end();
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  await exited;
  clearTimeout(timer);
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`the emulator's process ended with code ${code} before it listened`)),
    );
    if (child.stdout !== null) createInterface({ input: child.stdout }).once("line", resolve);
  });
}
