import { readSync, writeSync } from "node:fs";
import { LASTING, LEFT, WAITING, type CrashPlan, type Place } from "./crash-plan.ts";
import { Watchdog } from "./watchdog.ts";

/** The places that a bot process passes, and its death at the one that its plan names, by the signal that nothing can catch. */
export class DeadlyPlaces {
  readonly #plan: CrashPlan;
  readonly #watchdog: Watchdog | undefined;
  #left: number;

  constructor(plan: CrashPlan) {
    this.#plan = plan;
    this.#left = plan.after;
    const lasts = plan.place !== undefined && LASTING.has(plan.place);
    if (lasts && plan.death === "watchdog") this.#watchdog = new Watchdog(plan.delay);
  }

  /** Dies here if the plan says so. */
  pass(place: Place): void {
    if (this.#isHere(place)) die();
  }

  /** Does the work, and dies in the middle of it if the plan says so. `path` is what the work writes, where that is one file. */
  within<T>(place: Place, work: () => T, path = ""): T {
    if (!this.#isHere(place)) return work();
    if (this.#watchdog === undefined) waitForGo(path);
    this.#watchdog?.arm();
    const result = work();
    if (result instanceof Promise) return result.finally(() => this.#leave()) as T;
    this.#leave();
    return result;
  }

  #leave(): void {
    this.#watchdog?.disarm();
    writeSync(1, `${LEFT}\n`);
    die();
  }

  #isHere(place: Place): boolean {
    if (this.#plan.place !== place) return false;
    this.#left -= 1;
    return this.#left === 0;
  }
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

/** Stands still, with everything else in this process, until whoever kills is ready. */
function waitForGo(path: string): void {
  writeSync(1, `${WAITING} ${path}\n`);
  readSync(0, Buffer.alloc(16));
}
