import { fork } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  ButtonsFigures,
  ButtonsJob,
  ContenderJob,
  ConversationJob,
  RunFigures,
  RunJob,
  StartFigures,
  StepFigures,
} from "./job.ts";

/** What each process does, and what it gives. */
interface Processes {
  fill: { job: ContenderJob; result: null };
  run: { job: RunJob; result: RunFigures };
  buttons: { job: ButtonsJob; result: ButtonsFigures };
  start: { job: ContenderJob; result: StartFigures };
  conversation: { job: ConversationJob; result: StepFigures[] };
}

/** Does a job in a process of its own. Rejects when that ends without a result. */
export async function inOwnProcess<Name extends keyof Processes>(
  name: Name,
  job: Processes[Name]["job"],
): Promise<Processes[Name]["result"]> {
  const child = fork(new URL(`./${name}.ts`, import.meta.url), [JSON.stringify(job)], {
    execArgv: ["--disable-warning=ExperimentalWarning", "--expose-gc"],
    // Processes are many, and none of them measures how long its code takes to load.
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "perdure-bench-code") },
  });
  return new Promise((resolve, reject) => {
    let message: { result: Processes[Name]["result"] } | undefined;
    child.once("message", (received) => (message = received as typeof message));
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (message !== undefined && code === 0) resolve(message.result);
      else reject(new Error(`${name} of ${job.contender} failed (${signal ?? code}): ${JSON.stringify(job)}`));
    });
  });
}
