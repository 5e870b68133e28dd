import { DONE_MEMORY } from "../../../persistence/atomic-persistence.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { ATOMIC } from "../contract.ts";
import { same } from "../expectations.ts";
import { BOT_ID } from "../setting.ts";
import { observe } from "./observation.ts";
import { openIds, updates } from "./samples.ts";

const HOUR = 60 * 60 * 1000;

/** Done marks: how long they are remembered, and how they are carried elsewhere. */
export const doneMarkCases: readonly ConformanceCase[] = [
  {
    name: "done marks: an update is known as done for 25 hours, over a reopening",
    contract: ATOMIC.commit,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(100, 101, 103));
      for (const done of [100, 101, 103]) await persistence.commit([{ changes: [], done }]);
      setting.now += DONE_MEMORY;
      same(
        [...(await persistence.accept(updates(100, 102, 103)))],
        ["done", "accepted", "done"],
        "accept 25 hours later",
      );
      await persistence.commit([{ changes: [], done: 102 }]);
      const again = await setting.reopen(persistence);
      same(
        [...(await again.accept(updates(100, 101, 102, 103)))],
        ["done", "done", "done", "done"],
        "accept of all of them after reopening",
      );
    },
  },
  {
    name: "done marks: after a week an id may come anew, also when the ids in between were done in a row",
    contract: ATOMIC.done,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const days = 8;
      for (let half = 0; half < days * 2; half += 1) {
        const done = 1000 + half;
        await persistence.accept(updates(done));
        await persistence.commit([{ changes: [], done }]);
        setting.now += 12 * HOUR;
      }
      same(
        [...(await persistence.accept(updates(1000, 1001)))],
        ["accepted", "accepted"],
        "accept of ids that were done 8 days ago",
      );
      const recent = 1000 + days * 2 - 1;
      same([...(await persistence.accept(updates(recent)))], ["done"], "accept of one that was done 12 hours ago");
      await persistence.commit([{ changes: [], done: 1000 }]);
      const again = await setting.reopen(persistence);
      same([...(await again.accept(updates(1000, 1001)))], ["done", "open"], "accept after the first is done anew");
    },
  },
  {
    name: "done marks: doneUpdates gives them all, and another place that is given them knows them as long",
    contract: ATOMIC.doneUpdates,
    needs: ["atomic methods", "lasting"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      same([...(await persistence.doneUpdates())], [], "doneUpdates() of a new place");
      const ids = [5, 6, 7, 900, 9];
      await persistence.accept(updates(...ids));
      for (const done of ids) await persistence.commit([{ changes: [], done }]);
      const expected = (await observe(persistence)).done;
      same(expected, [5, 6, 7, 9, 900], "the ids of doneUpdates()");
      setting.now += 20 * HOUR;
      const doneUpdates = await persistence.doneUpdates();
      await setting.close(persistence);
      const other = await setting.openAtomic(BOT_ID + 1);
      await other.accept(updates(6, 10));
      await other.commit([{ changes: [], doneUpdates }]);
      same(await openIds(other), [10], "the open updates where they were given to");
      const again = await setting.close(other).then(() => setting.openAtomic(BOT_ID + 1));
      same((await observe(again)).done, expected, "the ids of doneUpdates() where they were given to");
      setting.now += 4 * HOUR;
      same(
        [...(await again.accept(updates(6, 8)))],
        ["done", "accepted"],
        "accept there, 24 hours after they were done",
      );
    },
  },
];
