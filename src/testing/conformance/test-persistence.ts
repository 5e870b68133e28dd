import type { MaybePromise } from "../../data/maybe-promise.ts";
import type { Abilities } from "../../persistence/atomic-persistence.ts";
import type { BasePersistence } from "../../persistence/base-persistence.ts";
import { attemptCases } from "./atomic/attempt-cases.ts";
import { commitCases } from "./atomic/commit-cases.ts";
import { crashCases } from "./atomic/crash-cases.ts";
import { doneMarkCases } from "./atomic/done-mark-cases.ts";
import { exclusivelyCases } from "./atomic/exclusively-cases.ts";
import { atomicFailureCases } from "./atomic/failure-cases.ts";
import { inboxCases } from "./atomic/inbox-cases.ts";
import { keyCases } from "./atomic/key-cases.ts";
import { lifeCycleCases } from "./atomic/life-cycle-cases.ts";
import { recordCases } from "./atomic/record-cases.ts";
import type { ConformanceCase, Need } from "./conformance-case.ts";
import { shownError, Unexpected } from "./expectations.ts";
import { callbackDataCases } from "./plain/callback-data-cases.ts";
import { conversationCases } from "./plain/conversation-cases.ts";
import { dropCases } from "./plain/drop-cases.ts";
import { loadingCases } from "./plain/loading-cases.ts";
import { optionCases } from "./plain/option-cases.ts";
import { plainCases } from "./plain/plain-cases.ts";
import { slotCases } from "./plain/slot-cases.ts";
import { plainFailureCases } from "./plain/failure-cases.ts";
import { valueCases } from "./plain/value-cases.ts";
import { Setting, type Ground } from "./setting.ts";

/** What a persistence is tried with. `Place` is whatever says where data is kept: the path of a folder, a client, an object. */
export interface TestPersistenceOptions<Place> {
  /** A new place, at which nothing is kept. Called at the beginning of each case. */
  place: () => MaybePromise<Place>;
  /**
   * A new persistence on this place, not opened, with its default `storeData` and `updateInterval`. Called again on the same place
   * to see what was kept.
   */
  make: (place: Place) => BasePersistence;
  /** What the class is expected to declare, or `"plain"` for a class that has only the methods of `BasePersistence`. */
  abilities: Abilities | "plain";
  /** Which values it keeps: those of JSON, or all that `jsonCodec` keeps, which is the default. */
  values?: "json" | "all" | undefined;
  /**
   * A copy of the place as it is at this moment, also in the middle of operations: what a process leaves that is killed now.
   * It must not ask the persistence.
   */
  snapshot?: ((place: Place) => MaybePromise<Place>) | undefined;
  /** Makes all that is kept unreadable until the function that it resolves with is called. */
  breakReading?: ((place: Place) => MaybePromise<() => MaybePromise<void>>) | undefined;
  /** Makes every writing fail until the function that it resolves with is called. Reading goes on. */
  breakWriting?: ((place: Place) => MaybePromise<() => MaybePromise<void>>) | undefined;
  /** Called at the end of each case, for its place and for each snapshot, when everything that was opened there is closed. */
  dispose?: ((place: Place) => MaybePromise<void>) | undefined;
}

/** One case of the suite, for a test runner. */
export interface PersistenceTest {
  /** Unique, and the same in every run. */
  readonly name: string;
  /** Why the case cannot be tried: an ability or a hook that is absent. `run` does nothing then. */
  readonly skipped?: string;
  /**
   * Tries it, on a place of its own. Rejects with an error that says what was expected, what was seen, and which sentence
   * of the contract this breaks.
   */
  readonly run: () => Promise<void>;
}

/**
 * The conformance suite: the contract of `BasePersistence` and `AtomicPersistence` as cases, for authors of their own
 * persistences. It belongs to no test runner:
 *
 * ```ts
 * for (const { name, run, skipped } of testPersistence({ place, make, abilities: "plain" })) {
 *   (skipped === undefined ? test : test.skip)(name, run);
 * }
 * ```
 */
export function testPersistence<Place>(options: TestPersistenceOptions<Place>): readonly PersistenceTest[] {
  return CASES.map((each) => {
    const { name } = each;
    const skipped = each.needs?.map((need) => reasonToSkip(need, options)).find((reason) => reason !== undefined);
    return skipped === undefined ? { name, run: () => runCase(each, options) } : { name, skipped, run: async () => {} };
  });
}

const CASES: readonly ConformanceCase[] = [
  ...optionCases,
  ...plainCases,
  ...slotCases,
  ...dropCases,
  ...conversationCases,
  ...callbackDataCases,
  ...loadingCases,
  ...valueCases,
  ...plainFailureCases,
  ...lifeCycleCases,
  ...recordCases,
  ...keyCases,
  ...inboxCases,
  ...attemptCases,
  ...doneMarkCases,
  ...commitCases,
  ...exclusivelyCases,
  ...atomicFailureCases,
  ...crashCases,
];

async function runCase<Place>(
  { name, contract, run }: ConformanceCase,
  options: TestPersistenceOptions<Place>,
): Promise<void> {
  const setting = new Setting(groundOf(await options.place(), options));
  try {
    await run(setting);
  } catch (error) {
    // What the case has found is the thing to tell, whatever becomes of its place.
    await setting.dispose().catch(() => {});
    const seen = error instanceof Unexpected ? error.message : `unexpected ${shownError(error)}`;
    throw new Error(`${name}\n  ${seen}\n  contract: ${contract}`, { cause: error });
  }
  await setting.dispose();
}

function groundOf<Place>(place: Place, options: TestPersistenceOptions<Place>): Ground {
  return {
    abilities: options.abilities,
    make: () => options.make(place),
    snapshot: async () => groundOf(await given(options.snapshot)(place), options),
    breakReading: async () => given(options.breakReading)(place),
    breakWriting: async () => given(options.breakWriting)(place),
    dispose: () => options.dispose?.(place),
  };
}

function given<T>(hook: T | undefined): T {
  if (hook === undefined) throw new TypeError("testPersistence: a case does without telling that it needs this hook");
  return hook;
}

/** Why a case that needs this cannot be tried; `undefined` when it can. */
function reasonToSkip<Place>(need: Need, options: TestPersistenceOptions<Place>): string | undefined {
  const { abilities, values = "all" } = options;
  switch (need) {
    case "snapshot":
    case "breakReading":
    case "breakWriting":
      return options[need] === undefined ? `needs the hook ${need}` : undefined;
    case "all values":
      return values === "json" ? 'values is "json"' : undefined;
    case "lasting":
      return abilities !== "plain" && abilities.durable === "no"
        ? 'needs abilities.durable other than "no"'
        : undefined;
    default:
      if (abilities === "plain") return "needs an AtomicPersistence";
      return missing(need, abilities);
  }
}

function missing(need: Need, abilities: Abilities): string | undefined {
  if (need === "atomic" && !abilities.atomic) return "needs abilities.atomic";
  if (need === "shared" && !abilities.shared) return "needs abilities.shared";
  if (need === "owned" && abilities.shared) return "is about persistences without abilities.shared";
  return undefined;
}
