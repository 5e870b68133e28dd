import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { World, type WorldOptions } from "./driver/world.ts";
import { commandOf, type History } from "./history.ts";
import { Violation } from "./violation.ts";

/** The longest pause between two attempts, and more. */
const LONG_ENOUGH = 11_000;

/** In peace everything comes to its end in fewer rounds, poison included; and something happens within so many. */
const MOST_ROUNDS = 100;
const MOST_IDLE_ROUNDS = 4;

/** Plays a history to its end in a world of its own. Resolves with what the library did that it may not do, if anything. `folder` is for all histories. */
export async function playHistory(history: History, options: WorldOptions): Promise<unknown> {
  const folder = mkdtempSync(join(options.folder, "history-"));
  const world = new World({ ...options, folder });
  try {
    for (const step of history) {
      world.beginStep();
      await commandOf(step).play(step, world);
      await world.quiet();
      world.requireProgress();
    }
    await playOut(world);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    world.abandon();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Peace: nothing fails any more, everybody goes on. Then everything that was sent must have come to its end. */
async function playOut(world: World): Promise<void> {
  let [idle, before] = [0, ""];
  for (let round = 0; round < MOST_ROUNDS && idle < MOST_IDLE_ROUNDS; round += 1) {
    world.beginStep();
    world.faults.clear();
    await world.start({ way: "runner", onHandlerError: "rollback", maxAttempts: 3, concurrency: 64, merge: undefined });
    const waiting = world.life?.waiting ?? 0;
    for (let left = waiting; left > 0; left -= 1) world.life?.goOn(0);
    await world.pass(LONG_ENOUGH);
    await world.quiet();
    world.life?.deliver(100);
    await world.quiet();
    if (isOver(world)) return stop(world);
    const now = tellProgress(world);
    idle = now === before && waiting === 0 ? idle + 1 : 0;
    before = now;
  }
  const { inbox } = world.model.kept;
  throw new Violation(
    `it does not come to an end: ${world.telegram.waiting} at Telegram, ${inbox.length} in the inbox`,
  );
}

function isOver({ telegram, model, life }: World): boolean {
  return life !== undefined && telegram.waiting === 0 && model.kept.inbox.length === 0 && model.unsettled === 0;
}

/** The same text as long as nothing happens. */
function tellProgress({ telegram, model, path }: World): string {
  const inbox = model.kept.inbox.map(({ id, attempts }) => [id, attempts]);
  return JSON.stringify([telegram.waiting, inbox, model.unsettled, path]);
}

async function stop(world: World): Promise<void> {
  void world.life?.stop(0);
  await world.quiet();
  if (world.life !== undefined) throw new Violation("an orderly stop, with nothing to do, does not come to an end");
}
