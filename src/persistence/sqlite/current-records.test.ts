import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { change, openedSqlite } from "../../../test/support/opened-sqlite.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { withCode } from "../../../test/support/with-code.ts";
import { keyText, type RecordKey } from "../../data/record.ts";
import type { PerdureError } from "../../errors.ts";
import type { SqlitePersistence, SqliteCacheOptions } from "./sqlite-persistence.ts";

const BOT: RecordKey = { kind: "bot" };
const CHAT: RecordKey = { kind: "chat", id: 1 };
const USER: RecordKey = { kind: "user", id: 1 };
const NOBODY: RecordKey = { kind: "user", id: 2 };
const KEYS = [BOT, CHAT, USER, NOBODY];

/** A bot's file with all but `NOBODY`'s record, which the persistence has read, and another program's connection to it. */
async function setting(cache?: SqliteCacheOptions): Promise<{
  path: string;
  persistence: SqlitePersistence;
  other: DatabaseSync;
  texts: (keys?: readonly RecordKey[]) => (string | undefined)[];
}> {
  const path = join(temporaryFolder(), "bot.sqlite");
  const persistence = await openedSqlite(path, { cache });
  const other = new DatabaseSync(path, { timeout: 0 });
  onTestFinished(() => {
    other.close();
    persistence.close();
  });
  await persistence.commit([{ changes: [change(BOT, '"bot"'), change(CHAT, '"chat"'), change(USER, '"user"')] }]);
  const texts = (keys: readonly RecordKey[] = KEYS): (string | undefined)[] =>
    persistence.read(keys).map((record) => record?.text);
  expect(texts()).toEqual(['"bot"', '"chat"', '"user"', undefined]);
  expect(texts()).toEqual(['"bot"', '"chat"', '"user"', undefined]);
  return { path, persistence, other, texts };
}

const FOREIGN_CHANGES = [
  ["the bot's data changed", "update bot_data set data = '\"new\"'", ['"new"', '"chat"', '"user"', undefined]],
  ["a chat's data changed", "update chat_data set data = '\"new\"'", ['"bot"', '"new"', '"user"', undefined]],
  ["a user's data removed", "delete from user_data", ['"bot"', '"chat"', undefined, undefined]],
  ["the bot's data removed", "delete from bot_data", [undefined, '"chat"', '"user"', undefined]],
  ["a record where there was none", "insert into user_data values (2, 0, '5')", ['"bot"', '"chat"', '"user"', "5"]],
] as const;

describe("the next read sees", () => {
  test.each(FOREIGN_CHANGES)("%s by another connection", async (_, sql, expected) => {
    const { other, texts } = await setting();
    other.exec(sql);
    expect(texts()).toEqual(expected);
    expect(texts()).toEqual(expected);
  });

  test.each(FOREIGN_CHANGES)("%s by another program", async (_, sql, expected) => {
    const { path, texts } = await setting();
    const script = `new (require("node:sqlite").DatabaseSync)(process.argv[1]).exec(process.argv[2])`;
    execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--eval", script, path, sql]);
    expect(texts()).toEqual(expected);
  });

  test("one record of another moment never: a change between two reads is in all or in none", async () => {
    const { other, texts } = await setting();
    other.exec(`begin; update chat_data set data = '2'; update user_data set data = '2'`);
    expect(texts([CHAT])).toEqual(['"chat"']);
    other.exec("commit");
    // Only one of them has to be read from the file; the other one is remembered, and is not of this moment.
    expect(texts([{ kind: "chat", id: 9 }, USER])).toEqual([undefined, "2"]);
    expect(texts([CHAT])).toEqual(["2"]);
  });

  test("one moment, also when another program commits in the midst of it, whenever that is", async () => {
    const { other, texts } = await setting();
    const foreign = other.prepare("update chat_data set data = ?");
    const insert = other.prepare("insert or replace into user_data values (?, 0, ?)");
    let looks = Number.POSITIVE_INFINITY;
    for (let nth = 1; nth <= looks; nth += 1) {
      const before = texts([CHAT])[0];
      // Read from the file, since nobody has asked for it before, while what it is read with is remembered.
      const id = 100 + nth;
      let count = 0;
      const unknown: RecordKey = {
        id,
        get kind() {
          count += 1;
          if (count === nth) {
            other.exec("begin");
            foreign.run(String(nth));
            insert.run(id, String(nth));
            other.exec("commit");
          }
          return "user" as const;
        },
      };
      const found = texts([CHAT, unknown]);
      looks = count;
      expect([`${before} undefined`, `${nth} ${nth}`]).toContain(`${found[0]} ${found[1]}`);
      expect(texts([CHAT, { kind: "user", id }])).toEqual([String(nth), String(nth)]);
    }
    expect(looks).toBeGreaterThan(3);
  });

  test("what another program has written before a commit of ours", async () => {
    const { persistence, other, texts } = await setting();
    other.exec("update chat_data set data = '2'");
    await persistence.commit([{ changes: [change(USER, "3")] }]);
    expect(texts()).toEqual(['"bot"', "2", "3", undefined]);
  });

  test("what another program has rolled back never", async () => {
    const { other, texts } = await setting();
    other.exec("begin immediate; update chat_data set data = '2'");
    expect(texts()).toEqual(['"bot"', '"chat"', '"user"', undefined]);
    other.exec("rollback");
    expect(texts()).toEqual(['"bot"', '"chat"', '"user"', undefined]);
  });

  test("our commit, and what was there before when it failed", async () => {
    const { persistence, other, texts } = await setting();
    other.exec("begin immediate");
    const commit = () => persistence.commit([{ changes: [change(CHAT, "2"), change(USER, undefined)] }]);
    expect(commit).toThrow(withCode("PERDURE_BUSY"));
    expect(texts()).toEqual(['"bot"', '"chat"', '"user"', undefined]);
    other.exec("rollback");
    await commit();
    expect(texts()).toEqual(['"bot"', "2", undefined, undefined]);
  });
});

