import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
  closeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { Child } from "../../../test/support/child.ts";
import { failFlushes } from "../../../test/support/fail-flushes.ts";
import { smallDisk } from "../../../test/support/small-disk.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { pollUpdate } from "../../../test/support/updates.ts";
import { withCode } from "../../../test/support/with-code.ts";
import type { RecordChange, RecordKey } from "../../data/record.ts";
import { SqlitePersistence } from "./sqlite-persistence.ts";

const HOLD_FILE = new URL("../../../test/support/hold-file.ts", import.meta.url).pathname;

async function opened(path: string, botId = 1, now: () => number = () => 0): Promise<SqlitePersistence> {
  const persistence = new SqlitePersistence({ path, ownerTimeout: 0 });
  await persistence.open({ botId, now });
  return persistence;
}

const chat = (id: number, text: string): RecordChange => ({ key: { kind: "chat", id }, record: { text, version: 0 } });

describe("records", () => {
  test("what was committed is there after reopening, and a dropped record is not", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const first = await opened(path);
    await first.commit([{ changes: [chat(1, '{"a":1}'), chat(2, '{"b":2}')] }]);
    await first.commit([{ changes: [{ key: { kind: "bot" }, record: { text: "[]", version: 3 } }] }]);
    await first.commit([{ changes: [{ key: { kind: "chat", id: 2 }, record: undefined }] }]);
    first.close();
    const second = await opened(path);
    const keys = [{ kind: "chat", id: 1 }, { kind: "chat", id: 2 }, { kind: "bot" }, { kind: "user", id: 1 }] as const;
    expect(second.read(keys)).toEqual([
      { text: '{"a":1}', version: 0 },
      undefined,
      { text: "[]", version: 3 },
      undefined,
    ]);
    second.close();
  });

  test("a person can query them while the bot runs", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await opened(path);
    await persistence.commit([
      { changes: [{ key: { kind: "user", id: 42 }, record: { text: '{"name":"Ann"}', version: 0 } }] },
    ]);
    const reader = new DatabaseSync(path, { readOnly: true });
    expect(reader.prepare("select id, data->>'name' as name from user_data").all()).toEqual([{ id: 42, name: "Ann" }]);
    reader.close();
    persistence.close();
  });

  test("a commit of which one part is refused changes nothing", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await opened(path);
    persistence.accept([pollUpdate(5)]);
    const broken = { key: { kind: "chat", id: 2 }, record: { text: 5 as never, version: "x" as never } } as const;
    expect(() => persistence.commit([{ changes: [chat(1, "1")], done: 5 }, { changes: [broken] }])).toThrow(
      withCode("PERDURE_REFUSED"),
    );
    expect(persistence.read([{ kind: "chat", id: 1 }])).toEqual([undefined]);
    expect(persistence.accept([pollUpdate(5)])).toEqual(["open"]);
    persistence.close();
  });

  test("while another program writes, a commit is refused for now and reads go on", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await opened(path);
    await persistence.commit([{ changes: [chat(1, "1")] }]);
    const other = new DatabaseSync(path);
    other.exec("begin immediate");
    expect(() => persistence.commit([{ changes: [chat(1, "2")] }])).toThrow(withCode("PERDURE_BUSY"));
    expect(persistence.read([{ kind: "chat", id: 1 }])).toEqual([{ text: "1", version: 0 }]);
    other.exec("rollback");
    await persistence.commit([{ changes: [chat(1, "2")] }]);
    expect(persistence.read([{ kind: "chat", id: 1 }])).toEqual([{ text: "2", version: 0 }]);
    other.close();
    persistence.close();
  });

  test("closed, it says so", async () => {
    const persistence = await opened(join(temporaryFolder(), "bot.sqlite"));
    persistence.close();
    persistence.close();
    expect(() => persistence.read([{ kind: "bot" }])).toThrow(withCode("PERDURE_CLOSED"));
    expect(() => persistence.commit([])).toThrow(withCode("PERDURE_CLOSED"));
    expect(() => persistence.accept([])).toThrow(withCode("PERDURE_CLOSED"));
  });
});

