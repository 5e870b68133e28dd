import type { Update } from "@grammyjs/types";
import type { ConformanceCase } from "../conformance-case.ts";
import { ATOMIC } from "../contract.ts";
import { holds, same } from "../expectations.ts";
import { BOT_ID } from "../setting.ts";
import { observe } from "./observation.ts";
import { openIds, update, updates } from "./samples.ts";

/** The inbox: accepting, listing, and whose it is. */
export const inboxCases: readonly ConformanceCase[] = [
  {
    name: "inbox: updates are kept as they came, in order of arrival, until they are done",
    contract: `${ATOMIC.accept} ${ATOMIC.openUpdates}`,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      same([...(await persistence.accept(updates(900, 5, 2 ** 31)))], ["accepted", "accepted", "accepted"], "accept");
      const again = await setting.reopen(persistence);
      await again.accept(updates(6));
      const open = await again.openUpdates({ limit: 10 });
      same(
        open.map((entry) => entry.update),
        updates(900, 5, 2 ** 31, 6),
        "the open updates",
      );
      same(
        open.map(({ updateId, attempts }) => [updateId, attempts]),
        [
          [900, 1],
          [5, 1],
          [2 ** 31, 1],
          [6, 1],
        ],
        "their ids and attempts",
      );
      await again.commit([{ changes: [], done: 5 }]);
      same(await openIds(again), [900, 2 ** 31, 6], "the open ones after one is done");
      same(await openIds(await setting.reopen(again)), [900, 2 ** 31, 6], "the same after reopening");
    },
  },
  {
    name: "inbox: accept of nothing, and commit of nothing",
    contract: `${ATOMIC.accept} ${ATOMIC.commit}`,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const empty = await observe(persistence);
      same([...(await persistence.accept([]))], [], "accept([])");
      await persistence.commit([]);
      await persistence.commit([{ changes: [] }]);
      same(await observe(persistence), empty, "what is kept");
    },
  },
  {
    name: "inbox: an update that stands twice in one call is open the second time",
    contract: ATOMIC.twice,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const answers = await persistence.accept(updates(7, 8, 7, 7));
      same([...answers], ["accepted", "accepted", "open", "open"], "accept of 7, 8, 7, 7");
      same(await openIds(persistence), [7, 8], "the open updates");
    },
  },
  {
    name: "inbox: accept tells what is new, open and done, over a reopening",
    contract: ATOMIC.accept,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1, 2, 3));
      await persistence.commit([{ changes: [], done: 2 }]);
      same(
        [...(await persistence.accept(updates(3, 2, 4, 1)))],
        ["open", "done", "accepted", "open"],
        "accept of 3, 2, 4, 1",
      );
      const again = await setting.reopen(persistence);
      same(
        [...(await again.accept(updates(5, 4, 2)))],
        ["accepted", "open", "done"],
        "accept of 5, 4, 2 after reopening",
      );
      same(await openIds(again), [1, 3, 4, 5], "the open updates");
    },
  },
  {
    name: "inbox: an update that is open already keeps its place and its attempts",
    contract: `${ATOMIC.arrival} ${ATOMIC.attempts}`,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1, 2));
      await persistence.noteAttempts(1, 4);
      const before = await persistence.openUpdates({ limit: 10 });
      await persistence.accept(updates(2, 1));
      same(await persistence.openUpdates({ limit: 10 }), before, "the open updates after both were accepted again");
    },
  },
  {
    name: "inbox: pages of any size, by arrivals that ascend",
    contract: `${ATOMIC.openUpdates} ${ATOMIC.arrival}`,
    needs: ["atomic methods"],
    run: async (setting) => {
      const ids = [30, 4, 500, 2, 10, 1, 77];
      let persistence = await setting.openAtomic();
      for (const id of ids) {
        await persistence.accept(updates(id));
        if (id === 500) persistence = await setting.reopen(persistence);
      }
      await persistence.commit([{ changes: [], done: 4 }]);
      const expected = ids.filter((id) => id !== 4);
      const arrivals = (await persistence.openUpdates({ limit: 100 })).map(({ arrival }) => arrival);
      holds(
        arrivals.every((arrival, index) => index === 0 || arrival > (arrivals[index - 1] as number)),
        "the arrivals",
        "that they ascend",
        arrivals,
      );
      for (const limit of [1, 2, 3, expected.length, 100]) {
        const seen: number[] = [];
        for (let after: number | undefined; seen.length <= expected.length;) {
          const page = await persistence.openUpdates({ after, limit });
          seen.push(...page.map(({ updateId }) => updateId));
          after = page.at(-1)?.arrival;
          if (after === undefined) break;
        }
        same(seen, expected, `the open updates, page by page, ${limit} to a page`);
      }
    },
  },
  {
    name: "inbox: an update belongs to the inbox once it is accepted, whatever becomes of the object",
    contract: ATOMIC.acknowledged,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const given = update(1) as Update & { message: { text: string } };
      await persistence.accept([given]);
      given.message.text = "changed later";
      const [open] = await persistence.openUpdates({ limit: 1 });
      same(open?.update, update(1), "the open update after the object that was given was changed");
    },
  },
  {
    name: "another bot's inbox and done marks are neither seen nor touched",
    contract: ATOMIC.oneBot,
    needs: ["atomic methods", "lasting"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1, 2, 3, 4));
      await persistence.commit([
        { changes: [], done: 1 },
        { changes: [], done: 2, setAside: true },
      ]);
      await persistence.noteAttempts(3, 2);
      const before = await observe(persistence);
      await setting.close(persistence);

      const other = await setting.openAtomic(BOT_ID + 1);
      const empty = { inbox: [], done: [], failed: [] };
      same({ ...empty, ...(await inboxOf(other)) }, empty, "what another bot sees");
      same(await other.noteAttempts(3, 9), false, "noteAttempts of an update that only the first bot has");
      same([...(await other.accept(updates(1, 2, 3)))], ["accepted", "accepted", "accepted"], "accept of the same ids");
      await other.noteAttempts(3, 5);
      await other.commit([
        { changes: [], done: 3 },
        { changes: [], done: 4 },
        { changes: [], done: 2, setAside: true },
      ]);
      same(await openIds(other), [1], "the other bot's open updates");
      await setting.close(other);

      const again = await setting.openAtomic();
      same(await observe(again), before, "what the first bot has after the other one's doings");
      same(
        [...(await again.accept(updates(1, 2, 3, 4, 5)))],
        ["done", "done", "open", "open", "accepted"],
        "accept by the first bot",
      );
    },
  },
];

async function inboxOf(persistence: Parameters<typeof observe>[0]): Promise<object> {
  const { inbox, done, failed } = await observe(persistence);
  return { inbox, done, failed };
}
