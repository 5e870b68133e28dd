import { keyText } from "../../../data/record.ts";
import type { AtomicPersistence } from "../../../persistence/atomic-persistence.ts";
import type { ConformanceCase, Need } from "../conformance-case.ts";
import { ATOMIC } from "../contract.ts";
import { oneOf, outcomeOf, same } from "../expectations.ts";
import { whilePending } from "../pending.ts";
import type { Setting } from "../setting.ts";
import { observe, type Observation } from "./observation.ts";
import { changing, chat, KEYS, put, removed, updates } from "./samples.ts";

const NEEDS: readonly Need[] = ["atomic methods", "atomic", "lasting", "snapshot"];

type Step = readonly [name: string, take: (persistence: AtomicPersistence) => unknown];

/** What a bot does to its persistence, in which no step leaves what the one before it left, except for the one that fails. */
const HISTORY: readonly Step[] = [
  ["accept", (of) => of.accept(updates(1, 2, 3))],
  ["commit of one unit", (of) => of.commit([{ changes: [put(of, chat(1), "a"), put(of, KEYS.user, "a")], done: 1 }])],
  [
    "commit of two units",
    (of) =>
      of.commit([
        { changes: [put(of, chat(1), "b"), put(of, KEYS.job, "b", { time: 5 })], done: 2 },
        {
          changes: [
            put(of, KEYS.conversation, "b"),
            put(of, KEYS.keyboard, "b", { time: 6 }),
            put(of, KEYS.entry, "b"),
          ],
          done: 3,
        },
      ]),
  ],
  ["second accept", (of) => of.accept(updates(10, 4))],
  ["noteAttempts", (of) => of.noteAttempts(10, 3)],
  ["commit that sets aside", (of) => of.commit([{ changes: [removed(KEYS.job)], done: 10, setAside: true }])],
  [
    "commit that moves a chat",
    (of) =>
      of.commit([{ changes: [removed(chat(1)), put(of, chat(-100), "b")], done: 4, alias: { from: 1, to: -100 } }]),
  ],
  [
    "exclusively",
    (of) =>
      of.exclusively(async () => {
        await of.accept(updates(5, 6));
        await of.commit([{ changes: [put(of, chat(5), "c")], done: 5 }]);
        await of.commit([changing(put(of, chat(6), "c"), put(of, KEYS.bot, "c"))]);
      }),
  ],
  [
    "exclusively that fails",
    (of) =>
      of.exclusively(async () => {
        await of.commit([{ changes: [removed(chat(5))], done: 6 }]);
        throw new Error("as it should");
      }),
  ],
  [
    "updateCallbackData",
    (of) =>
      of.updateCallbackData([
        [
          ["k1", 1, { b: 1 }],
          ["k2", 2, {}],
        ],
        { q: "k1" },
      ]),
  ],
  ["commit of many units", (of) => of.commit(Array.from({ length: 50 }, (_, id) => changing(put(of, chat(id), "d"))))],
  ["dropChatData", (of) => of.dropChatData(7)],
];

/** What a process leaves that is killed at any moment. */
export const crashCases: readonly ConformanceCase[] = [
  {
    name: "killed at any moment: all of an operation or none, changes and done mark of one moment",
    contract: ATOMIC.oneMoment,
    needs: NEEDS,
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      let before = await observe(persistence);
      for (const [name, take] of HISTORY) {
        const killed: Setting[] = [];
        const taking = outcomeOf(() => take(persistence));
        await whilePending(taking, async () => void killed.push(await setting.snapshot()));
        const after = await observe(persistence);
        for (const each of killed) oneOf(await left(each), [before, after], `what a kill during ${name} leaves`);
        before = after;
      }
    },
  },
  {
    name: "killed after any operation: what was acknowledged is there",
    contract: ATOMIC.acknowledged,
    needs: NEEDS,
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      for (const [name, take] of HISTORY) {
        await outcomeOf(() => take(persistence));
        const killed = await setting.snapshot();
        same(await left(killed), await observe(persistence), `what a kill after ${name} leaves`);
      }
    },
  },
  {
    name: "killed while several commits are under way: the first of them, in order of the calls, each with its done mark",
    contract: `${ATOMIC.oneMoment} ${ATOMIC.order}`,
    needs: NEEDS,
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const ids = [1, 2, 3, 4, 5, 6, 7, 8];
      await persistence.accept(updates(...ids));
      const commit = (id: number): unknown => {
        const many = id % 2 === 1 ? [100, 101, 102, 103] : [];
        const changes = [put(persistence, chat(0), id), ...many.map((other) => put(persistence, chat(other), id))];
        return persistence.commit([{ changes, done: id }]);
      };
      const killed: Setting[] = [];
      const all = Promise.all(ids.map(commit));
      await whilePending(all, async () => void killed.push(await setting.snapshot()));
      killed.push(await setting.snapshot());
      for (const each of killed) {
        const seen = await left(each);
        const count = seen.done.length;
        const last = count % 2 === 1 ? count : count - 1;
        const expected = [
          ...(count > 0 ? [put(persistence, chat(0), count)] : []),
          ...(count > 0 ? [100, 101, 102, 103].map((id) => put(persistence, chat(id), last)) : []),
        ].map(({ key, record }) => [keyText(key), record] as const);
        const { records, inbox, done } = seen;
        same(
          { done, inbox, records },
          {
            done: ids.slice(0, count),
            inbox: ids.slice(count).map((id) => [id, 1]),
            records: new Map(expected),
          },
          `what is left of 8 commits when ${count} of them are done`,
        );
      }
    },
  },
];

/** What the next process finds. */
async function left(killed: Setting): Promise<Observation> {
  const persistence = await killed.openAtomic();
  const seen = await observe(persistence);
  await killed.close(persistence);
  return seen;
}
