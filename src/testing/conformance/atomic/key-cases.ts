import {
  keyText,
  type FoundBy,
  type KeyOf,
  type RecordKey,
  type RecordKind,
  type TimedKind,
} from "../../../data/record.ts";
import type { AtomicPersistence } from "../../../persistence/atomic-persistence.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { ATOMIC } from "../contract.ts";
import { same } from "../expectations.ts";
import { allKeys } from "./observation.ts";
import { changing, chat, job, put, removed, texts, user } from "./samples.ts";

const conversation = (name: string, ...id: (number | string)[]): KeyOf<"conversation"> => ({
  kind: "conversation",
  name,
  id,
});
const entry = (collection: string, id: string): KeyOf<"entry"> => ({ kind: "entry", collection, id });

const CONVERSATIONS = [
  conversation("order", 1, 2),
  conversation("ord", 1),
  conversation("order", 10, 2),
  conversation("Order", 1),
  conversation("order", -5, 2),
  conversation("order", 1, "2"),
  conversation("order2", 1),
  conversation("order", 1),
];

const ENTRIES = ["b", "a", "a:", "A", "a b", "ab"].flatMap((collection) =>
  ["1", "2", "10", "x", "X", ""].map((id) => entry(collection, id)),
);

/** Listing keys, and finding what is due. */
export const keyCases: readonly ConformanceCase[] = [
  ...(["chat", "user"] as const).map((kind): ConformanceCase => ({
    name: `keys: ids of the kind ${kind} ascend as numbers`,
    contract: ATOMIC.keys,
    needs: ["atomic methods"],
    run: async (setting) => {
      const ids = [10, 9, -1_001_234_567_890, 100, -1, 1, 2 ** 52 - 1, -(2 ** 52) + 1, 2 ** 32, -10, -9];
      const persistence = await keeping(
        await setting.openAtomic(),
        ids.map((id) => ({ kind, id })),
      );
      const expected = [...ids].sort((a, b) => a - b);
      const seen = await persistence.keys(kind, { limit: 100 });
      same(
        seen.map(({ id }) => id),
        expected,
        `the ids that keys("${kind}") gives`,
      );
    },
  })),
  {
    name: "keys: pages of any size give each key once, in one order",
    contract: `${ATOMIC.keys} ${ATOMIC.after}`,
    needs: ["atomic methods"],
    run: async (setting) => {
      const jobs = ["b", "a", "10", "9", "B", "é", "日", ""].map(job);
      const chats = [5, -5, 50, -50, 500].map(chat);
      const persistence = await keeping(await setting.openAtomic(), [
        ...CONVERSATIONS,
        ...ENTRIES,
        ...jobs,
        ...chats,
        { kind: "bot" },
      ]);
      const all = {
        conversation: CONVERSATIONS,
        entry: ENTRIES,
        job: jobs,
        chat: chats,
        bot: [{ kind: "bot" } as const],
      };
      for (const kind of Object.keys(all) as (keyof typeof all)[]) {
        const once = texts(await persistence.keys(kind, { limit: 1000 }));
        same([...once].sort(), texts(all[kind]).sort(), `keys("${kind}", { limit: 1000 }), sorted`);
        for (const limit of [1, 2, 3, 5, once.length, once.length + 1]) {
          same(
            texts(await allKeys(persistence, kind, limit)),
            once,
            `keys("${kind}"), page by page, ${limit} to a page`,
          );
        }
      }
    },
  },
  {
    name: "keys: those of one name stand together",
    contract: ATOMIC.keys,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await keeping(await setting.openAtomic(), [...CONVERSATIONS, ...ENTRIES]);
      const names = (await allKeys(persistence, "conversation", 3)).map(({ name }) => name);
      same(runsOf(names).sort(), [...new Set(names)].sort(), "the names, each time that another one begins");
      const collections = (await allKeys(persistence, "entry", 4)).map(({ collection }) => collection);
      same(runsOf(collections).sort(), [...new Set(collections)].sort(), "the collections, likewise");
    },
  },
  {
    name: "keys: within a name are those of exactly this name, in the same order",
    contract: ATOMIC.within,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await keeping(await setting.openAtomic(), [...CONVERSATIONS, ...ENTRIES]);
      const conversations = await allKeys(persistence, "conversation", 1000);
      const entries = await allKeys(persistence, "entry", 1000);
      for (const limit of [1, 2, 1000]) {
        for (const name of [...new Set(CONVERSATIONS.map((key) => key.name)), "unknown"]) {
          const expected = texts(conversations.filter((key) => key.name === name));
          same(
            texts(await allKeys(persistence, "conversation", limit, { within: name })),
            expected,
            `keys("conversation", { within: "${name}", limit: ${limit} })`,
          );
        }
        for (const name of [...new Set(ENTRIES.map((key) => key.collection)), "unknown"]) {
          const expected = texts(entries.filter((key) => key.collection === name));
          same(
            texts(await allKeys(persistence, "entry", limit, { within: name })),
            expected,
            `keys("entry", { within: "${name}", limit: ${limit} })`,
          );
        }
      }
    },
  },
  {
    name: "keys: they go on after a key that is gone by now",
    contract: ATOMIC.after,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await keeping(await setting.openAtomic(), [...ENTRIES, ...[1, 2, 3].map(chat)]);
      const all = await allKeys(persistence, "entry", 1000);
      const [gone, ...rest] = all.slice(7);
      await persistence.commit([changing(removed(gone as KeyOf<"entry">), removed(chat(2)))]);
      same(
        texts(await persistence.keys("entry", { after: gone, limit: 1000 })),
        texts(rest),
        "keys after an entry that was removed",
      );
      same(
        texts(await persistence.keys("chat", { after: chat(2), limit: 1000 })),
        texts([chat(3)]),
        "keys after a chat that was removed",
      );
      same(texts(await persistence.keys("chat", { after: chat(3), limit: 1000 })), [], "keys after the last");
    },
  },
  {
    name: "keys: of a chat or of a user are those of records that belong to it, in the same order",
    contract: ATOMIC.of,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const owners = [
        { chatId: 1 },
        { userId: 1 },
        { chatId: 1, userId: 2 },
        { chatId: 2, userId: 1 },
        {},
        { chatId: -1 },
      ];
      const all = {
        conversation: CONVERSATIONS,
        job: ["b", "a", "10", "9", "B", "é", "日", ""].map(job),
      };
      for (const kind of ["conversation", "job"] as const) {
        const whose = new Map(all[kind].map((key, index) => [keyText(key), owners[index % owners.length] as FoundBy]));
        await persistence.commit([
          changing(...all[kind].map((key) => put(persistence, key, "a", whose.get(keyText(key))))),
        ]);
        const ordered: readonly KeyOf<typeof kind>[] = await allKeys(persistence, kind, 1000);
        for (const owner of [chat(1), chat(2), chat(-1), chat(3), user(1), user(2), user(3)]) {
          const belongs = (key: RecordKey): boolean => whose.get(keyText(key))?.[`${owner.kind}Id`] === owner.id;
          const expected = texts(ordered.filter(belongs));
          for (const limit of [1, 2, 1000]) {
            const about = `keys("${kind}", { of: ${keyText(owner)}, limit: ${limit} })`;
            same(texts(await allKeys(persistence, kind, limit, { of: owner })), expected, about);
          }
        }
      }
    },
  },
  {
    name: "keys: what belongs to another chat now, or to none, or is gone, is not listed for the old one",
    contract: ATOMIC.of,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const at = (id: string, foundBy: FoundBy = {}) => put(persistence, job(id), id, foundBy);
      const [moved, freed, gone, stays] = ["moved", "freed", "gone", "stays"];
      await persistence.commit([changing(...[moved, freed, gone, stays].map((id) => at(String(id), { chatId: 1 })))]);
      await persistence.commit([changing(at("moved", { chatId: 2 }), at("freed"), removed(job("gone")))]);
      const again = await setting.reopen(persistence);
      same(texts(await again.keys("job", { of: chat(1), limit: 10 })), texts([job("stays")]), "those of the old chat");
      same(texts(await again.keys("job", { of: chat(2), limit: 10 })), texts([job("moved")]), "those of the new chat");
    },
  },
  ...(["job", "keyboard", "callbackQuery"] as const).map((kind): ConformanceCase => ({
    name: `earliest: records of the kind ${kind} by their time, up to a time and including it`,
    contract: ATOMIC.earliest,
    needs: ["atomic methods"],
    run: async (setting) => {
      const times = { late: 3000, early: 1000, middle: 2000, never: undefined, first: 0, far: 9_000_000_000_000 };
      const persistence = await setting.openAtomic();
      const changes = Object.entries(times).map(([id, time]) =>
        put(persistence, { kind, id }, id, { time, version: 2 }),
      );
      await persistence.commit([changing(...changes)]);
      const due = (until: number, limit = 10): Promise<string[]> => earliestIds(persistence, kind, until, limit);
      same(await due(2000), ["first", "early", "middle"], `the ids of earliest("${kind}", { until: 2000 })`);
      same(await due(1999), ["first", "early"], "until 1999");
      same(await due(-1), [], "until -1");
      same(
        await due(1e15),
        ["first", "early", "middle", "late", "far"],
        "until long after, without the one that has no time",
      );
      same(await due(1e15, 2), ["first", "early"], "two of them");
      const [record] = await persistence.earliest(kind, { until: 0, limit: 1 });
      same(
        { ...record?.record },
        changes.find(({ key }) => "id" in key && key.id === "first")?.record,
        "the record that comes with it",
      );
    },
  })),
  {
    name: "earliest: a time that was changed, taken away or removed counts",
    contract: ATOMIC.earliest,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const at = (id: string, time?: number) => put(persistence, job(id), id, { time });
      await persistence.commit([changing(at("a", 1), at("b", 2), at("c", 3), at("d", 4))]);
      await persistence.commit([changing(at("a", 10), at("b"), removed(job("c")), at("e", 5))]);
      same(await earliestIds(persistence, "job", 100, 10), ["d", "e", "a"], "the ids of earliest");
      const again = await setting.reopen(persistence);
      same(await earliestIds(again, "job", 100, 10), ["d", "e", "a"], "the same after reopening");
      same(await earliestIds(again, "keyboard", 100, 10), [], "those of keyboards, of which there are none");
    },
  },
  {
    name: "earliest: of those with one time none is missing",
    contract: ATOMIC.earliest,
    needs: ["atomic methods"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const ids = Array.from({ length: 20 }, (_, index) => `job ${index}`);
      await persistence.commit(ids.map((id) => changing(put(persistence, job(id), id, { time: 7 }))));
      same((await earliestIds(persistence, "job", 7, 20)).sort(), [...ids].sort(), "the ids of earliest, sorted");
    },
  },
];

async function keeping(persistence: AtomicPersistence, keys: readonly KeyOf<RecordKind>[]): Promise<AtomicPersistence> {
  await persistence.commit([changing(...keys.map((key, index) => put(persistence, key, index)))]);
  return persistence;
}

async function earliestIds(
  persistence: AtomicPersistence,
  kind: TimedKind,
  until: number,
  limit: number,
): Promise<string[]> {
  return (await persistence.earliest(kind, { until, limit })).map(({ key }) => key.id);
}

/** The names, without those that follow themselves. */
function runsOf(names: readonly string[]): string[] {
  return names.filter((name, index) => name !== names[index - 1]);
}
