import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dueRuns, type DueRuns, type DueRunsOptions } from "./misfire.ts";
import { nextRun, type Schedule } from "./schedule.ts";

const every100: Schedule = { kind: "repeating", every: 100, anchor: 1000 };
const DEFAULTS = { schedule: every100, due: 1000, coalesce: true, most: 1 };
const due = (options: Partial<DueRunsOptions> & { now: number }): unknown => dueRuns({ ...DEFAULTS, ...options });

describe("a job that nobody has kept waiting", () => {
  test("is not run before its time, and at it", () => {
    expect(due({ now: 999 })).toEqual({ runs: [], next: 1000 });
    expect(due({ now: 1000 })).toEqual({ runs: [1000], next: 1100 });
    expect(due({ now: 1099 })).toEqual({ runs: [1000], next: 1100 });
    expect(due({ now: 1000, coalesce: false })).toEqual({ runs: [1000], next: 1100 });
  });

  test("is over after its last run", () => {
    const once: Schedule = { kind: "once", at: 1000 };
    expect(due({ schedule: once, now: 1000 })).toEqual({ runs: [1000], next: undefined });
    expect(due({ schedule: { ...every100, last: 1050 }, now: 1000 })).toEqual({ runs: [1000], next: undefined });
  });
});

describe("coalesce", () => {
  test("PTB 187: several runs that were missed become one, the last of them; the grid stays", () => {
    expect(due({ now: 1234 })).toEqual({ runs: [1200], next: 1300 });
    expect(due({ now: 1234, most: 5 })).toEqual({ runs: [1200], next: 1300 });
  });

  test("PTB 191: what was due in a downtime is run once, however long it was", () => {
    const now = 1000 + 365 * 24 * 60 * 60 * 1000;
    expect(due({ now })).toEqual({ runs: [now], next: now + 100 });
    expect(due({ schedule: { kind: "once", at: 1000 }, now })).toEqual({ runs: [1000], next: undefined });
    const ended: Schedule = { ...every100, last: 1250 };
    expect(due({ schedule: ended, now })).toEqual({ runs: [1200], next: undefined });
  });

  test("without it each is made, the earliest first, so many at a time", () => {
    const options = { coalesce: false, now: 1350 };
    expect(due({ ...options, most: 10 })).toEqual({ runs: [1000, 1100, 1200, 1300], next: 1400 });
    expect(due({ ...options, most: 3 })).toEqual({ runs: [1000, 1100, 1200], next: 1300 });
    expect(due({ ...options, due: 1300, most: 3 })).toEqual({ runs: [1300], next: 1400 });
  });
});

describe("maxInstances", () => {
  test.each([true, false])("when no more may run, the job stays due (coalesce %s)", (coalesce) => {
    expect(due({ coalesce, now: 1350, most: 0 })).toEqual({ runs: [], next: 1000 });
  });
});

describe("misfireGrace", () => {
  test("PTB 187: a run that is exactly so late is made, a later one is skipped", () => {
    expect(due({ now: 1050, misfireGrace: 50 })).toEqual({ runs: [1000], next: 1100 });
    expect(due({ now: 1051, misfireGrace: 50 })).toEqual({
      runs: [],
      next: 1100,
      skipped: { first: 1000, last: 1000 },
    });
    expect(due({ now: 1050, misfireGrace: 50, coalesce: false })).toEqual({ runs: [1000], next: 1100 });
    expect(due({ now: 1051, misfireGrace: 50, coalesce: false })).toEqual({
      runs: [],
      next: 1100,
      skipped: { first: 1000, last: 1000 },
    });
  });

  test("with coalesce, the last run counts", () => {
    expect(due({ now: 1340, misfireGrace: 50 })).toEqual({ runs: [1300], next: 1400 });
    expect(due({ now: 1390, misfireGrace: 50 })).toEqual({
      runs: [],
      next: 1400,
      skipped: { first: 1000, last: 1300 },
    });
  });

  test("without coalesce, those that are too late are skipped and the others made", () => {
    expect(due({ now: 1320, misfireGrace: 150, coalesce: false, most: 9 })).toEqual({
      runs: [1200, 1300],
      next: 1400,
      skipped: { first: 1000, last: 1100 },
    });
  });

  test("without coalesce too, a run that is exactly so late is made", () => {
    expect(due({ now: 1350, misfireGrace: 150, coalesce: false, most: 9 })).toMatchObject({ runs: [1200, 1300] });
  });

  test("a single run that is too late is skipped, and the job over", () => {
    expect(due({ schedule: { kind: "once", at: 1000 }, now: 2000, misfireGrace: 1 })).toEqual({
      runs: [],
      next: undefined,
      skipped: { first: 1000, last: 1000 },
    });
  });
});

test("a clock that is put back repeats nothing", () => {
  expect(due({ now: 1250 })).toEqual({ runs: [1200], next: 1300 });
  expect(due({ due: 1300, now: 1000 })).toEqual({ runs: [], next: 1300 });
  expect(due({ due: 1300, now: 1300 })).toEqual({ runs: [1300], next: 1400 });
});

test("a job is run at the time that was noted for it, also if its schedule names another by now", () => {
  expect(due({ due: 1042, now: 1042 })).toEqual({ runs: [1042], next: 1100 });
});

