import { isPerdureError } from "../../../errors.ts";
import type { AtomicPersistence, UnitCommit } from "../../../persistence/atomic-persistence.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { ATOMIC } from "../contract.ts";
import { outcomeOf, rejects, same } from "../expectations.ts";
import { turn, turns } from "../pending.ts";
import { BOT_ID } from "../setting.ts";
import { changing, chat, contents, KEYS, openIds, put, read, updates } from "./samples.ts";

/** Opening and closing. */
export const lifeCycleCases: readonly ConformanceCase[] = [
  {
    name: "after close everything but close is refused with PERDURE_CLOSED",
    contract: ATOMIC.closed,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1));
      await setting.close(persistence);
      const calls = {
        read: () => persistence.read([KEYS.bot]),
        "read of nothing": () => persistence.read([]),
        keys: () => persistence.keys("chat", { limit: 1 }),
        earliest: () => persistence.earliest("job", { until: 1, limit: 1 }),
        accept: () => persistence.accept(updates(2)),
        openUpdates: () => persistence.openUpdates({ limit: 1 }),
        noteAttempts: () => persistence.noteAttempts(1, 2),
        failedUpdates: () => persistence.failedUpdates(),
        chatAliases: () => persistence.chatAliases(),
        commit: () => persistence.commit([changing(put(persistence, KEYS.bot, 1))]),
        doneUpdates: () => persistence.doneUpdates(),
        exclusively: () => persistence.exclusively(async () => {}),
        getChatData: () => persistence.getChatData(),
        updateChatData: () => persistence.updateChatData(1, {}),
      };
      for (const [name, call] of Object.entries(calls)) await rejects(call, `${name} after close`, "PERDURE_CLOSED");
    },
  },
  {
    name: "close called twice does nothing the second time",
    contract: ATOMIC.closedTwice,
    needs: ["atomic methods", "lasting"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const change = put(persistence, KEYS.bot, "kept");
      await persistence.commit([changing(change)]);
      await persistence.close();
      await persistence.close();
      const successor = await setting.openAtomic();
      await persistence.close();
      same(
        await read(successor, KEYS.bot),
        contents(change),
        "read by the successor after its predecessor was closed once more",
      );
    },
  },
  {
    name: "open called twice is refused, and what is open goes on",
    contract: ATOMIC.openedOnce,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1));
      await rejects(() => persistence.open({ botId: BOT_ID, now: () => setting.now }), "open, called again");
      await persistence.accept(updates(2));
      same(await openIds(persistence), [1, 2], "the open updates after it");
    },
  },
  {
    name: "a second opening of one place is refused, and the first goes on, where it is not shared",
    contract: ATOMIC.shared,
    needs: ["atomic methods", "atomic", "owned", "lasting"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const change = put(persistence, chat(1), "first");
      const second = setting.makeAtomic();
      const waiting = new AbortController();
      const opening = setting.openFor(second, { signal: waiting.signal });
      // A class may wait for its predecessor, until it is told not to.
      void turns().then(() => waiting.abort(new Error("the case has waited enough")));
      await rejects(() => opening, "open of a second persistence on the same place");
      await persistence.commit([changing(change)]);
      await setting.close(persistence);
      same(await read(await setting.openAtomic(), chat(1)), contents(change), "read after the first was closed");
    },
  },
  {
    name: "several may be open on one place, and each sees what the other has done, where it is shared",
    contract: `${ATOMIC.shared} ${ATOMIC.current}`,
    needs: ["atomic methods", "shared", "lasting"],
    run: async (setting) => {
      const [first, second] = [await setting.openAtomic(), await setting.openAtomic()];
      const changes = [put(first, chat(1), "by the first"), put(first, chat(2), "by the second")] as const;
      same(await read(second, chat(1), chat(2)), [undefined, undefined], "read before anything is there");
      same([...(await second.chatAliases())], [], "chatAliases() before anything is there");
      await first.commit([{ changes: [changes[0]], alias: { from: -1, to: -2 } }]);
      same(
        [...(await second.chatAliases())],
        [{ from: -1, to: -2 }],
        "chatAliases() after the other one committed one",
      );
      same(await read(second, chat(1)), contents(changes[0]), "read of what the other one committed");
      await second.commit([changing(changes[1])]);
      same(await read(first, chat(1), chat(2)), contents(...changes), "read of what both committed");
      same([...(await first.accept(updates(1, 2)))], ["accepted", "accepted"], "accept by the first");
      same([...(await second.accept(updates(1, 2)))], ["open", "open"], "accept of the same by the second");
      await second.commit([{ changes: [], done: 1 }]);
      same([...(await first.accept(updates(1, 2)))], ["done", "open"], "accept after the second has done one");
      same(await openIds(first), [2], "the open updates, seen by the first");
    },
  },
  {
    name: "several at once: no commit is lost, and an update is new to one of them only, where it is shared",
    contract: `${ATOMIC.shared} ${ATOMIC.accept}`,
    needs: ["atomic methods", "shared", "lasting"],
    run: async (setting) => {
      const all = [await setting.openAtomic(), await setting.openAtomic(), await setting.openAtomic()];
      const ids = Array.from({ length: 15 }, (_, index) => index + 1);
      const changes = ids.map((id) => put(all[0] as AtomicPersistence, chat(id), id));
      const answers = await Promise.all(
        ids.flatMap((id) => all.map((each) => persistently(async () => (await each.accept(updates(id)))[0]))),
      );
      const expected = ids.flatMap(() => ["accepted", "open", "open"]);
      same(answers.map(String).sort(), expected.sort(), "the answers to 15 updates that three accept at once, sorted");
      const commits = changes.map((change, index): UnitCommit[] => [{ changes: [change], done: index + 1 }]);
      await Promise.all(
        commits.map((units, index) => persistently(async () => all[index % all.length]?.commit(units))),
      );
      const seen = await setting.openAtomic();
      same(await read(seen, ...ids.map(chat)), contents(...changes), "read of what all of them have committed");
      same(await openIds(seen), [], "the open updates, all of which are done");
    },
  },
  {
    name: "what was committed last is there after a close at once",
    contract: `${ATOMIC.acknowledged} ${ATOMIC.closedTwice}`,
    needs: ["atomic methods", "lasting"],
    run: async (setting) => {
      for (let round = 1; round <= 5; round += 1) {
        const persistence = await setting.openAtomic();
        const last = put(persistence, chat(round), "last");
        await persistence.accept(updates(round));
        await persistence.commit([{ changes: [last], done: round }]);
        await setting.close(persistence);
        const again = await setting.openAtomic();
        same(await read(again, chat(round)), contents(last), "read of what was committed just before close");
        same([...(await again.accept(updates(round)))], ["done"], "accept of the update that was done with it");
        await setting.close(again);
      }
    },
  },
  {
    name: "a commit that was called before close and resolves is there",
    contract: ATOMIC.acknowledged,
    needs: ["atomic methods", "lasting"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const change = put(persistence, chat(1), "called before close");
      const resolved = Promise.resolve(persistence.commit([changing(change)])).then(
        () => true,
        () => false,
      );
      await setting.close(persistence);
      const again = await setting.openAtomic();
      if (await resolved) same(await read(again, chat(1)), contents(change), "read after reopening");
    },
  },
];

/** Calls until it resolves, as the engine does: a backend may say "not now" when another one is at work. */
async function persistently<T>(call: () => Promise<T>): Promise<T> {
  for (let left = 100; ; left -= 1) {
    const outcome = await outcomeOf(call);
    if (!outcome.failed) return outcome.value;
    if (left === 0 || isPerdureError(outcome.error, "PERDURE_REFUSED")) throw outcome.error;
    await turn();
  }
}
