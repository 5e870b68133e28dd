import type { ConformanceCase } from "../conformance-case.ts";
import { ATOMIC } from "../contract.ts";
import { same } from "../expectations.ts";
import { observe } from "./observation.ts";
import { openIds, update, updates } from "./samples.ts";

/** How often updates were run, and those that were given up. */
export const attemptCases: readonly ConformanceCase[] = [
  {
    name: "attempts: they are a number that is noted, not one more, and survive a reopening",
    contract: `${ATOMIC.attempts} ${ATOMIC.failingIsSafe}`,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1, 2));
      same(await persistence.noteAttempts(1, 3), true, "noteAttempts(1, 3) of an open update");
      same(await persistence.noteAttempts(1, 3), true, "the same again");
      const attempts = async (of: typeof persistence): Promise<number[]> =>
        (await of.openUpdates({ limit: 10 })).map((entry) => entry.attempts);
      same(await attempts(persistence), [3, 1], "the attempts of both");
      await persistence.noteAttempts(1, 2);
      same(await attempts(await setting.reopen(persistence)), [2, 1], "after noteAttempts(1, 2), which takes one back");
    },
  },
  {
    name: "attempts: for an update that is not open nothing happens",
    contract: ATOMIC.noteAttempts,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1, 2));
      await persistence.commit([{ changes: [], done: 1 }]);
      const before = await observe(persistence);
      same(await persistence.noteAttempts(1, 2), false, "noteAttempts of an update that is done");
      same(await persistence.noteAttempts(3, 2), false, "noteAttempts of an unknown update");
      same(await observe(persistence), before, "what is kept");
    },
  },
  {
    name: "set aside: out of the inbox, done, and listed with its attempts and the time",
    contract: ATOMIC.failedUpdates,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      same([...(await persistence.failedUpdates())], [], "failedUpdates() of a new place");
      await persistence.accept(updates(1, 2, 3));
      await persistence.noteAttempts(2, 3);
      await persistence.commit([{ changes: [], done: 2, setAside: true }]);
      const firstAt = setting.now;
      setting.now += 1234;
      await persistence.commit([{ changes: [], done: 1, setAside: true }]);
      const expected = [
        { update: update(2), attempts: 3, failedAt: firstAt },
        { update: update(1), attempts: 1, failedAt: firstAt + 1234 },
      ];
      same([...(await persistence.failedUpdates())], expected, "failedUpdates()");
      const again = await setting.reopen(persistence);
      same([...(await again.failedUpdates())], expected, "the same after reopening");
      same(await openIds(again), [3], "the open updates");
      same([...(await again.accept(updates(1, 2, 3)))], ["done", "done", "open"], "accept of all three");
    },
  },
  {
    name: "set aside: the same commit again lists it once",
    contract: ATOMIC.failingIsSafe,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1));
      for (let time = 0; time < 2; time += 1) await persistence.commit([{ changes: [], done: 1, setAside: true }]);
      const failed = await persistence.failedUpdates();
      same(
        failed.map(({ update: { update_id } }) => update_id),
        [1],
        "the ids of failedUpdates()",
      );
    },
  },
  {
    name: "set aside: what was set aside elsewhere is listed after the own, in its order",
    contract: ATOMIC.failedElsewhere,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(7));
      await persistence.commit([{ changes: [], done: 7, setAside: true }]);
      const failedUpdates = [2, 1].map((id) => ({
        update: update(id),
        attempts: 3,
        failedAt: setting.now - 1000 * id,
      }));
      await persistence.commit([{ changes: [], failedUpdates }]);
      const expected = [{ update: update(7), attempts: 1, failedAt: setting.now }, ...failedUpdates];
      same([...(await persistence.failedUpdates())], expected, "failedUpdates()");
      const again = await setting.reopen(persistence);
      same([...(await again.failedUpdates())], expected, "the same after reopening");
    },
  },
  {
    name: "set aside: what was set aside elsewhere and is given twice is listed once",
    contract: `${ATOMIC.failedElsewhere} ${ATOMIC.failingIsSafe}`,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const failedUpdates = [{ update: update(1), attempts: 3, failedAt: setting.now - 1000 }];
      for (let time = 0; time < 2; time += 1) await persistence.commit([{ changes: [], failedUpdates }]);
      same([...(await persistence.failedUpdates())], failedUpdates, "failedUpdates() after the same commit twice");
    },
  },
];
