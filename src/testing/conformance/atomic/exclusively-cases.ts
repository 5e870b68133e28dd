import type { ConformanceCase } from "../conformance-case.ts";
import { ATOMIC } from "../contract.ts";
import { holds, outcomeOf, same } from "../expectations.ts";
import { observe } from "./observation.ts";
import { changing, chat, contents, KEYS, openIds, put, read, removed, updates } from "./samples.ts";

/** Much as one. */
export const exclusivelyCases: readonly ConformanceCase[] = [
  {
    name: "exclusively: everything of a work that resolves is kept, and its reads see its own writes",
    contract: ATOMIC.exclusively,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const [first, second] = [put(persistence, chat(1), "first"), put(persistence, KEYS.job, "second", { time: 3 })];
      const result = { of: "work" };
      const given = await persistence.exclusively(async () => {
        await persistence.commit([changing(first)]);
        same(await read(persistence, chat(1)), contents(first), "read in the work, of what it committed");
        await persistence.accept(updates(1, 2));
        await persistence.commit([{ changes: [second], done: 1 }]);
        same(
          [...(await persistence.accept(updates(1, 2)))],
          ["done", "open"],
          "accept in the work, of what it accepted and did",
        );
        await persistence.updateUserData(42, { name: "Ann" });
        return result;
      });
      holds(given === result, "what exclusively resolves with", "the result of the work", given);
      const again = await setting.reopen(persistence);
      same(await read(again, chat(1), KEYS.job), contents(first, second), "read afterwards");
      same(
        await again.getUserData().then((users) => users.get(42)),
        { name: "Ann" },
        "the user's data that the work kept",
      );
      same(await openIds(again), [2], "the open updates");
    },
  },
  {
    name: "exclusively: another reader sees nothing of a work before its end, where it is shared",
    contract: `${ATOMIC.exclusively} ${ATOMIC.oneMoment}`,
    needs: ["atomic methods", "atomic", "shared", "lasting"],
    run: async (setting) => {
      const [persistence, reader] = [await setting.openAtomic(), await setting.openAtomic()];
      const before = await observe(reader);
      await persistence.exclusively(async () => {
        await persistence.accept(updates(1));
        await persistence.commit([{ changes: [put(persistence, chat(1), "new")], done: 1 }]);
        same(await observe(reader), before, "what another one sees in the midst of the work");
      });
      same(await observe(reader), await observe(persistence), "what it sees afterwards");
    },
  },
  {
    name: "exclusively: nothing of a work that rejects is kept, and all goes on",
    contract: ATOMIC.exclusively,
    needs: ["atomic methods", "atomic"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1, 2));
      await persistence.commit([
        { changes: [put(persistence, chat(1), "old"), put(persistence, chat(2), "old")], done: 1 },
      ]);
      const before = await observe(persistence);
      const failure = new Error("the work failed");
      const outcome = await outcomeOf(() =>
        persistence.exclusively(async () => {
          await persistence.commit([{ changes: [put(persistence, chat(1), "new"), removed(chat(2))], done: 2 }]);
          await persistence.accept(updates(3));
          await persistence.noteAttempts(3, 2);
          await persistence.commit([{ changes: [], done: 3, setAside: true, alias: { from: -1, to: -2 } }]);
          throw failure;
        }),
      );
      holds(
        outcome.failed && outcome.error === failure,
        "exclusively of a work that rejects",
        "that it rejects with the work's error",
        outcome,
      );
      same(await observe(persistence), before, "what is kept afterwards");
      same(
        [...(await persistence.accept(updates(3, 2)))],
        ["accepted", "open"],
        "accept of what the work had accepted and done",
      );
      const change = put(persistence, chat(3), "later");
      await persistence.commit([changing(change)]);
      same(await read(await setting.reopen(persistence), chat(3)), contents(change), "read of a later commit");
    },
  },
  {
    name: "exclusively: a process that is killed in the work leaves nothing of it",
    contract: `${ATOMIC.exclusively} ${ATOMIC.oneMoment}`,
    needs: ["atomic methods", "atomic", "lasting", "snapshot"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.commit([changing(put(persistence, chat(1), "old"))]);
      const before = await observe(persistence);
      const killed = await persistence.exclusively(async () => {
        await persistence.accept(updates(1));
        await persistence.commit([{ changes: [put(persistence, chat(1), "new")], done: 1 }]);
        await persistence.commit([changing(put(persistence, chat(2), "new"))]);
        return setting.snapshot();
      });
      same(await observe(await killed.openAtomic()), before, "what is left of it in a snapshot from within the work");
      const after = await observe(persistence);
      same(await observe(await (await setting.snapshot()).openAtomic()), after, "a snapshot from after the work");
    },
  },
];