describe("the next read sees, of what was done exclusively,", () => {
  const CHANGES = [change(BOT, undefined), change(CHAT, "2"), change(NOBODY, "3")];

  test("everything when it went well", async () => {
    const { persistence, texts } = await setting();
    await persistence.exclusively(async () => {
      await persistence.commit([{ changes: CHANGES }]);
      expect(texts()).toEqual([undefined, "2", '"user"', "3"]);
    });
    expect(texts()).toEqual([undefined, "2", '"user"', "3"]);
  });

  test("nothing when it did not", async () => {
    const { persistence, texts } = await setting();
    const all = persistence.exclusively(async () => {
      await persistence.commit([{ changes: CHANGES }]);
      expect(texts()).toEqual([undefined, "2", '"user"', "3"]);
      throw new Error("badly");
    });
    await expect(all).rejects.toThrow("badly");
    expect(texts()).toEqual(['"bot"', '"chat"', '"user"', undefined]);
  });
});

describe("what is remembered", () => {
  test("is the same record with the same text as long as it does not change", async () => {
    const { persistence } = await setting();
    const first = persistence.read([BOT, CHAT]);
    await persistence.commit([{ changes: [change(USER, "2")], done: 1 }]);
    const second = persistence.read([BOT, CHAT]);
    expect(second[0]).toBe(first[0]);
    expect(second[1]).toBe(first[1]);
  });

  test("cannot be changed by whoever reads it or has committed it", async () => {
    const { persistence, texts } = await setting();
    const record = { text: "1", version: 0 };
    await persistence.commit([{ changes: [{ key: CHAT, record }] }]);
    record.text = "2";
    expect(() => Object.assign(persistence.read([CHAT])[0] ?? {}, { text: "3" })).toThrow(TypeError);
    expect(texts([CHAT])).toEqual(["1"]);
  });
});

/** Records that are written, each with its text, or removed. */
type Writes = readonly (readonly [RecordKey, string | undefined])[];

/** One step of a history: what this program or another one does. */
type Step =
  | { readonly do: "commit" | "fail" | "write elsewhere"; readonly writes: Writes }
  | { readonly do: "read"; readonly keys: readonly RecordKey[] }
  | { readonly do: "exclusively"; readonly steps: readonly Step[]; readonly ends: "well" | "badly" };