describe("the inbox", () => {
  test("keeps updates in order of arrival until they are done, over a restart", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const first = await opened(path);
    expect(first.accept([pollUpdate(900), pollUpdate(5), pollUpdate(900)])).toEqual(["accepted", "accepted", "open"]);
    first.close();
    const second = await opened(path);
    expect(second.accept([pollUpdate(6), pollUpdate(5)])).toEqual(["accepted", "open"]);
    const open = second.openUpdates({ limit: 10 });
    expect(open.map((entry) => entry.updateId)).toEqual([900, 5, 6]);
    expect(second.openUpdates({ limit: 2, after: open[0]?.arrival }).map((entry) => entry.update)).toEqual([
      pollUpdate(5),
      pollUpdate(6),
    ]);
    await second.commit([{ changes: [], done: 5 }]);
    expect(second.openUpdates({ limit: 10 }).map((entry) => entry.updateId)).toEqual([900, 6]);
    second.close();
  });

  test("a done update is recognised for 25 hours, over a restart", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    let now = 1_000_000;
    const first = await opened(path, 1, () => now);
    first.accept([pollUpdate(1), pollUpdate(2)]);
    await first.commit([
      { changes: [], done: 1 },
      { changes: [], done: 2 },
    ]);
    first.close();
    now += 25 * 60 * 60 * 1000;
    const second = await opened(path, 1, () => now);
    expect(second.accept([pollUpdate(1), pollUpdate(2), pollUpdate(3)])).toEqual(["done", "done", "accepted"]);
    now += 1;
    await second.commit([{ changes: [], done: 3 }]);
    expect(second.accept([pollUpdate(1)])).toEqual(["accepted"]);
    second.close();
  });

  test("another bot's inbox and done marks are neither seen nor touched", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const first = await opened(path, 1);
    first.accept([pollUpdate(1), pollUpdate(2)]);
    await first.commit([{ changes: [], done: 1 }]);
    first.close();
    const other = await opened(path, 2);
    expect(other.openUpdates({ limit: 10 })).toEqual([]);
    expect(other.accept([pollUpdate(1), pollUpdate(2)])).toEqual(["accepted", "accepted"]);
    await other.commit([{ changes: [], done: 2 }]);
    other.close();
    const again = await opened(path, 1);
    expect(again.openUpdates({ limit: 10 }).map((entry) => entry.updateId)).toEqual([2]);
    expect(again.accept([pollUpdate(1)])).toEqual(["done"]);
    again.close();
  });
});

describe("one bot per file", () => {
  test("a second process is refused and told who owns it, and gets in after kill -9", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const owner = new Child(HOLD_FILE, [path, "keep"]);
    await owner.line("open");
    await expect(opened(path)).rejects.toThrow(withCode("PERDURE_OWNED"));
    await expect(opened(path)).rejects.toThrow(`process ${owner.process.pid} on `);
    const reader = new DatabaseSync(path, { readOnly: true });
    expect(reader.prepare("select count(*) as n from chat_data").get()).toEqual({ n: 0 });
    reader.close();
    await owner.kill();
    (await opened(path)).close();
  });

  test("the same process is refused as well, through a link too, and keeps its lock over the refusal", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "bot.sqlite");
    const persistence = await opened(path);
    symlinkSync(path, join(folder, "link.sqlite"));
    await expect(opened(path)).rejects.toThrow(withCode("PERDURE_OWNED"));
    await expect(opened(join(folder, "link.sqlite"))).rejects.toThrow(withCode("PERDURE_OWNED"));
    await expect(persistence.open({ botId: 1, now: Date.now })).rejects.toThrow(withCode("PERDURE_OWNED"));
    const second = new Child(HOLD_FILE, [path]);
    await second.line("PERDURE_OWNED");
    persistence.close();
    (await opened(path)).close();
  });

  test("a starting bot waits for its predecessor", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const predecessor = await opened(path);
    const successor = new SqlitePersistence({ path, ownerTimeout: "20s" });
    const opening = successor.open({ botId: 1, now: Date.now });
    predecessor.close();
    await opening;
    expect(successor.read([{ kind: "bot" }])).toEqual([undefined]);
    successor.close();
  });
});

