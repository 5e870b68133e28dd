import { isPerdureError } from "../../../errors.ts";
import type { AtomicPersistence, UnitCommit } from "../../../persistence/atomic-persistence.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { ATOMIC } from "../contract.ts";
import { holds, oneOf, outcomeOf, rejects, same, shownError } from "../expectations.ts";
import type { Setting } from "../setting.ts";
import { observe } from "./observation.ts";
import { changing, chat, job, KEYS, put, read, removed, updates } from "./samples.ts";

/** What happens when something fails. */
export const atomicFailureCases: readonly ConformanceCase[] = [
  {
    name: "a failed read is an error, not an absent record, an empty list or a new update",
    contract: ATOMIC.failedRead,
    needs: ["atomic methods", "lasting", "breakReading"],
    run: async (setting) => {
      const persistence = await filled(setting);
      const before = await observe(persistence);
      const reads = {
        read: () => read(persistence, chat(1), KEYS.job),
        keys: async () => [...(await persistence.keys("chat", { limit: 10 }))],
        earliest: async () => (await persistence.earliest("job", { until: 10, limit: 10 })).map(({ key }) => key),
        openUpdates: async () => (await persistence.openUpdates({ limit: 10 })).map(({ updateId }) => updateId),
        failedUpdates: async () => [...(await persistence.failedUpdates())],
        chatAliases: async () => [...(await persistence.chatAliases())],
        doneUpdates: async () => [...(await persistence.doneUpdates())],
        accept: async () => [...(await persistence.accept(updates(1, 2)))],
      };
      const expected = new Map<string, unknown>();
      for (const [name, call] of Object.entries(reads)) expected.set(name, await call());
      const mend = await setting.breakReading();
      try {
        for (const [name, call] of Object.entries(reads)) {
          const outcome = await outcomeOf<unknown>(call);
          // What is in memory may be answered from there.
          if (!outcome.failed)
            same(outcome.value, expected.get(name), `${name} while nothing can be read, which may reject`);
        }
      } finally {
        await mend();
      }
      same(await observe(persistence), before, "what is kept, when reading works again");
    },
  },
  ...Object.entries<Write>({
    commit: (persistence) =>
      persistence.commit([
        { changes: [put(persistence, chat(1), "new"), removed(chat(2))], done: 2, alias: { from: -5, to: -6 } },
        { changes: [put(persistence, KEYS.job, "new", { time: 9 })], done: 3, setAside: true },
      ]),
    accept: (persistence) => persistence.accept(updates(7, 8)),
    noteAttempts: (persistence) => persistence.noteAttempts(3, 4),
    updateCallbackData: (persistence) => persistence.updateCallbackData([[["k2", 2, { b: 2 }]], {}]),
  }).map(failedWriteCase),
  {
    name: "a failed exclusively, whose end could not be written, rejects and leaves all or nothing",
    contract: ATOMIC.exclusively,
    needs: ["atomic methods", "atomic", "lasting", "breakWriting"],
    run: async (setting) => {
      const persistence = await filled(setting);
      const before = await observe(persistence);
      let mend: (() => unknown) | undefined;
      try {
        await rejects(
          () =>
            persistence.exclusively(async () => {
              await persistence.commit([{ changes: [put(persistence, chat(1), "new")], done: 2 }]);
              mend = await setting.breakWriting();
              await persistence.commit([changing(put(persistence, chat(3), "new"))]);
            }),
          "exclusively, when writing fails in the midst of it",
        );
      } finally {
        await mend?.();
      }
      const again = await setting.reopen(persistence);
      same(await observe(again), before, "what is kept after it rejected");
    },
  },
  {
    name: "a failed open changes nothing and does not stay in the way",
    contract: ATOMIC.openedOnce,
    needs: ["atomic methods", "lasting", "breakReading"],
    run: async (setting) => {
      const persistence = await filled(setting);
      const before = await observe(persistence);
      await setting.close(persistence);
      const mend = await setting.breakReading();
      const opening = await outcomeOf(() => setting.openAtomic());
      if (!opening.failed) await outcomeOf(() => setting.close(opening.value));
      await mend();
      same(await observe(await setting.openAtomic()), before, "what is kept, when it is opened again");
    },
  },
];

type Write = (persistence: AtomicPersistence) => unknown;

function failedWriteCase([name, write]: readonly [string, Write]): ConformanceCase {
  return {
    name: `a failed ${name} is not reported as done, leaves nothing or all, and has the effect of one when called again`,
    contract: ATOMIC.failingIsSafe,
    needs: ["atomic methods", "atomic", "lasting", "breakWriting"],
    run: async (setting) => {
      const persistence = await filled(setting);
      const before = await observe(persistence);
      const mend = await setting.breakWriting();
      try {
        for (const time of ["", ", called again"]) {
          const error = await rejects(() => write(persistence), `${name} while nothing can be written${time}`);
          const isForEver = isPerdureError(error, "PERDURE_REFUSED");
          holds(
            !isForEver,
            `the error of ${name}`,
            "one that says not now: PERDURE_REFUSED says never",
            shownError(error),
          );
        }
      } finally {
        await mend();
      }
      const afterFailure = await observe(persistence);
      await write(persistence);
      const after = await observe(persistence);
      oneOf(afterFailure, [before, after], `what was kept after the failed ${name}`);
      await write(persistence);
      same(await observe(persistence), after, `what is kept after a second ${name} that succeeded`);
      same(await observe(await setting.reopen(persistence)), after, "the same after reopening");
    },
  };
}

async function filled(setting: Setting): Promise<AtomicPersistence> {
  const persistence = await setting.openAtomic();
  await persistence.accept(updates(1, 2, 3, 4));
  const units: UnitCommit[] = [
    { changes: [put(persistence, chat(1), "old"), put(persistence, chat(2), "old")], done: 1 },
    { changes: [put(persistence, KEYS.job, "old", { time: 5 }), put(persistence, job("b"), "b", { time: 6 })] },
    { changes: [], done: 4, setAside: true, alias: { from: -1, to: -2 } },
  ];
  await persistence.commit(units);
  await persistence.updateCallbackData([[["k1", 1, { b: 1 }]], { q: "k1" }]);
  return persistence;
}