const key: fc.Arbitrary<RecordKey> = fc.oneof(
  fc.constant(BOT),
  fc.record({ kind: fc.constantFrom("chat" as const, "user" as const), id: fc.integer({ min: 1, max: 2 }) }),
);
const writes = fc.array(fc.tuple(key, fc.option(fc.nat({ max: 999 }).map(String), { nil: undefined })), {
  maxLength: 4,
});
const read = fc.record({ do: fc.constant("read" as const), keys: fc.array(key, { maxLength: 5 }) });
const write = fc.record({ do: fc.constantFrom("commit" as const, "fail" as const), writes });
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: read, weight: 4 },
  { arbitrary: write, weight: 3 },
  { arbitrary: fc.record({ do: fc.constant("write elsewhere" as const), writes }), weight: 2 },
  {
    arbitrary: fc.record({
      do: fc.constant("exclusively" as const),
      steps: fc.array(fc.oneof(read, write), { maxLength: 5 }),
      ends: fc.constantFrom("well" as const, "badly" as const),
    }),
    weight: 1,
  },
);

/** The same history with a persistence and with a map. */
class History {
  /** What each step has found, and what it should have. */
  readonly found: unknown[] = [];
  readonly expected: unknown[] = [];
  readonly #persistence: SqlitePersistence;
  readonly #other: DatabaseSync;
  #model = new Map<string, string>();

  constructor(persistence: SqlitePersistence, other: DatabaseSync) {
    this.#persistence = persistence;
    this.#other = other;
  }

  async go(step: Step): Promise<void> {
    switch (step.do) {
      case "read":
        this.found.push(this.#persistence.read(step.keys).map((record) => record?.text));
        this.expected.push(step.keys.map((one) => this.#model.get(keyText(one))));
        break;
      case "exclusively":
        return this.#exclusively(step.steps, step.ends);
      case "fail":
        this.found.push(this.#failure(step.writes));
        this.expected.push("PERDURE_REFUSED");
        break;
      case "commit":
        await this.#persistence.commit([{ changes: step.writes.map(([written, text]) => change(written, text)) }]);
        this.#note(step.writes);
        break;
      case "write elsewhere":
        for (const [written, text] of step.writes) this.#writeElsewhere(written, text);
        this.#note(step.writes);
    }
  }

  #note(writes: Writes): void {
    for (const [written, text] of writes) {
      if (text === undefined) this.#model.delete(keyText(written));
      else this.#model.set(keyText(written), text);
    }
  }

  /** The code with which these writes fail together with one that cannot be. */
  #failure(writes: Writes): unknown {
    const broken = { key: CHAT, record: { text: "1", version: 0.5 } };
    try {
      void this.#persistence.commit([
        { changes: writes.map(([written, text]) => change(written, text)) },
        { changes: [broken] },
      ]);
      return "no failure";
    } catch (error) {
      return (error as PerdureError).code;
    }
  }

  async #exclusively(steps: readonly Step[], ends: "well" | "badly"): Promise<void> {
    const before = new Map(this.#model);
    const all = this.#persistence.exclusively(async () => {
      for (const one of steps) await this.go(one);
      if (ends === "badly") throw new Error(ends);
      return ends;
    });
    this.found.push(await all.catch((error: Error) => error.message));
    this.expected.push(ends);
    if (ends === "badly") this.#model = before;
  }

  #writeElsewhere(written: RecordKey, text: string | undefined): void {
    const table = `${written.kind}_data`;
    const id = written.kind === "bot" ? 1 : Number((written as { id: number }).id);
    if (text === undefined) this.#other.prepare(`delete from ${table} where id = ?`).run(id);
    else this.#other.prepare(`insert or replace into ${table} values (?, 0, ?)`).run(id, text);
  }
}

describe("any history", () => {
  test.each([
    ["everything is remembered", {}],
    ["little is remembered", { maxRecords: 2, maxCharacters: 5 }],
  ])("of commits, failures, other programs' writes and reads reads like a plain map, where %s", async (_, cache) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const path = join(temporaryFolder(), "bot.sqlite");
        const persistence = await openedSqlite(path, { cache, durability: "os" });
        const other = new DatabaseSync(path);
        other.exec("pragma synchronous = off");
        const history = new History(persistence, other);
        try {
          for (const one of steps) await history.go(one);
          expect(history.found).toEqual(history.expected);
        } finally {
          other.close();
          persistence.close();
        }
      }),
      { numRuns: 60 },
    );
  });
});