describe("files that are not to be touched", () => {
  /** Opens what must be refused, and checks that the file has the same bytes afterwards. */
  async function refused(path: string, code: string): Promise<void> {
    const before = readFileSync(path);
    await expect(opened(path)).rejects.toThrow(withCode(code));
    await expect(opened(path)).rejects.toThrow(path);
    expect(readFileSync(path).equals(before)).toBe(true);
  }

  async function filled(): Promise<string> {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await opened(path);
    const text = JSON.stringify({ filler: "x".repeat(500) });
    await persistence.commit(Array.from({ length: 200 }, (_, id) => ({ changes: [chat(id, text)] })));
    persistence.close();
    return path;
  }

  test("a newer format", async () => {
    const path = await filled();
    const database = new DatabaseSync(path);
    database.exec("pragma user_version = 99");
    database.close();
    await refused(path, "PERDURE_NEWER_FORMAT");
  });

  test("another program's database", async () => {
    const path = join(temporaryFolder(), "other.sqlite");
    const database = new DatabaseSync(path);
    database.exec("create table t (x)");
    database.close();
    await refused(path, "PERDURE_FOREIGN_FILE");
  });

  test("no database", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    writeFileSync(path, "these are the shopping lists of everybody\n".repeat(100));
    await refused(path, "PERDURE_CORRUPT");
  });

  test("an empty file", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    writeFileSync(path, "");
    await refused(path, "PERDURE_EMPTY_FILE");
  });

  test("a file that was cut off", async () => {
    for (const keep of [50, 3000, 0.5]) {
      const path = await filled();
      truncateSync(path, keep < 1 ? Math.floor(statSync(path).size * keep) : keep);
      await refused(path, "PERDURE_CORRUPT");
    }
  });

  test("overwritten pages: found at once, or when a record is read, and never taken for an absent record", async () => {
    const path = await filled();
    const { size } = statSync(path);
    const descriptor = openSync(path, "r+");
    // The tables' first pages are whole, so that opening finds nothing wrong.
    for (let offset = 24 * 4096; offset < size; offset += 4096)
      writeSync(descriptor, Buffer.alloc(4096, 0xab), 0, 4096, offset);
    closeSync(descriptor);
    const persistence = await opened(path);
    expect(() => Array.from({ length: 200 }, (_, id) => persistence.read([{ kind: "chat", id }]))).toThrow(
      withCode("PERDURE_CORRUPT"),
    );
    persistence.close();
  });

  test("a log without its file", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "bot.sqlite");
    writeFileSync(`${path}-wal`, "old log");
    await expect(opened(path)).rejects.toThrow(withCode("PERDURE_CANNOT_OPEN"));
    expect(readdirSync(folder)).toEqual(["bot.sqlite-wal"]);
  });

  test("a folder, a missing folder", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "inner"));
    await expect(opened(join(folder, "inner"))).rejects.toThrow(withCode("PERDURE_CANNOT_OPEN"));
    await expect(opened(join(folder, "missing", "bot.sqlite"))).rejects.toThrow(/folder .*missing does not exist/);
    expect(readdirSync(folder)).toEqual(["inner"]);
  });

  test("a read-only folder and a read-only file, for a process without special rights", async ({ skip }) => {
    const isRoot = process.getuid?.() === 0;
    const nobody = 65534;
    const folder = temporaryFolder();
    const path = join(folder, "bot.sqlite");
    (await opened(path)).close();
    unlinkSync(`${path}-lock`);
    if (isRoot) for (const each of [folder, path]) chownSync(each, nobody, nobody);
    const tryToOpen = async (): Promise<string> => {
      const child = new Child(HOLD_FILE, [path], isRoot ? { uid: nobody, gid: nobody } : {});
      const { code } = await child.exited;
      skip(code !== 0, `a process of user ${nobody} could not run here: ${child.errors.join(" ")}`);
      return child.lines.join("\n");
    };
    expect(await tryToOpen()).toBe("open");
    unlinkSync(`${path}-lock`);
    const before = readFileSync(path);
    chmodSync(folder, 0o555);
    expect(await tryToOpen()).toMatch(/^PERDURE_READ_ONLY: /);
    expect(readdirSync(folder)).toEqual(["bot.sqlite"]);
    chmodSync(folder, 0o755);
    chmodSync(path, 0o444);
    expect(await tryToOpen()).toMatch(/^PERDURE_READ_ONLY: /);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe("a full disk", () => {
  test("while committing: the old data stands, and committing goes on when there is room", async ({ skip }) => {
    const folder = smallDisk(1024);
    if (folder === undefined) return skip("this process may not mount a small disk");
    const path = join(folder, "bot.sqlite");
    const persistence = await opened(path);
    await persistence.commit([{ changes: [chat(1, '"kept"')] }]);
    const ballast = join(folder, "ballast");
    writeFileSync(ballast, Buffer.alloc(400 * 1024));
    const large = JSON.stringify("x".repeat(700 * 1024));
    persistence.accept([pollUpdate(1)]);
    const commit = () => persistence.commit([{ changes: [chat(1, large), chat(2, large)], done: 1 }]);
    expect(commit).toThrow(withCode("PERDURE_DISK_FULL"));
    expect(persistence.read([{ kind: "chat", id: 1 }])).toEqual([{ text: '"kept"', version: 0 }]);
    expect(persistence.accept([pollUpdate(1)])).toEqual(["open"]);
    unlinkSync(ballast);
    await persistence.commit([{ changes: [chat(1, '"new"')], done: 1 }]);
    persistence.close();
    const again = await opened(path);
    expect(again.read([{ kind: "chat", id: 1 }])).toEqual([{ text: '"new"', version: 0 }]);
    expect(again.accept([pollUpdate(1)])).toEqual(["done"]);
    again.close();
  });

  test("while creating: nothing is left that the next start would stumble over", async ({ skip }) => {
    const folder = smallDisk(64);
    if (folder === undefined) return skip("this process may not mount a small disk");
    const path = join(folder, "bot.sqlite");
    writeFileSync(join(folder, "ballast"), Buffer.alloc(36 * 1024));
    await expect(opened(path)).rejects.toThrow(withCode("PERDURE_DISK_FULL"));
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder)).not.toContain("bot.sqlite-new");
    unlinkSync(join(folder, "ballast"));
    // 64 kB do not hold a database and its log either; but what was there before is not in the way.
    await expect(opened(path)).rejects.toThrow(withCode("PERDURE_DISK_FULL"));
  });
});

