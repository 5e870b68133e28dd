import { BELONGING_KINDS, RECORD_KINDS, type RecordKey } from "../../../data/record.ts";
import type { ConformanceCase, Need } from "../conformance-case.ts";
import { ATOMIC } from "../contract.ts";
import { same } from "../expectations.ts";
import { GROUP } from "../plain/slots.ts";
import { BOT_ID } from "../setting.ts";
import { allKeys } from "./observation.ts";
import { changing, chat, contents, job, KEYS, put, read, removed, texts, TIMED } from "./samples.ts";

const ATOMIC_METHODS: readonly Need[] = ["atomic methods"];

/** Reading, writing and removing records, of every kind. */
export const recordCases: readonly ConformanceCase[] = [
  ...RECORD_KINDS.flatMap(casesOf),
  {
    name: "records: read gives them in the order of the keys, a key given twice is answered twice",
    contract: ATOMIC.read,
    needs: ATOMIC_METHODS,
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const all = RECORD_KINDS.map((kind) => put(persistence, KEYS[kind], kind));
      await persistence.commit([changing(...all)]);
      const keys = [...all].reverse().map(({ key }) => key);
      const expected = contents(...all).reverse();
      same(await read(persistence, ...keys), expected, "read of one record of each kind");
      same(
        await read(persistence, chat(1), ...keys, chat(2), KEYS.chat, ...keys),
        [undefined, ...expected, undefined, ...contents(put(persistence, KEYS.chat, "chat")), ...expected],
        "the same with absent records and repetitions",
      );
      same(await read(persistence), [], "read of no keys");
    },
  },
  {
    name: "records: many are read and written at once",
    contract: ATOMIC.read,
    needs: ATOMIC_METHODS,
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const all = Array.from({ length: 1500 }, (_, id) => put(persistence, chat(id), id));
      await persistence.commit(all.map((change) => changing(change)));
      same(
        await read(persistence, ...all.map(({ key }) => key), chat(1500)),
        [...contents(...all), undefined],
        "read of 1501 keys",
      );
    },
  },
  {
    name: "records: the text is kept to the letter",
    contract: ATOMIC.text,
    needs: ATOMIC_METHODS,
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const values = [
        { b: 1, a: [1.0, 1e21, -0] },
        { "👩‍🚀": "\u0000\u2028\ud800", 10: 1, 9: 2 },
        {},
        { text: "x".repeat(300_000) },
      ];
      const all = values.map((value, id) => ({
        key: chat(id),
        record: { text: persistence.codec.encode(value), version: 0 },
      }));
      await persistence.commit([changing(...all)]);
      const again = await setting.reopen(persistence);
      same(await read(again, ...all.map(({ key }) => key)), contents(...all), "read");
    },
  },
  {
    name: "records: keys that differ only by case, spaces, accents, types or separators are different records",
    contract: ATOMIC.record,
    needs: ATOMIC_METHODS,
    run: async (setting) => {
      const ids = [
        "a",
        "A",
        "a ",
        " a",
        "á",
        "a\u0301",
        "ａ",
        "",
        "0",
        "00",
        "%",
        "_",
        "a,b",
        'a","b',
        "a:b",
        "a/b",
        "__proto__",
      ];
      const keys: RecordKey[] = [
        ...ids.flatMap((id): RecordKey[] => [
          job(id),
          { kind: "keyboard", id },
          { kind: "entry", collection: "c", id },
          { kind: "entry", collection: id, id: "c" },
          { kind: "conversation", name: id, id: [id] },
        ]),
        ...[[1, 2], [12], ["1", 2], [1, "2"], ["1,2"], [-1, 2], [2, 1]].map((id): RecordKey => ({
          kind: "conversation",
          name: "order",
          id,
        })),
        chat(1),
        { kind: "user", id: 1 },
        chat(-1),
        chat(2 ** 32 + 1),
        chat(2 ** 52 - 1),
        chat(-(2 ** 52) + 1),
      ];
      const persistence = await setting.openAtomic();
      const all = keys.map((key, index) => put(persistence, key, index));
      await persistence.commit([changing(...all)]);
      const again = await setting.reopen(persistence);
      same(await read(again, ...keys), contents(...all), "read of all of them");
      for (const kind of ["conversation", "entry", "job", "keyboard"] as const) {
        const expected = texts(keys.filter((key) => key.kind === kind)).sort();
        same(texts(await allKeys(again, kind, 500)).sort(), expected, `keys("${kind}")`);
      }
    },
  },
  {
    name: "records: they belong to whichever bot opens it",
    contract: ATOMIC.records,
    needs: ["atomic methods", "lasting"],
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const all = RECORD_KINDS.map((kind) => put(persistence, KEYS[kind], kind));
      await persistence.commit([changing(...all)]);
      await setting.close(persistence);
      const other = await setting.openAtomic(BOT_ID + 1);
      same(await read(other, ...all.map(({ key }) => key)), contents(...all), "read when another bot has opened it");
    },
  },
  {
    name: "records: a keyboard's time is a time in callback data, and a conversation's state one in conversations",
    contract: ATOMIC.plainMethods,
    needs: ATOMIC_METHODS,
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      await persistence.updateCallbackData([[["k", 1_700_000_000.25, { b: 1 }]], { q: "k" }]);
      await persistence.updateConversation("order", [GROUP, 42], "SIZE");
      await persistence.updateBotData({ content: 1 });
      const keys: RecordKey[] = [
        { kind: "keyboard", id: "k" },
        { kind: "callbackQuery", id: "q" },
        KEYS.conversation,
        KEYS.bot,
      ];
      const [keyboard, query, conversation, bot] = await read(persistence, ...keys);
      const decoded = [keyboard, query, conversation, bot].map(
        (record) => record && persistence.codec.decode(record.text),
      );
      same(decoded, [{ b: 1 }, "k", { state: "SIZE" }, { content: 1 }], "the values of the records");
      same(keyboard?.time, 1_700_000_000_250, "the keyboard's time");
    },
  },
];