const HOUR = 3_600_000;
const START = Date.UTC(2026, 2, 27);
const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  fc.record({ kind: fc.constant("once" as const), at: fc.integer({ min: START, max: START + 99 * HOUR }) }),
  fc.record({
    kind: fc.constant("repeating" as const),
    every: fc.integer({ min: HOUR / 3, max: 30 * HOUR }),
    anchor: fc.integer({ min: START, max: START + 9 * HOUR }),
    last: fc.option(fc.integer({ min: START + 20 * HOUR, max: START + 500 * HOUR }), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant("daily" as const),
    time: fc.record({ hour: fc.nat({ max: 23 }), minute: fc.nat({ max: 59 }), second: fc.constant(0) }),
    days: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }),
    zone: fc.constantFrom("UTC", "Europe/Berlin", "America/New_York"),
  }),
  fc.record({
    kind: fc.constant("cron" as const),
    pattern: fc.constantFrom("0 */3 * * *", "30 1,2 * * *", "0 12 * * MON"),
    zone: fc.constantFrom("UTC", "Europe/Berlin"),
  }),
);

/** How a job fares: the clock jumps by so much, then somebody looks, with these options. */
const looks = fc.array(
  fc.record({
    jump: fc.oneof(
      fc.integer({ min: 0, max: HOUR }),
      fc.integer({ min: 0, max: 40 * HOUR }),
      fc.integer({ min: -40 * HOUR, max: 0 }),
    ),
    most: fc.nat({ max: 4 }),
    coalesce: fc.boolean(),
    misfireGrace: fc.option(fc.integer({ min: 0, max: 20 * HOUR }), { nil: undefined }),
  }),
  { maxLength: 30 },
);

/** Longer than all jumps together. */
const LONGEST = 31 * 40 * HOUR;

/** All runs of a schedule until a moment. */
function allRuns(schedule: Schedule, until: number): number[] {
  const runs: number[] = [];
  let run = nextRun(schedule, START - 1);
  for (; run !== undefined && run <= until; run = nextRun(schedule, run)) runs.push(run);
  return runs;
}

/** A job and what became of its runs. */
class Followed {
  readonly made: number[] = [];
  /** Merged into a later run, or skipped. */
  readonly leftOut: number[] = [];
  readonly #schedule: Schedule;
  readonly #allRuns: readonly number[];
  #next: number | undefined;

  constructor(schedule: Schedule, until: number) {
    this.#schedule = schedule;
    this.#allRuns = allRuns(schedule, until);
    this.#next = this.#allRuns[0];
  }

  look(now: number, options: Pick<DueRunsOptions, "most" | "coalesce" | "misfireGrace">): DueRuns {
    if (this.#next === undefined) return { runs: [], next: undefined };
    const due = this.#next;
    const result = dueRuns({ schedule: this.#schedule, due, now, ...options });
    const { runs, skipped } = result;
    this.#next = result.next;
    this.made.push(...runs);
    if (options.coalesce && runs[0] !== undefined) this.#leaveOut(due, runs[0] - 1);
    if (skipped !== undefined) this.#leaveOut(skipped.first, skipped.last);
    return result;
  }

  /** The runs that are not due any more. */
  get passed(): readonly number[] {
    return this.#allRuns.filter((run) => run < (this.#next ?? Infinity));
  }

  #leaveOut(first: number, last: number): void {
    this.leftOut.push(...this.#allRuns.filter((run) => run >= first && run <= last));
  }
}

const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

describe("over any sequence of looks at any clock", () => {
  test("each run is either made, once, or merged into a later one, or skipped, or still due", () => {
    fc.assert(
      fc.property(schedules, looks, (schedule, sequence) => {
        const job = new Followed(schedule, START + LONGEST);
        let now = START;
        for (const { jump, ...options } of sequence) job.look((now += jump), options);
        expect(job.made).toEqual(ascending(job.made));
        expect(ascending([...job.made, ...job.leftOut])).toEqual(job.passed);
      }),
      { numRuns: 300 },
    );
  });

  test("no run is made early, too late or beyond the number; what is skipped is too late; and a merged run leaves none due", () => {
    fc.assert(
      fc.property(schedules, looks, (schedule, sequence) => {
        const job = new Followed(schedule, START + LONGEST);
        let now = START;
        for (const { jump, ...options } of sequence) {
          const { most, coalesce, misfireGrace = Infinity } = options;
          const { runs, next = Infinity, skipped } = job.look((now += jump), options);
          const late = runs.map((run) => now - run);
          expect(runs.length).toBeLessThanOrEqual(coalesce ? Math.min(1, most) : most);
          expect(late.filter((span) => span < 0 || span > misfireGrace)).toEqual([]);
          expect(skipped === undefined || now - skipped.last > misfireGrace).toBe(true);
          expect(!coalesce || runs.length === 0 || next > now).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("without coalesce and without a grace nothing is lost", () => {
    fc.assert(
      fc.property(schedules, looks, (schedule, sequence) => {
        const job = new Followed(schedule, START + LONGEST);
        let now = START;
        let latest = START;
        for (const { jump, most } of sequence) {
          now += jump;
          latest = Math.max(latest, now);
          job.look(now, { most, coalesce: false });
        }
        job.look(latest, { most: Infinity, coalesce: false });
        expect(job.made).toEqual(allRuns(schedule, latest));
      }),
    );
  });
});
