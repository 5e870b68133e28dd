import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SqlitePersistence } from "../src/index.ts";
import { hunt, tellFind } from "./model/hunt.ts";
import { MUTANTS } from "./model/mutants.ts";
import type { WorldOptions } from "./model/driver/world.ts";
import { Tally } from "./model/tally.ts";

/** In `npm test`; more with `PERDURE_HISTORIES`. */
const HISTORIES = Number(process.env["PERDURE_HISTORIES"] ?? 500);

/** The seed of the first history; the next one has the next seed. */
/** The same histories each time, so that a change is what makes this test fail. Other seeds find what nobody has changed. */
const SEED = Number(process.env["PERDURE_SEED"] ?? 847_891_132);

/** A mutant is found within so many histories, always the same ones. */
const MUTANT_SEED = 1;
const MUTANT_HISTORIES = 100;

/** What is left of a history in which a mutant was found, at most, in steps. */
const SHORT = 8;

/** What must have happened in 500 histories. */
const HAPPENINGS: readonly string[] = [
  "a chat moves",
  "a group commit",
  "a handler is given up",
  "a transaction runs",
  "accept fails, after",
  "accept fails, before",
  "accept kills, after",
  "accept kills, before",
  "an attempt is noted",
  "an update id is accepted that was done long ago",
  "an update is done without changes",
  "an update is dropped",
  "an update is set aside",
  "an update runs",
  "an update runs again",
  "changes are kept",
  "commit fails, after",
  "commit fails, before",
  "commit kills, after",
  "commit kills, before",
  "failure: PERDURE_CANNOT_KEEP",
  "failure: PERDURE_REFUSED",
  "failure: thrown by the handler",
  "outcome: duplicate",
  "outcome: handled",
  "outcome: left",
  "the process is killed",
];

// In memory where there is such a place: what the disk does is not what is tested here.
const root = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
let folder: string;
let options: WorldOptions;

beforeAll(async () => {
  folder = mkdtempSync(join(root, "perdure-model-"));
  const blank = join(folder, "blank.sqlite");
  const persistence = new SqlitePersistence({ path: blank, durability: "os" });
  await persistence.open({ botId: 1, now: Date.now });
  persistence.close();
  options = { folder, blank };
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(
  `whatever happens in ${HISTORIES} histories from seed ${SEED}: nothing lost, nothing twice, nothing torn`,
  async ({ annotate }) => {
    const tally = new Tally();
    const find = await hunt(SEED, HISTORIES, { ...options, tally });
    expect(find === undefined ? "" : tellFind(find)).toBe("");
    await annotate(String(tally));
    // A history in which little happens proves little; a few of them may be so.
    const missing = HAPPENINGS.filter((what) => tally.of(what) === 0);
    expect(HISTORIES < 500 ? [] : missing).toEqual([]);
  },
  60_000 + 500 * HISTORIES,
);

describe("the model finds what is wrong", () => {
  test.for(MUTANTS)("$name", async ({ mutate, spoil }, { annotate }) => {
    const mend = spoil?.();
    try {
      const find = await hunt(MUTANT_SEED, MUTANT_HISTORIES, { ...options, mutate });
      expect(find?.problem).toMatchObject({ name: "Violation" });
      expect(find?.history.length).toBeLessThanOrEqual(SHORT);
      if (find !== undefined) await annotate(`found in history ${find.histories}: ${tellFind(find)}`);
    } finally {
      mend?.();
    }
  });
});
