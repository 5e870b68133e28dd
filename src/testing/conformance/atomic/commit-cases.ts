import type { UnitCommit } from "../../../persistence/atomic-persistence.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { ATOMIC } from "../contract.ts";
import { oneOf, same } from "../expectations.ts";
import { whilePending } from "../pending.ts";
import { observe } from "./observation.ts";
import { changing, chat, contents, KEYS, openIds, put, read, removed, updates } from "./samples.ts";

/** Commits: what they change, in which order, and what others see of them. */
export const commitCases: readonly ConformanceCase[] = [
  {
    name: "commit: the changes and done marks of all its units",
    contract: ATOMIC.commit,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1, 2, 3));
      const changes = [
        put(persistence, chat(1), "one"),
        put(persistence, KEYS.user, "two"),
        put(persistence, KEYS.entry, "three"),
      ] as const;
      await persistence.commit([
        { changes: [changes[0]], done: 3 },
        { changes: [] },
        { changes: [changes[1], changes[2]], done: 1 },
      ]);
      const again = await setting.reopen(persistence);
      same(await read(again, chat(1), KEYS.user, KEYS.entry), contents(...changes), "read");
      same(
        [...(await again.accept(updates(1, 2, 3)))],
        ["done", "open", "done"],
        "accept of 1, 2, 3, of which 1 and 3 are done",
      );
    },
  },
  {
    name: "commit: where two units change one record, the later one stands",
    contract: ATOMIC.later,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const [first, second] = [put(persistence, chat(1), "first"), put(persistence, chat(1), "second")];
      await persistence.commit([changing(first), changing(second)]);
      same(await read(persistence, chat(1)), contents(second), "read after two values in one commit");
      await persistence.commit([changing(first), changing(removed(chat(1)))]);
      same(await read(persistence, chat(1)), [undefined], "read after a value and a removal in one commit");
      await persistence.commit([changing(removed(chat(1))), changing(first)]);
      same(await read(await setting.reopen(persistence), chat(1)), contents(first), "read after a removal and a value");
    },
  },
  {
    name: "commit: in order of the calls, also when called without awaiting the first",
    contract: ATOMIC.order,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const rounds = Array.from({ length: 12 }, (_, round) => round);
      // The sizes go up and down, so that a later one is often the faster one.
      const units = rounds.map((round): UnitCommit[] => {
        const size = round % 3 === 0 ? 60 : 1;
        const others = Array.from({ length: size }, (_, index) => changing(put(persistence, chat(index + 1), round)));
        return [...others, changing(put(persistence, chat(0), round))];
      });
      await Promise.all(units.map((each) => persistence.commit(each)));
      const expected = [put(persistence, chat(0), 11), put(persistence, chat(1), 11), put(persistence, chat(2), 9)];
      same(
        await read(persistence, chat(0), chat(1), chat(2)),
        contents(...expected),
        "read after 12 commits were called at once",
      );
      const again = await setting.reopen(persistence);
      same(await read(again, chat(0), chat(1), chat(2)), contents(...expected), "the same after reopening");
    },
  },
  {
    name: "commit: many at once all stand, and accepts beside them",
    contract: ATOMIC.acknowledged,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const ids = Array.from({ length: 40 }, (_, index) => index + 1);
      await persistence.accept(updates(...ids));
      const changes = ids.map((id) => put(persistence, chat(id), id));
      await Promise.all(
        ids.flatMap((done, index) => [
          persistence.commit([{ changes: changes.slice(index, index + 1), done }]),
          persistence.accept(updates(1000 + done)),
        ]),
      );
      const again = await setting.reopen(persistence);
      same(await read(again, ...ids.map(chat)), contents(...changes), "read of what 40 commits at once have written");
      const observed = await observe(again);
      same(observed.done, ids, "the updates that are done");
      same(
        (await openIds(again)).sort((a, b) => a - b),
        ids.map((id) => 1000 + id),
        "the updates that were accepted beside them",
      );
    },
  },
  {
    name: "commit: a read that is called after it sees it, also when both are under way",
    contract: ATOMIC.current,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      for (let round = 0; round < 5; round += 1) {
        const change = put(persistence, chat(1), round);
        await persistence.commit([changing(change)]);
        same(await read(persistence, chat(1)), contents(change), "read after the commit was acknowledged");
      }
    },
  },
  {
    name: "commit: a reader at any time sees all of it or none, never half a batch",
    contract: `${ATOMIC.oneMoment} ${ATOMIC.read}`,
    needs: ["atomic methods", "atomic"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const reader =
        setting.abilities !== "plain" && setting.abilities.shared ? await setting.openAtomic() : persistence;
      const keys = Array.from({ length: 6 }, (_, id) => chat(id));
      const all = (content: string) => keys.map((key) => put(persistence, key, content));
      await persistence.commit([changing(...all("before"))]);
      const states = [contents(...all("before")), contents(...all("after"))];
      const committing = Promise.resolve(persistence.commit(all("after").map((change) => changing(change))));
      await whilePending(committing, async () => {
        oneOf(await read(reader, ...keys), states, "what a reader sees while a commit is under way");
      });
      same(await read(reader, ...keys), states[1], "what it sees afterwards");
    },
  },
  {
    name: "commit: the same again has the effect of one",
    contract: ATOMIC.failingIsSafe,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.accept(updates(1, 2));
      const units: UnitCommit[] = [
        { changes: [put(persistence, chat(1), "a", { version: 2 }), removed(chat(2))], done: 1 },
        {
          changes: [put(persistence, KEYS.job, "b", { time: 5 })],
          done: 2,
          setAside: true,
          alias: { from: -1, to: -2 },
        },
        {
          changes: [],
          doneUpdates: [{ first: 50, last: 52, since: setting.now - 5, until: setting.now - 1 }],
        },
      ];
      await persistence.commit(units);
      const once = await observe(persistence);
      await persistence.commit(units);
      same(await observe(persistence), once, "what is kept after the second time");
      same(await observe(await setting.reopen(persistence)), once, "the same after reopening");
    },
  },
  {
    name: "aliases: a chat's new id is listed, the newest one of a chat, over a reopening",
    contract: ATOMIC.aliases,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      same([...(await persistence.chatAliases())], [], "chatAliases() of a new place");
      await persistence.commit([
        { changes: [], alias: { from: -1, to: -100 } },
        { changes: [], alias: { from: -2, to: -200 } },
      ]);
      await persistence.commit([{ changes: [], alias: { from: -1, to: -1_001_234_567_890 } }]);
      const expected = [
        [-2, -200],
        [-1, -1_001_234_567_890],
      ];
      same((await observe(persistence)).aliases, expected, "chatAliases(), by their old ids");
      same((await observe(await setting.reopen(persistence))).aliases, expected, "the same after reopening");
    },
  },
];
