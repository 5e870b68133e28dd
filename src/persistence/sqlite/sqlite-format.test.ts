import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { change, openedSqlite } from "../../../test/support/opened-sqlite.ts";
import { query } from "../../../test/support/read-file.ts";
import { smallDisk } from "../../../test/support/small-disk.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { withCode } from "../../../test/support/with-code.ts";

/** A file as version 0.1.0 has written it. */
const FORMAT_1 = `
  pragma journal_mode = wal;
  pragma application_id = ${0x50_72_64_72};
  pragma user_version = 1;
  create table bot_data (id integer primary key check (id = 1), version integer not null, data text not null) strict;
  create table chat_data (id integer primary key, version integer not null, data text not null) strict;
  create table user_data (id integer primary key, version integer not null, data text not null) strict;
  create table inbox (
    arrival integer primary key,
    bot_id integer not null,
    update_id integer not null,
    accepted_at integer not null,
    attempts integer not null,
    "update" text not null,
    unique (bot_id, update_id)
  ) strict;
  create table failed (
    bot_id integer not null,
    update_id integer not null,
    attempts integer not null,
    failed_at integer not null,
    "update" text not null
  ) strict;
  create table chat_alias (old_id integer primary key, new_id integer not null) strict;
  create table done (
    bot_id integer not null,
    first_id integer not null,
    last_id integer not null,
    since integer not null,
    until integer not null,
    primary key (bot_id, first_id)
  ) strict, without rowid;
  insert into bot_data values (1, 2, '"bot"');
  insert into chat_data values (-5, 1, '"chat"'), (5, 0, '"other"');
  insert into user_data values (42, 0, '"user"');
  insert into inbox values (3, 1, 77, 0, 2, '{"update_id":77}'), (4, 2, 78, 0, 1, '{"update_id":78}');
  insert into failed values (1, 70, 3, 1000, '{"update_id":70}');
  insert into chat_alias values (-1, -100);
  insert into done values (1, 60, 69, 0, 0);
`;

function format1(folder = temporaryFolder()): string {
  const path = join(folder, "bot.sqlite");
  const database = new DatabaseSync(path);
  database.exec(FORMAT_1);
  database.close();
  return path;
}

const formatOf = (path: string): unknown => query(path, "pragma user_version")[0]?.["user_version"];
const tables = (path: string): unknown[] =>
  query(path, "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name").map(
    (row) => row["name"],
  );
const NEW_TABLES = ["callback_query", "conversation", "entry", "job", "keyboard"];

/** That everything is there which a file of format 1 has held. */
async function expectAll(path: string): Promise<void> {
  const persistence = await openedSqlite(path);
  const keys = [
    { kind: "bot" },
    { kind: "chat", id: -5 },
    { kind: "chat", id: 5 },
    { kind: "user", id: 42 },
    { kind: "job", id: "j" },
  ] as const;
  expect(persistence.read(keys)).toEqual([
    { text: '"bot"', version: 2 },
    { text: '"chat"', version: 1 },
    { text: '"other"', version: 0 },
    { text: '"user"', version: 0 },
    undefined,
  ]);
  expect(persistence.openUpdates({ limit: 5 })).toEqual([
    { arrival: 3, updateId: 77, attempts: 2, update: { update_id: 77 } },
  ]);
  expect(persistence.failedUpdates()).toEqual([{ update: { update_id: 70 }, attempts: 3, failedAt: 1000 }]);
  expect(persistence.chatAliases()).toEqual([{ from: -1, to: -100 }]);
  expect(persistence.doneUpdates()).toEqual([{ first: 60, last: 69, since: 0, until: 0 }]);
  persistence.close();
}

