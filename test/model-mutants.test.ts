import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WorldOptions } from "./model/driver/world.ts";
import { hunt, tellFind } from "./model/hunt.ts";
import { MUTANTS } from "./model/mutants.ts";
import { newPlayground } from "./model/playground.ts";

/** A mutant is found within so many histories, always the same ones. */
const SEED = 1;
const HISTORIES = 300;

/** What is left of a history in which a mutant was found, at most, in steps. */
const SHORT = 8;

let options: WorldOptions;

beforeAll(async () => void (options = await newPlayground()));
afterAll(() => rmSync(options.folder, { recursive: true, force: true }));

describe("the model finds what is wrong", () => {
  test.for(MUTANTS)("$name", { timeout: 120_000 }, async ({ mutate, spoil, seed = SEED }, { annotate }) => {
    const mend = spoil?.();
    try {
      const find = await hunt(seed, HISTORIES, { ...options, mutate });
      expect(find?.problem).toMatchObject({ name: "Violation" });
      expect(find?.history.length).toBeLessThanOrEqual(SHORT);
      if (find !== undefined) await annotate(`found in history ${find.histories}: ${tellFind(find)}`);
    } finally {
      mend?.();
    }
  });
});
