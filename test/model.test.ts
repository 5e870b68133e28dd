import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WorldOptions } from "./model/driver/world.ts";
import { hunt, tellFind } from "./model/hunt.ts";
import { newPlayground } from "./model/playground.ts";
import { Tally } from "./model/tally.ts";

/** In `npm test`; more with `PERDURE_HISTORIES`. */
const HISTORIES = Number(process.env["PERDURE_HISTORIES"] ?? 500);

/**
 * The seed of the first history; the next one has the next seed. The same histories each time, so that a change is what makes
 * this test fail. Other seeds find what nobody has changed.
 */
const SEED = Number(process.env["PERDURE_SEED"] ?? 847_891_132);

/** What must have happened in 500 histories. */
const HAPPENINGS: readonly string[] = [
  "a chat moves",
  "a conversation: begin",
  "a conversation: end",
  "a conversation: go on",
  "a conversation: silence",
  "a deadlock",
  "a group commit",
  "a handler is given up",
  "a job fails",
  "a job runs",
  "a job runs again",
  "a run of a job is noted",
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

let options: WorldOptions;

beforeAll(async () => void (options = await newPlayground()));
afterAll(() => rmSync(options.folder, { recursive: true, force: true }));

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