describe("a flush that fails", () => {
  test.each([
    ["EIO", "PERDURE_IO"],
    ["ENOSPC", "PERDURE_DISK_FULL"],
  ] as const)("with %s is told with %s, and may work later", async (code, ours) => {
    const persistence = await opened(join(temporaryFolder(), "bot.sqlite"));
    const mend = failFlushes(code);
    persistence.accept([pollUpdate(1)]);
    await expect(persistence.sync()).rejects.toThrow(withCode(ours));
    mend();
    await persistence.sync();
    persistence.close();
  });

  test("is no commit, and nothing is written before the log is on the disk; the same again is one", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await opened(path);
    persistence.accept([pollUpdate(1)]);
    const mend = failFlushes("EIO");
    const unit = { changes: [chat(1, '"new"')], done: 1 };
    await expect(persistence.commit([unit])).rejects.toThrow(withCode("PERDURE_IO"));
    expect(() => persistence.commit([unit])).toThrow(withCode("PERDURE_IO"));
    expect(() => persistence.accept([pollUpdate(2)])).toThrow(withCode("PERDURE_IO"));
    mend();
    const other = new DatabaseSync(path);
    other.exec("begin immediate");
    expect(() => persistence.commit([unit])).toThrow(withCode("PERDURE_BUSY"));
    other.exec("rollback; begin; select * from chat_data");
    await persistence.commit([unit]);
    other.close();
    expect(persistence.accept([pollUpdate(1), pollUpdate(2)])).toEqual(["done", "accepted"]);
    persistence.close();
  });

  test("of an exclusive transaction leaves the next one alone", async () => {
    const persistence = await opened(join(temporaryFolder(), "bot.sqlite"));
    await persistence.sync();
    const mend = failFlushes("EIO");
    const first = persistence.exclusively(async () => void persistence.commit([{ changes: [chat(1, '"first"')] }]));
    await expect(first).rejects.toThrow(withCode("PERDURE_IO"));
    mend();
    await persistence.exclusively(async () => void persistence.commit([{ changes: [chat(2, '"second"')] }]));
    const keys = [1, 2].map((id) => ({ kind: "chat", id }) as const);
    expect(persistence.read(keys).map((record) => record?.text)).toEqual(['"first"', '"second"']);
    persistence.close();
  });

  test("while closing is told to who waits", async () => {
    const persistence = await opened(join(temporaryFolder(), "bot.sqlite"));
    persistence.accept([pollUpdate(1)]);
    const waiting = Promise.resolve(persistence.sync());
    failFlushes("EIO");
    persistence.close();
    await expect(waiting).rejects.toThrow(withCode("PERDURE_IO"));
  });

  test('is none with durability "os", which does not flush', async () => {
    failFlushes("EIO");
    const persistence = new SqlitePersistence({ path: join(temporaryFolder(), "bot.sqlite"), durability: "os" });
    await persistence.open({ botId: 1, now: () => 0 });
    persistence.accept([pollUpdate(1)]);
    expect(persistence.sync()).toBeUndefined();
    expect(persistence.commit([{ changes: [chat(1, "1")], done: 1 }])).toBeUndefined();
    persistence.close();
  });
});