/** What is promised of the records of every kind. */
function casesOf(kind: (typeof RECORD_KINDS)[number]): ConformanceCase[] {
  const key = KEYS[kind];
  return [
    {
      name: `${kind} records: read, written, replaced, removed and written again`,
      contract: ATOMIC.read,
      needs: ATOMIC_METHODS,
      run: async (setting) => {
        let persistence = await setting.openAtomic();
        same(await read(persistence, key), [undefined], "read before anything was written");
        for (const content of ["first", "second", undefined, "third", undefined, undefined]) {
          const change = content === undefined ? removed(key) : put(persistence, key, content);
          await persistence.commit([changing(change)]);
          same(await read(persistence, key), contents(change), `read after ${content ?? "removing"}`);
          const keys = content === undefined ? [] : texts([key]);
          same(
            texts(await persistence.keys(kind, { limit: 10 })),
            keys,
            `keys("${kind}") after ${content ?? "removing"}`,
          );
          persistence = await setting.reopen(persistence);
          same(await read(persistence, key), contents(change), "the same after reopening");
        }
      },
    },
    {
      name: `${kind} records: the version is kept`,
      contract: ATOMIC.version,
      needs: ATOMIC_METHODS,
      run: async (setting) => {
        const persistence = await setting.openAtomic();
        await persistence.commit([changing(put(persistence, key, "a", { version: 1 }))]);
        const change = put(persistence, key, "a", { version: 12 });
        await persistence.commit([changing(change)]);
        same(await read(await setting.reopen(persistence), key), contents(change), "read");
      },
    },
    ...(TIMED.includes(kind) ? [timeCase(kind)] : []),
    ...(BELONGING_KINDS.some((belonging) => belonging === kind) ? [belongingCase(kind)] : []),
  ];
}

function belongingCase(kind: (typeof RECORD_KINDS)[number]): ConformanceCase {
  const key = KEYS[kind];
  return {
    name: `${kind} records: the chat and the user are kept, replaced and taken away`,
    contract: ATOMIC.belongs,
    needs: ATOMIC_METHODS,
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      const large = 2 ** 52 - 1;
      for (const foundBy of [{ chatId: GROUP, userId: 42 }, { chatId: -large }, { userId: large }, {}]) {
        const change = put(persistence, key, "a", foundBy);
        await persistence.commit([changing(change)]);
        same(await read(persistence, key), contents(change), `read of one that belongs to ${JSON.stringify(foundBy)}`);
      }
      const change = put(persistence, key, "a", { chatId: 1, userId: 2 });
      await persistence.commit([changing(change)]);
      same(await read(await setting.reopen(persistence), key), contents(change), "read after reopening");
    },
  };
}

function timeCase(kind: (typeof RECORD_KINDS)[number]): ConformanceCase {
  const key = KEYS[kind];
  return {
    name: `${kind} records: the time is kept, replaced and taken away`,
    contract: ATOMIC.time,
    needs: ATOMIC_METHODS,
    run: async (setting) => {
      const persistence = await setting.openAtomic();
      for (const time of [1_700_000_000_123, 0, 253_402_300_799_999, undefined]) {
        const change = put(persistence, key, "a", { time });
        await persistence.commit([changing(change)]);
        same(await read(persistence, key), contents(change), `read after a time of ${time}`);
      }
      const change = put(persistence, key, "a", { time: 5 });
      await persistence.commit([changing(change)]);
      same(await read(await setting.reopen(persistence), key), contents(change), "read after reopening");
    },
  };
}