describe("a file of format 1", () => {
  test("is brought up to format 4 when it is opened, with all that is in it", async () => {
    const path = format1();
    await expectAll(path);
    expect(formatOf(path)).toBe(4);
    const persistence = await openedSqlite(path);
    const job = { key: { kind: "job", id: "j" }, record: { text: "1", version: 0, time: 5 } } as const;
    await persistence.commit([{ changes: [job, change({ kind: "conversation", name: "a", id: [1] }, "1")] }]);
    expect(persistence.read([job.key])).toEqual([job.record]);
    persistence.close();
    expect(query(path, "select count(*) as n from conversation")).toEqual([{ n: 1 }]);
  });

  test("has its open updates in order of arrival then, and what comes is behind them", async () => {
    const path = format1();
    const database = new DatabaseSync(path);
    database.exec(
      `insert into inbox values (7, 1, 50, 5, 1, '{"update_id":50}'), (5, 1, 90, 6, 3, '{"update_id":90}')`,
    );
    database.close();
    const persistence = await openedSqlite(path);
    expect(persistence.accept([{ update_id: 40 }, { update_id: 90 }])).toEqual(["accepted", "open"]);
    const open = persistence.openUpdates({ limit: 10 });
    expect(open.map(({ updateId, attempts }) => [updateId, attempts])).toEqual([
      [77, 2],
      [90, 3],
      [50, 1],
      [40, 1],
    ]);
    expect(persistence.openUpdates({ after: open[1]?.arrival, limit: 1 })).toEqual([open[2]]);
    persistence.close();
    expect(query(path, "select update_id, accepted_at from inbox where bot_id = 1 and update_id < 78")).toEqual([
      { update_id: 40, accepted_at: expect.any(Number) },
      { update_id: 50, accepted_at: 5 },
      { update_id: 77, accepted_at: 0 },
    ]);
    const again = await openedSqlite(path);
    await again.commit([40, 50, 77].map((done) => ({ changes: [], done })));
    expect(again.accept([{ update_id: 30 }])).toEqual(["accepted"]);
    expect(again.openUpdates({ limit: 10 }).map(({ updateId }) => updateId)).toEqual([90, 30]);
    again.close();
  });

  test("has the same tables and indexes then as a new file", async () => {
    const old = format1();
    const fresh = join(temporaryFolder(), "bot.sqlite");
    for (const path of [old, fresh]) (await openedSqlite(path)).close();
    const schema = (path: string): unknown[] =>
      query(path, "select type, name, sql from sqlite_schema order by type, name").map(({ type, name, sql }) => [
        type,
        name,
        String(sql)
          .replaceAll(/\s+/g, " ")
          .replaceAll(/ ?([()]) ?/g, "$1"),
      ]);
    expect(schema(old)).toEqual(schema(fresh));
    expect(tables(fresh)).toEqual(expect.arrayContaining(NEW_TABLES));
  });

  test("stays one when the step to format 3 fails, with all that is in it, until nothing is in the way", async () => {
    const path = format1();
    const other = new DatabaseSync(path);
    other.exec("create table job (mine)");
    await expect(openedSqlite(path)).rejects.toThrow(/Cannot open .*table job already exists/);
    expect(formatOf(path)).toBe(1);
    expect(tables(path).filter((name) => NEW_TABLES.includes(String(name)))).toEqual(["job"]);
    other.exec("drop table job");
    other.close();
    await expectAll(path);
  });

  test("stays one as long as another program writes to it", async () => {
    const path = format1();
    const other = new DatabaseSync(path);
    other.exec("begin immediate");
    await expect(openedSqlite(path)).rejects.toThrow(withCode("PERDURE_BUSY"));
    expect(formatOf(path)).toBe(1);
    other.close();
    await expectAll(path);
  });

  test("stays one when the disk is full", async ({ skip }) => {
    const folder = smallDisk(512);
    if (folder === undefined) return skip("this process may not mount a small disk");
    const path = format1(folder);
    const size = 512 - Math.ceil(readFileSync(path).length / 1024) - 72;
    writeFileSync(join(folder, "ballast"), Buffer.alloc(size * 1024));
    await expect(openedSqlite(path)).rejects.toThrow(withCode("PERDURE_DISK_FULL"));
    writeFileSync(join(folder, "ballast"), "");
    expect(formatOf(path)).toBe(1);
    await expectAll(path);
  });

  test("killed whenever it writes to the file or waits for the disk, it is of one format or the other", async ({
    skip,
  }) => {
    if (spawnSync("strace", ["-V"]).error !== undefined) return skip("strace is not installed");
    const module = new URL("./sqlite-persistence.ts", import.meta.url).href;
    const script = `
      import { SqlitePersistence } from ${JSON.stringify(module)};
      await new SqlitePersistence({ path: process.argv[1] }).open({ botId: 1, now: () => 0 });
      process.exit(0);`;
    /** Opens a file of format 1 and is killed in the nth call of these, if there are so many. What format is it then? */
    async function formatWhenKilled(calls: string, nth: number): Promise<[killed: boolean, format: unknown]> {
      const path = format1();
      const kill = `inject=${calls}:signal=SIGKILL:when=${nth}`;
      const command = [process.execPath, "--input-type=module", "--eval", script, path];
      const child = spawn("strace", [
        "-f",
        "--seccomp-bpf",
        "-o",
        "/dev/null",
        "-P",
        path,
        "-P",
        `${path}-wal`,
        "-e",
        kill,
        ...command,
      ]);
      const [code, signal] = (await once(child, "close")) as [number | null, string | null];
      const killed = signal === "SIGKILL" || code === 137;
      skip(!killed && code !== 0, "strace does not work here");
      const format = formatOf(path);
      expect(tables(path).filter((name) => NEW_TABLES.includes(String(name)))).toEqual(format === 1 ? [] : NEW_TABLES);
      await expectAll(path);
      return [killed, format];
    }
    const nths = [1, 2, 3, 4, 6, 9, 14, 20, 40, 160];
    const ends: [boolean, unknown][] = [];
    for (const nth of nths) ends.push(await formatWhenKilled("pwrite64,fdatasync,fsync", nth));
    expect(ends[0]).toEqual([true, 1]);
    expect(ends.at(-1)).toEqual([false, 4]);
  });
});

test("a file that says that it has no format is not taken for a new one", async () => {
  const path = format1();
  const database = new DatabaseSync(path);
  database.exec("pragma user_version = 0");
  database.close();
  await expect(openedSqlite(path)).rejects.toThrow(withCode("PERDURE_CORRUPT"));
  expect(formatOf(path)).toBe(0);
});
