import { join } from "node:path";
import { unlinkSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { changeFs } from "../../../test/support/change-fs.ts";
import { change, openedSqlite } from "../../../test/support/opened-sqlite.ts";
import { query } from "../../../test/support/read-file.ts";
import { smallDisk } from "../../../test/support/small-disk.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { pollUpdate } from "../../../test/support/updates.ts";
import { withCode } from "../../../test/support/with-code.ts";
import type { RecordKey } from "../../data/record.ts";
import type { SqlitePersistence } from "./sqlite-persistence.ts";

const BOT: RecordKey = { kind: "bot" };
const CHAT: RecordKey = { kind: "chat", id: 1 };
const texts = (persistence: SqlitePersistence): (string | undefined)[] =>
  persistence.read([BOT, CHAT]).map((record) => record?.text);

describe("exclusively", () => {
  test("everything in it becomes visible to others and durable at its end, in one", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await openedSqlite(path);
    const seen = (): unknown => [query(path, "select data from chat_data"), query(path, "select update_id from inbox")];
    const result = await persistence.exclusively(async () => {
      await persistence.commit([{ changes: [change(BOT, "1")], done: 7 }]);
      expect(persistence.accept([pollUpdate(7), pollUpdate(8)])).toEqual(["done", "accepted"]);
      await persistence.updateChatData(1, { n: 1 });
      expect(texts(persistence)).toEqual(["1", '{"n":1}']);
      expect(persistence.keys("chat", { limit: 5 })).toEqual([CHAT]);
      expect(seen()).toEqual([[], []]);
      return "result";
    });
    expect(result).toBe("result");
    expect(seen()).toEqual([[{ data: '{"n":1}' }], [{ update_id: 8 }]]);
    expect(texts(persistence)).toEqual(["1", '{"n":1}']);
    persistence.close();
  });

  test("when it rejects, nothing of it has happened: records, inbox, attempts, done marks, aliases", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await openedSqlite(path);
    persistence.accept([pollUpdate(1), pollUpdate(2)]);
    await persistence.commit([{ changes: [change(CHAT, "1")], done: 1 }]);
    const failure = new Error("not to be seen as one of SQLite");
    const all = persistence.exclusively(async () => {
      await persistence.commit([
        { changes: [change(CHAT, "2"), change(BOT, "2")], done: 2, alias: { from: 1, to: 2 } },
      ]);
      persistence.accept([pollUpdate(3)]);
      await persistence.noteAttempts(2, 5);
      expect(texts(persistence)).toEqual(["2", "2"]);
      throw failure;
    });
    await expect(all).rejects.toBe(failure);
    expect(texts(persistence)).toEqual([undefined, "1"]);
    expect(persistence.chatAliases()).toEqual([]);
    expect(persistence.openUpdates({ limit: 5 })).toMatchObject([{ updateId: 2, attempts: 1 }]);
    expect(persistence.accept([pollUpdate(1), pollUpdate(2), pollUpdate(3)])).toEqual(["done", "open", "accepted"]);
    await persistence.commit([{ changes: [], done: 2 }]);
    expect(query(path, "select first_id, last_id from done")).toEqual([{ first_id: 1, last_id: 2 }]);
    persistence.close();
  });

  test("a commit in it that is refused is left out as a whole, and the others count", async () => {
    const persistence = await openedSqlite(join(temporaryFolder(), "bot.sqlite"));
    const broken = { key: CHAT, record: { text: "1", version: 0.5 } };
    await persistence.exclusively(async () => {
      await persistence.commit([{ changes: [change(BOT, "1")], done: 1 }]);
      expect(() => persistence.commit([{ changes: [change(BOT, "2")], done: 2 }, { changes: [broken] }])).toThrow(
        withCode("PERDURE_REFUSED"),
      );
      await persistence.commit([{ changes: [change(CHAT, "3")], done: 3 }]);
    });
    expect(texts(persistence)).toEqual(["1", "3"]);
    expect(persistence.accept([pollUpdate(1), pollUpdate(2), pollUpdate(3)])).toEqual(["done", "accepted", "done"]);
    persistence.close();
  });

  test("one in another, or beside another, is a mistake in the program, which harms neither", async () => {
    const persistence = await openedSqlite(join(temporaryFolder(), "bot.sqlite"));
    let goOn = (): void => {};
    const first = persistence.exclusively(async () => {
      await persistence.commit([{ changes: [change(BOT, "1")] }]);
      await expect(persistence.exclusively(async () => {})).rejects.toThrow(TypeError);
      await new Promise<void>((resolve) => (goOn = resolve));
      await persistence.commit([{ changes: [change(CHAT, "1")] }]);
    });
    await expect(persistence.exclusively(async () => {})).rejects.toThrow(/another one runs/);
    await Promise.resolve();
    goOn();
    await first;
    await persistence.exclusively(async () => {});
    expect(texts(persistence)).toEqual(["1", "1"]);
    persistence.close();
  });

  test("what comes from elsewhere meanwhile is told to come again, and sees and joins nothing of it", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await openedSqlite(path, { durability: "disk" });
    const gate = Promise.withResolvers<void>();
    const failing = persistence.exclusively(async () => {
      persistence.accept([pollUpdate(1)]);
      await persistence.commit([{ changes: [change(CHAT, "1")] }]);
      await gate.promise;
      expect(texts(persistence)).toEqual([undefined, "1"]);
      throw new Error("no");
    });
    const busy = withCode("PERDURE_BUSY");
    expect(() => persistence.accept([pollUpdate(2)])).toThrow(busy);
    expect(() => persistence.commit([{ changes: [change(BOT, "2")], done: 7 }])).toThrow(busy);
    expect(() => persistence.noteAttempts(1, 2)).toThrow(busy);
    expect(() => texts(persistence)).toThrow(busy);
    expect(() => persistence.openUpdates({ limit: 5 })).toThrow(busy);
    await expect(persistence.updateChatData(1, {})).rejects.toThrow(busy);
    gate.resolve();
    await expect(failing).rejects.toThrow("no");
    expect(persistence.accept([pollUpdate(1), pollUpdate(2)])).toEqual(["accepted", "accepted"]);
    await persistence.sync();
    expect(texts(persistence)).toEqual([undefined, undefined]);
    persistence.close();
  });

  test("what was accepted before can be made durable meanwhile; what is a part of it cannot, before its end", async () => {
    const persistence = await openedSqlite(join(temporaryFolder(), "bot.sqlite"), { durability: "disk" });
    const gate = Promise.withResolvers<void>();
    persistence.accept([pollUpdate(1)]);
    const running = persistence.exclusively(async () => {
      persistence.accept([pollUpdate(2)]);
      expect(() => persistence.sync()).toThrow(TypeError);
      await gate.promise;
    });
    await persistence.sync();
    gate.resolve();
    await running;
    expect(persistence.sync()).toBeUndefined();
    persistence.close();
  });

  test("it resolves when it is on the disk, whichever microtask after its work another one begins in", async () => {
    const persistence = await openedSqlite(join(temporaryFolder(), "bot.sqlite"), { durability: "disk" });
    let flushes = 0;
    const flush = (): number => (flushes += 1);
    const inThread = (_descriptor: number, done: (error: null) => void): unknown =>
      setImmediate(() => {
        flush();
        done(null);
      });
    changeFs({ fdatasyncSync: flush, fdatasync: inThread });
    await persistence.sync();
    for (let ticks = 0; ticks < 20; ticks += 1) {
      flushes = 0;
      const first = persistence
        .exclusively(async () => void persistence.commit([{ changes: [change(BOT, String(ticks))] }]))
        .then(() => flushes);
      for (let tick = 0; tick < ticks; tick += 1) await undefined;
      const gate = Promise.withResolvers<void>();
      const second = persistence.exclusively(() => gate.promise).catch((error: unknown) => error);
      expect(await first).toBe(1);
      gate.resolve();
      await second;
    }
    persistence.close();
  });

  test("while another program writes, it rejects for now before its work has begun", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await openedSqlite(path);
    const other = new DatabaseSync(path, { timeout: 0 });
    other.exec("begin immediate");
    const begun: string[] = [];
    const work = async (): Promise<unknown> => begun.push("begun");
    await expect(persistence.exclusively(work)).rejects.toThrow(withCode("PERDURE_BUSY"));
    expect(begun).toEqual([]);
    other.exec("commit");
    await persistence.exclusively(async () => {
      expect(() => other.exec("begin immediate")).toThrow("locked");
    });
    other.exec("begin immediate");
    other.close();
    persistence.close();
  });

  test("closed meanwhile, it rejects, and nothing of it was kept", async () => {
    const path = join(temporaryFolder(), "bot.sqlite");
    const persistence = await openedSqlite(path);
    const all = persistence.exclusively(async () => {
      await persistence.commit([{ changes: [change(BOT, "1")] }]);
      persistence.close();
      await persistence.open({ botId: 1, now: () => 0 });
    });
    await expect(all).rejects.toThrow(withCode("PERDURE_CLOSED"));
    expect(texts(persistence)).toEqual([undefined, undefined]);
    persistence.close();
    await expect(persistence.exclusively(async () => {})).rejects.toThrow(withCode("PERDURE_CLOSED"));
  });

  test("when the disk is full, no part of it stands alone, whatever the work does then", async ({ skip }) => {
    const folder = smallDisk(1024);
    if (folder === undefined) return skip("this process may not mount a small disk");
    const path = join(folder, "bot.sqlite");
    const persistence = await openedSqlite(path);
    await persistence.commit([{ changes: [change(CHAT, '"kept"')], done: 1 }]);
    writeFileSync(join(folder, "ballast"), Buffer.alloc(400 * 1024));
    const large = JSON.stringify("x".repeat(3_000_000));
    const full = withCode("PERDURE_DISK_FULL");
    const all = persistence.exclusively(async () => {
      await persistence.commit([{ changes: [change(BOT, "1")], done: 2 }]);
      expect(() => persistence.commit([{ changes: [change(CHAT, large)] }])).toThrow(full);
      unlinkSync(join(folder, "ballast"));
      // SQLite has ended the transaction by itself: what came now would stand alone.
      expect(() => persistence.commit([{ changes: [change(CHAT, "3")] }])).toThrow(full);
      expect(() => persistence.accept([pollUpdate(3)])).toThrow(full);
      expect(() => texts(persistence)).toThrow(full);
    });
    await expect(all).rejects.toThrow(full);
    expect(texts(persistence)).toEqual([undefined, '"kept"']);
    expect(persistence.accept([pollUpdate(1), pollUpdate(2), pollUpdate(3)])).toEqual(["done", "accepted", "accepted"]);
    await persistence.commit([{ changes: [change(BOT, "4")] }]);
    expect(texts(persistence)).toEqual(["4", '"kept"']);
    persistence.close();
  });
});
