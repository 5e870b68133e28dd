import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { change, openedSqlite } from "../../../test/support/opened-sqlite.ts";
import { query } from "../../../test/support/read-file.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { withCode } from "../../../test/support/with-code.ts";
import {
  keyText,
  type EntryKey,
  RECORD_KINDS,
  type KeptRecord,
  type RecordKey,
  type TimedKind,
} from "../../data/record.ts";
import type { SqlitePersistence } from "./sqlite-persistence.ts";

const opened = (): Promise<SqlitePersistence> => openedSqlite(join(temporaryFolder(), "bot.sqlite"));

const text = fc.string({ unit: "binary", maxLength: 8 }).filter((value) => !value.includes("\0"));
const id = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -5, max: 5 }));
const anyKey: fc.Arbitrary<RecordKey> = fc.oneof(
  fc.constant({ kind: "bot" as const }),
  fc.record({ kind: fc.constantFrom("chat" as const, "user" as const), id }),
  fc.record({
    kind: fc.constant("conversation" as const),
    name: text,
    id: fc.array(fc.oneof(id, text), { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("entry" as const), collection: text, id: text }),
  fc.record({ kind: fc.constantFrom("keyboard" as const, "callbackQuery" as const, "job" as const), id: text }),
);
const anyRecords = fc.uniqueArray(anyKey, { selector: keyText, maxLength: 30 });

describe("records of all kinds", () => {
  test("come back under their keys and no others, and are listed by them", async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, async (keys) => {
        const persistence = await opened();
        const records = keys.map((_, index): KeptRecord => ({ text: `"${index}"`, version: index }));
        await persistence.commit([{ changes: keys.map((key, index) => ({ key, record: records[index] })) }]);
        expect(persistence.read(keys)).toEqual(records);
        const listed = RECORD_KINDS.flatMap((kind) => persistence.keys(kind, { limit: 100 }));
        expect(listed.map(keyText).toSorted()).toEqual(keys.map(keyText).toSorted());
        expect(persistence.read(listed)).not.toContain(undefined);
        await persistence.commit([{ changes: keys.map((key) => ({ key, record: undefined })) }]);
        expect(persistence.read(keys)).toEqual(keys.map(() => undefined));
        persistence.close();
      }),
      { numRuns: 40 },
    );
  });

  test("that stand side by side are different: 1 and its text, a name and a part of the id", async () => {
    const persistence = await opened();
    const keys: RecordKey[] = [
      { kind: "conversation", name: "a", id: [1] },
      { kind: "conversation", name: "a", id: ["1"] },
      { kind: "conversation", name: "a", id: [1, 1] },
      { kind: "conversation", name: "", id: ["a", 1] },
      { kind: "conversation", name: "a", id: [] },
      { kind: "entry", collection: "a", id: "[1]" },
      { kind: "entry", collection: "a", id: "" },
      { kind: "keyboard", id: "1" },
      { kind: "callbackQuery", id: "1" },
      { kind: "job", id: "1" },
      { kind: "chat", id: 1 },
      { kind: "user", id: 1 },
      { kind: "bot" },
    ];
    await persistence.commit([{ changes: keys.map((key) => change(key, `"${keyText(key)}"`)) }]);
    expect(persistence.read(keys).map((record) => record?.text)).toEqual(keys.map((key) => `"${keyText(key)}"`));
    persistence.close();
  });

  test("can be read by people while the bot runs", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await openedSqlite(path);
    const at = Date.UTC(2030, 0, 1);
    await persistence.commit([
      {
        changes: [
          change({ kind: "conversation", name: "order", id: [1, 2] }, '{"state":"NAME"}'),
          change({ kind: "entry", collection: "orders", id: "17" }, '{"total":5}'),
          { key: { kind: "keyboard", id: "k" }, record: { text: '{"a":1}', version: 0, time: at } },
          { key: { kind: "callbackQuery", id: "q" }, record: { text: '"k"', version: 0, time: at } },
          { key: { kind: "job", id: "j" }, record: { text: '{"name":"remind"}', version: 0, time: at } },
        ],
      },
    ]);
    expect(query(path, "select name, key, data->>'state' as state from conversation")).toEqual([
      { name: "order", key: "[1,2]", state: "NAME" },
    ]);
    expect(query(path, "select collection, id, data->>'total' as total from entry")).toEqual([
      { collection: "orders", id: "17", total: 5 },
    ]);
    const due = "datetime(due / 1000, 'unixepoch') as due";
    expect(query(path, `select id, ${due}, data->>'name' as name from job`)).toEqual([
      { id: "j", due: "2030-01-01 00:00:00", name: "remind" },
    ]);
    expect(query(path, "select id, last_used from keyboard")).toEqual([{ id: "k", last_used: at }]);
    expect(query(path, "select id, answered_at from callback_query")).toEqual([{ id: "q", answered_at: at }]);
    persistence.close();
  });

  test("a key of a conversation that a person writes otherwise than it is looked for is refused", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await openedSqlite(path);
    const other = new DatabaseSync(path);
    const insert = other.prepare("insert into conversation (name, key, version, data) values ('order', ?, 0, '{}')");
    for (const key of ["[1, 2]", "5", '{"a":1}', "1,2"]) expect(() => insert.run(key)).toThrow(/CHECK|malformed/);
    insert.run("[1,2]");
    expect(persistence.read([{ kind: "conversation", name: "order", id: [1, 2] }])).toEqual([
      { text: "{}", version: 0 },
    ]);
    other.close();
    persistence.close();
  });
});