describe("options", () => {
  test("wrong ones are refused", () => {
    const make = (options: object) => () => new SqlitePersistence(options as never);
    expect(make({})).toThrow(withCode("PERDURE_INVALID_OPTION"));
    expect(make({ path: ":memory:" })).toThrow(withCode("PERDURE_INVALID_OPTION"));
    expect(make({ path: "x", durability: "none" })).toThrow(withCode("PERDURE_INVALID_OPTION"));
    expect(make({ path: "x", ownerTimeout: "soon" })).toThrow(/ownerTimeout is "soon"/);
    expect(make({ path: "x", cache: { maxRecords: 0 } })).toThrow(withCode("PERDURE_INVALID_OPTION"));
    expect(make({ path: "x", cache: { maxCharacters: 1.5 } })).toThrow(/cache\.maxCharacters is 1\.5/);
  });

  test.each([
    ["maxRecords", 10_000_000],
    ["maxCharacters", 1_000_000_000],
  ])("cache.%s is a whole number from 1 to %i", (option, most) => {
    const make = (value: number) => () => new SqlitePersistence({ path: "x", cache: { [option]: value } });
    for (const wrong of [0, -1, 1.5, most + 1, Number.MAX_SAFE_INTEGER, Infinity, NaN, "9" as never]) {
      expect(make(wrong)).toThrow(withCode("PERDURE_INVALID_OPTION"));
      expect(make(wrong)).toThrow(`cache.${option} is ${JSON.stringify(wrong)}: a whole number from 1 to ${most}.`);
    }
    for (const right of [1, most, undefined as never]) expect(make(right)).not.toThrow();
  });

  test("the smallest cache is one to work with", async () => {
    const persistence = new SqlitePersistence({
      path: join(temporaryFolder(), "bot.sqlite"),
      cache: { maxRecords: 1, maxCharacters: 1 },
    });
    await persistence.open({ botId: 1, now: () => 0 });
    await persistence.commit([{ changes: [chat(1, '{"a":1}'), chat(2, "2")] }]);
    const read = (): unknown => persistence.read([chat(1, "").key, chat(2, "").key]);
    expect(read()).toEqual([
      { text: '{"a":1}', version: 0 },
      { text: "2", version: 0 },
    ]);
    expect(read()).toEqual([
      { text: '{"a":1}', version: 0 },
      { text: "2", version: 0 },
    ]);
    persistence.close();
  });

  test("1, 2: which data is kept is all of it, but for what storeData says; it cannot be assigned", () => {
    const { storeData } = new SqlitePersistence({ path: "x", storeData: { chatData: false } });
    expect(storeData).toEqual({ botData: true, chatData: false, userData: true, callbackData: true });
    expect(() => Object.assign(storeData, { chatData: true })).toThrow(TypeError);
  });

  test("durability says what it promises, and is what SQLite was told", () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    expect(new SqlitePersistence({ path }).abilities).toEqual({
      atomic: true,
      durable: "disk",
      shared: false,
      lazy: true,
    });
    expect(new SqlitePersistence({ path, durability: "os" }).abilities.durable).toBe("os");
  });
});

