import fc from "fast-check";
import type { Command, Step } from "./command.ts";
import { announceMigration } from "./commands/announce-migration.ts";
import { call } from "./commands/call.ts";
import { crash } from "./commands/crash.ts";
import { deliverAgain } from "./commands/deliver-again.ts";
import { deliver } from "./commands/deliver.ts";
import { dropPending } from "./commands/drop-pending.ts";
import { fail } from "./commands/fail.ts";
import { free } from "./commands/free.ts";
import { goOn } from "./commands/go-on.ts";
import { passTime } from "./commands/pass-time.ts";
import { restartIds } from "./commands/restart-ids.ts";
import { send } from "./commands/send.ts";
import { start } from "./commands/start.ts";
import { stop } from "./commands/stop.ts";
import { transact } from "./commands/transact.ts";

/** Everything that may happen in a history. A new kind of command is a file of its own and a line here. */
const COMMANDS = [
  announceMigration,
  call,
  crash,
  deliver,
  deliverAgain,
  dropPending,
  fail,
  free,
  goOn,
  passTime,
  restartIds,
  send,
  start,
  stop,
  transact,
] as unknown as readonly Command<Step>[];

/** What happens, in order. */
export type History = readonly Step[];

const steps: fc.Arbitrary<Step> = fc.oneof(
  ...COMMANDS.map((command) => ({ weight: command.weight, arbitrary: command.steps })),
);

const histories: fc.Arbitrary<History> = fc
  .tuple(start.steps, fc.array(steps, { minLength: 5, maxLength: 60, size: "max" }))
  .map(([first, others]) => [first, ...others]);

/** The history of a seed. */
export function historyOf(seed: number): History {
  const [history] = fc.sample(histories, { seed, numRuns: 1 });
  if (history === undefined) throw new TypeError(`There is no history of ${seed}.`);
  return history;
}

/** The kind of command that a step is of. */
export function commandOf(step: Step): Command<Step> {
  const command = COMMANDS.find(({ kind }) => kind === step.kind);
  if (command === undefined) throw new TypeError(`There is no command of the kind ${step.kind}.`);
  return command;
}

/** A history in words, a line for each step. */
export function tellHistory(history: History): string {
  return history.map((step, index) => `${index + 1}. ${commandOf(step).tell(step)}`).join("\n");
}
