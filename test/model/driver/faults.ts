import { PerdureError, type ErrorCode } from "../../../src/errors.ts";
import type { UnitCommit } from "../../../src/persistence/atomic-persistence.ts";
import { REFUSED } from "../reference/unit-model.ts";

/** The calls of a persistence that can go wrong. */
export const CALLS = ["accept", "commit", "read", "note", "list"] as const;
export type Call = (typeof CALLS)[number];

/** Something that goes wrong with one call of the persistence. */
export interface Fault {
  readonly call: Call;
  /** Before it is done, or after: then only the answer is missing. */
  readonly when: "before" | "after";
  /** It fails; it takes until {@link Faults.free}; the process dies in it. */
  readonly how: "fails" | "takes long" | "kills";
  /** How many such calls go well before. */
  readonly after: number;
  /** How often. */
  readonly times: number;
}

/** What fails for now fails with one of these. */
const PASSING: readonly ErrorCode[] = ["PERDURE_BUSY", "PERDURE_DISK_FULL", "PERDURE_IO"];

/** The longest pause after which the engine tries again, in milliseconds. */
const LONGEST_PAUSE = 10_000;

interface Armed {
  readonly fault: Fault;
  passes: number;
  times: number;
}

/** What goes wrong with a persistence, and when. */
export class Faults {
  #armed: Armed[] = [];
  #slow: (() => void)[] = [];
  #failures = 0;
  #lastFailure = -Infinity;

  arm(fault: Fault): void {
    this.#armed.push({ fault, passes: fault.after, times: fault.times });
  }

  /** Lets go on what takes long. */
  free(): void {
    for (const go of this.#slow.splice(0)) go();
  }

  /** Whether a call takes long. */
  get isSlow(): boolean {
    return this.#slow.length > 0;
  }

  /** From here on nothing goes wrong. */
  clear(): void {
    this.#armed = [];
    this.free();
  }

  /** Whether nothing goes wrong, and nothing that went wrong is still waited for. */
  isCalm(now: number): boolean {
    return this.#armed.length === 0 && this.#slow.length === 0 && now - this.#lastFailure > LONGEST_PAUSE;
  }

  /** Lets happen what is to happen at this point. `onStrike` hears of it first. */
  async strike(
    call: Call,
    when: Fault["when"],
    now: number,
    onStrike: (how: Fault["how"]) => Promise<never> | undefined,
  ): Promise<void> {
    const armed = this.#armed.find(({ fault }) => fault.call === call && fault.when === when);
    if (armed === undefined) return;
    if (armed.passes > 0) {
      armed.passes -= 1;
      return;
    }
    armed.times -= 1;
    if (armed.times <= 0) this.#armed = this.#armed.filter((other) => other !== armed);
    await onStrike(armed.fault.how);
    if (armed.fault.how === "takes long") await new Promise<void>((resolve) => this.#slow.push(resolve));
    if (armed.fault.how === "fails") throw this.#failure(now);
  }

  #failure(now: number): PerdureError {
    this.#failures += 1;
    this.#lastFailure = now;
    return new PerdureError(PASSING[this.#failures % PASSING.length] ?? "PERDURE_IO", "It fails for now.");
  }
}

/** Refuses for good what no attempt can make durable. */
export function refuse(units: readonly UnitCommit[]): void {
  const isRefused = units.some(({ changes }) => changes.some(({ record }) => record?.text.includes(REFUSED) === true));
  if (isRefused) throw new PerdureError("PERDURE_REFUSED", "It can never be kept.");
}