describe("keys", () => {
  const ids = (persistence: SqlitePersistence, kind: "chat" | "job", after: RecordKey | undefined, limit: number) =>
    persistence.keys(kind, { after: after as never, limit }).map((key) => key.id);

  test("of chats ascend as numbers, page by page", async () => {
    const persistence = await opened();
    const chats = [10, 9, -100, 2, 1];
    await persistence.commit([{ changes: chats.map((chat) => change({ kind: "chat", id: chat }, "1")) }]);
    expect(ids(persistence, "chat", undefined, 3)).toEqual([-100, 1, 2]);
    expect(ids(persistence, "chat", { kind: "chat", id: 2 }, 3)).toEqual([9, 10]);
    expect(ids(persistence, "chat", { kind: "chat", id: 10 }, 3)).toEqual([]);
    persistence.close();
  });

  test("of texts go on after one that is not there any more, and an empty id is one of them", async () => {
    const persistence = await opened();
    await persistence.commit([{ changes: ["b", "", "a"].map((job) => change({ kind: "job", id: job }, "1")) }]);
    expect(ids(persistence, "job", undefined, 2)).toEqual(["", "a"]);
    await persistence.commit([{ changes: [change({ kind: "job", id: "a" }, undefined)] }]);
    expect(ids(persistence, "job", { kind: "job", id: "a" }, 2)).toEqual(["b"]);
    persistence.close();
  });

  test("of the bot are one or none", async () => {
    const persistence = await opened();
    expect(persistence.keys("bot", { limit: 5 })).toEqual([]);
    await persistence.commit([{ changes: [change({ kind: "bot" }, "{}")] }]);
    expect(persistence.keys("bot", { limit: 5 })).toEqual([{ kind: "bot" }]);
    expect(persistence.keys("bot", { limit: 5, after: { kind: "bot" } })).toEqual([]);
    persistence.close();
  });

  test("of one name are those of that name, whatever page and wherever it begins", async () => {
    const name = fc.constantFrom("a", "b", "c");
    const key = fc.record({
      kind: fc.constant("entry" as const),
      collection: name,
      id: fc.constantFrom("x", "y", "z"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { selector: keyText }),
        fc.option(name, { nil: undefined }),
        fc.option(key, { nil: undefined }),
        async (keys, within, after) => {
          const persistence = await opened();
          await persistence.commit([{ changes: keys.map((one) => change(one, "1")) }]);
          const place = (one: EntryKey | undefined): string => (one === undefined ? "" : one.collection + one.id);
          const expected = keys
            .map(place)
            .filter((one) => one.startsWith(within ?? "") && one > place(after))
            .toSorted();
          expect(persistence.keys("entry", { within, after, limit: 100 }).map(place)).toEqual(expected);
          expect(persistence.keys("entry", { within, after, limit: 1 }).map(place)).toEqual(expected.slice(0, 1));
          persistence.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("times", () => {
  test.each<TimedKind>(["job", "keyboard", "callbackQuery"])("of a %s: the earliest come first", async (kind) => {
    const persistence = await opened();
    const put = (id: string, time: number | undefined) => ({
      key: { kind, id },
      record: { text: `"${id}"`, version: 1, time },
    });
    await persistence.commit([
      { changes: [put("c", 30), put("never", undefined), put("b", 20), put("a", 20), put("0", 0)] },
    ]);
    const found = (until: number, limit: number): string[] =>
      persistence.earliest(kind, { until, limit }).map(({ key, record }) => `${key.id} ${record.time} ${record.text}`);
    expect(found(20, 10)).toEqual(['0 0 "0"', 'a 20 "a"', 'b 20 "b"']);
    expect(found(Date.now(), 3)).toEqual(['0 0 "0"', 'a 20 "a"', 'b 20 "b"']);
    expect(found(-1, 3)).toEqual([]);
    expect(persistence.read([{ kind, id: "c" }])).toEqual([{ text: '"c"', version: 1, time: 30 }]);
    expect(persistence.read([{ kind, id: "never" }])).toEqual([{ text: '"never"', version: 1 }]);
    await persistence.commit([{ changes: [put("0", undefined), put("c", 10)] }]);
    expect(found(20, 10)).toEqual(['c 10 "c"', 'a 20 "a"', 'b 20 "b"']);
    persistence.close();
  });
});

describe("what would not come back as it went in is refused, and says what it is", () => {
  const keys: [string, RecordKey][] = [
    ["entry:", { kind: "entry", collection: "\ud800", id: "a" }],
    ['"\\udc00"', { kind: "entry", collection: "a", id: "\udc00" }],
    ['"\\ud83d"', { kind: "conversation", name: "a", id: [1, "\ud83d"] }],
    ["conversation:", { kind: "conversation", name: "\ud83d", id: [1] }],
    ["conversation:", { kind: "conversation", name: "a", id: [Number.NaN] }],
    ['job:"\\udfff"', { kind: "job", id: "\udfff" }],
    ['keyboard:"a\\u0000b"', { kind: "keyboard", id: "a\0b" }],
    ["callbackQuery:", { kind: "callbackQuery", id: "\ud800" }],
    ["chat:NaN", { kind: "chat", id: Number.NaN }],
    ["user:0.5", { kind: "user", id: 0.5 }],
    ["chat:9007199254740992", { kind: "chat", id: 2 ** 53 }],
  ];

  test.each(keys)("the key %s", async (name, key) => {
    const persistence = await opened();
    const refusal = expect.objectContaining({ code: "PERDURE_REFUSED", message: expect.stringContaining(name) });
    expect(() => persistence.read([{ kind: "bot" }, key])).toThrow(refusal);
    expect(() => persistence.commit([{ changes: [change({ kind: "bot" }, "1"), change(key, "1")] }])).toThrow(refusal);
    expect(() => persistence.commit([{ changes: [change(key, undefined)] }])).toThrow(refusal);
    expect(() => persistence.keys(key.kind, { after: key, limit: 1 })).toThrow(refusal);
    expect(persistence.read([{ kind: "bot" }])).toEqual([undefined]);
    persistence.close();
  });

  test("a name to list within", async () => {
    const persistence = await opened();
    expect(() => persistence.keys("entry", { within: "\ud800", limit: 1 })).toThrow(withCode("PERDURE_REFUSED"));
    persistence.close();
  });

  test("a text, and a time", async () => {
    const persistence = await opened();
    const commit = (key: RecordKey, record: KeptRecord) => () => persistence.commit([{ changes: [{ key, record }] }]);
    const refused = withCode("PERDURE_REFUSED");
    expect(commit({ kind: "chat", id: 1 }, { text: '"\ud800"', version: 0 })).toThrow(refused);
    expect(commit({ kind: "chat", id: 1 }, { text: "\0", version: 0 })).toThrow(refused);
    expect(commit({ kind: "chat", id: 1 }, { text: "1", version: 0, time: 5 })).toThrow(/A time of chat:1 /);
    expect(commit({ kind: "job", id: "a" }, { text: "1", version: 0, time: Number.NaN })).toThrow(refused);
    expect(persistence.read([{ kind: "chat", id: 1 }])).toEqual([undefined]);
    persistence.close();
  });
});