/** What a program of this repository does with a persistence at `path`, as text for `node -e`. */
const scriptWith = (work: string): string[] => [
  "--input-type=module",
  "--eval",
  `import { SqlitePersistence } from ${JSON.stringify(new URL("./sqlite-persistence.ts", import.meta.url).href)};
   const [path, durability] = process.argv.slice(1);
   const persistence = new SqlitePersistence({ path, durability, ownerTimeout: 0 });
   await persistence.open({ botId: 1, now: Date.now });
   ${work}`,
];

describe("what another connection does meanwhile", () => {
  test.each([2, 250])("%i records that are read together are of one moment", async (count) => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await opened(path);
    await persistence.commit(Array.from({ length: count }, (_, id) => ({ changes: [chat(id, "0")] })));
    const other = new DatabaseSync(path);
    const change = other.prepare("update chat_data set data = cast(data + 1 as text)");
    // Other people commit whenever this one is looked at.
    const restless: RecordKey = {
      id: count - 1,
      get kind() {
        change.run();
        return "chat" as const;
      },
    };
    const others = Array.from({ length: count - 1 }, (_, id): RecordKey => ({ kind: "chat", id }));
    const records = persistence.read([...others, restless]);
    expect(records).toHaveLength(count);
    expect(new Set(records.map((record) => record?.text)).size).toBe(1);
    expect(persistence.read([{ kind: "chat", id: 0 }])).not.toEqual([{ text: "0", version: 0 }]);
    other.close();
    persistence.close();
  });

  test("a transaction that writes shuts other writers out from its beginning: what it has read still holds", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    let intrude = (): void => {};
    const persistence = await opened(path, 1, () => {
      intrude();
      return 0;
    });
    persistence.accept([pollUpdate(1)]);
    await persistence.commit([{ changes: [], done: 1 }]);
    const broken = { key: { kind: "chat", id: 2 }, record: { text: 5 as never, version: "x" as never } } as const;
    // After a transaction that failed, the next one reads the done marks anew.
    expect(() => persistence.commit([{ changes: [broken] }])).toThrow(withCode("PERDURE_REFUSED"));
    const other = new DatabaseSync(path);
    const refusals: unknown[] = [];
    intrude = () => {
      try {
        other.exec("insert into chat_alias select 1 + count(*), 0 from chat_alias");
      } catch (error) {
        refusals.push(error);
      }
    };
    expect(persistence.accept([pollUpdate(1), pollUpdate(2)])).toEqual(["done", "accepted"]);
    expect(refusals).toEqual([expect.objectContaining({ errcode: 5 }), expect.objectContaining({ errcode: 5 })]);
    other.close();
    persistence.close();
  });

  test("while another program writes, every writing call fails at once instead of blocking the event loop", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await opened(path);
    const other = new DatabaseSync(path);
    other.exec("begin immediate");
    const began = performance.now();
    expect(() => persistence.commit([{ changes: [chat(1, "1")] }])).toThrow(withCode("PERDURE_BUSY"));
    expect(performance.now() - began).toBeLessThan(500);
    other.close();
    persistence.close();
  });

  test("a copy that was made by `vacuum into`, which has no log, is used with one again", async () => {
    const folder = temporaryFolder();
    (await opened(join(folder, "bot.sqlite"))).close();
    const original = new DatabaseSync(join(folder, "bot.sqlite"));
    original.exec(`vacuum into '${join(folder, "copy.sqlite")}'`);
    original.close();
    (await opened(join(folder, "copy.sqlite"))).close();
    const copy = new DatabaseSync(join(folder, "copy.sqlite"), { readOnly: true });
    expect(copy.prepare("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
    copy.close();
  });
});

describe("done updates", () => {
  test("are forgotten in the file too, 25 hours later, with the next update that is done", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    let now = 1_000_000;
    const persistence = await opened(path, 1, () => now);
    await persistence.commit([
      { changes: [], done: 1 },
      { changes: [], done: 100 },
    ]);
    now += 25 * 60 * 60 * 1000 + 1;
    await persistence.commit([{ changes: [], done: 1000 }]);
    const reader = new DatabaseSync(path, { readOnly: true });
    expect(reader.prepare("select first_id, last_id from done").all()).toEqual([{ first_id: 1000, last_id: 1000 }]);
    reader.close();
    persistence.close();
  });

  test("ids that start anew after a silent week, within a range of old ones, are new", async () => {
    let now = 1_000_000;
    const persistence = await opened(join(temporaryFolder(), "bot.sqlite"), 1, () => now);
    await persistence.commit(Array.from({ length: 10 }, (_, index) => ({ changes: [], done: 100 + index })));
    now += 8 * 24 * 60 * 60 * 1000;
    expect(persistence.accept([pollUpdate(105)])).toEqual(["accepted"]);
    persistence.close();
  });
});

describe("done updates that are moved", () => {
  const HOUR = 60 * 60 * 1000;

  test("are done there as well, for as long as here, over a restart, and are out of the inbox", async () => {
    let now = 30 * HOUR;
    const from = await opened(join(temporaryFolder(), "from.sqlite"), 1, () => now);
    await from.commit([1, 2, 3, 50].map((done) => ({ changes: [], done })));
    now += HOUR;
    await from.commit([{ changes: [], done: 4 }]);
    const path = join(temporaryFolder(), "to.sqlite");
    const to = await opened(path, 1, () => now);
    to.accept([pollUpdate(2), pollUpdate(9)]);
    await to.commit([{ changes: [], done: 100, doneUpdates: from.doneUpdates() }]);
    from.close();
    to.close();
    const again = await opened(path, 1, () => now);
    expect(again.openUpdates({ limit: 10 }).map((entry) => entry.updateId)).toEqual([9]);
    const acceptances = again.accept([1, 2, 3, 4, 50, 100, 5].map(pollUpdate));
    expect(acceptances).toEqual(["done", "done", "done", "done", "done", "done", "accepted"]);
    now += 24 * HOUR + 1;
    expect(again.accept([3, 4, 50].map(pollUpdate))).toEqual(["accepted", "done", "accepted"]);
    expect(again.doneUpdates().map(({ first, last }) => [first, last])).toEqual([
      [4, 4],
      [100, 100],
    ]);
    again.close();
  });

  test("take no open update away that has the id of one that is forgotten", async () => {
    let now = 0;
    const persistence = await opened(join(temporaryFolder(), "bot.sqlite"), 1, () => now);
    now += 25 * HOUR + 1;
    persistence.accept([pollUpdate(3)]);
    await persistence.commit([{ changes: [], doneUpdates: [{ first: 1, last: 5, since: 0, until: 0 }] }]);
    expect(persistence.openUpdates({ limit: 5 }).map((entry) => entry.updateId)).toEqual([3]);
    expect(persistence.doneUpdates()).toEqual([]);
    persistence.close();
  });

  test("belong to the bot, and a range that is none refuses the whole commit", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const first = await opened(path, 1);
    await first.commit([{ changes: [], doneUpdates: [{ first: 1, last: 5, since: 0, until: 0 }] }]);
    const wrong = [{ first: 9, last: 8, since: 0, until: 0 }];
    expect(() => first.commit([{ changes: [chat(1, "1")], doneUpdates: wrong }])).toThrow(withCode("PERDURE_REFUSED"));
    expect(first.read([{ kind: "chat", id: 1 }])).toEqual([undefined]);
    first.close();
    const second = await opened(path, 2);
    expect(second.doneUpdates()).toEqual([]);
    expect(second.accept([pollUpdate(3)])).toEqual(["accepted"]);
    second.close();
  });
});

describe("creating a file", () => {
  test("a link to nothing is refused, and nothing is created in its place or behind it", async () => {
    const folder = temporaryFolder();
    symlinkSync(join(folder, "elsewhere.sqlite"), join(folder, "bot.sqlite"));
    await expect(opened(join(folder, "bot.sqlite"))).rejects.toThrow(withCode("PERDURE_CANNOT_OPEN"));
    expect(readdirSync(folder)).toEqual(["bot.sqlite"]);
  });

  test("killed whenever it waits for the disk, it leaves what the next start opens", async ({ skip }) => {
    if (spawnSync("strace", ["-V"]).error !== undefined) return skip("strace is not installed");
    /** Creates a file, and is killed in the nth call that waits for the disk, if there are so many. */
    async function create(call: number): Promise<boolean> {
      const path = join(temporaryFolder(), "bot.sqlite");
      const kill = `inject=fsync,fdatasync:signal=SIGKILL:when=${call}`;
      const command = [process.execPath, ...scriptWith("process.exit(0);"), path, "disk"];
      const child = spawn("strace", ["-f", "--seccomp-bpf", "-o", "/dev/null", "-e", kill, ...command]);
      const [code, signal] = (await once(child, "close")) as [number | null, string | null];
      const killed = signal === "SIGKILL" || code === 137;
      skip(!killed && code !== 0, "strace does not work here");
      (await opened(path)).close();
      expect(readdirSync(dirname(path)).toSorted()).toEqual(["bot.sqlite", "bot.sqlite-lock"]);
      return killed;
    }
    const killed = await Promise.all(Array.from({ length: 16 }, (_, index) => create(index + 1)));
    expect([killed[4], killed.at(-1)]).toEqual([true, false]);
  });
});

describe("durability", () => {
  /** How often 20 commits have waited for the disk to have the log, which is folded into the file in one of them. */
  function syncs(durability: string): number | string {
    const folder = temporaryFolder();
    const log = join(folder, "trace");
    const work = `
      for (let id = 1; id <= 20; id += 1) {
        const text = JSON.stringify("x".repeat(id === 10 ? 1_000_000 : 1));
        await persistence.commit([{ changes: [{ key: { kind: "chat", id }, record: { text, version: 0 } }], done: id }]);
      }
      process.kill(process.pid, "SIGKILL");`;
    const command = [process.execPath, ...scriptWith(work), join(folder, "bot.sqlite"), durability];
    const { stderr } = spawnSync("strace", ["-f", "-y", "-e", "trace=fsync,fdatasync", "-o", log, ...command], {
      encoding: "utf8",
    });
    if (!existsSync(log)) return stderr;
    return readFileSync(log, "utf8").match(/sync\(.*bot\.sqlite-wal/g)?.length ?? 0;
  }

  test('"disk" waits for the disk in every commit, "os" when the log is folded into the file', ({ skip }) => {
    if (spawnSync("strace", ["-V"]).error !== undefined) return skip("strace is not installed");
    const disk = syncs("disk");
    if (typeof disk === "string") return skip(`strace does not work here: ${disk}`);
    expect(disk).toBeGreaterThanOrEqual(20);
    const os = syncs("os");
    expect(os).toBeGreaterThanOrEqual(1);
    expect(os).toBeLessThan(5);
  });
});
