import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { JsonFolderPersistence } from "../examples/json-folder-persistence.ts";
import type { Abilities } from "../src/persistence/atomic-persistence.ts";
import type { BasePersistence } from "../src/persistence/base-persistence.ts";
import { DictPersistence } from "../src/persistence/dict/dict-persistence.ts";
import { IntervalPersistence } from "../src/persistence/interval/interval-persistence.ts";
import { PicklePersistence } from "../src/persistence/pickle/pickle-persistence.ts";
import { SqlitePersistence } from "../src/persistence/sqlite/sqlite-persistence.ts";
import {
  StorageAdapterPersistence,
  type KeyedStorage,
} from "../src/persistence/storage-adapter/storage-adapter-persistence.ts";
import { testPersistence, type TestPersistenceOptions } from "../src/testing/index.ts";
import { PlainMemory, type Shelf } from "./support/plain-memory.ts";
import { RemotePersistence } from "./support/remote-persistence.ts";
import { RemoteServer } from "./support/remote-server.ts";
import { onRemoteServer, onShelf } from "./support/tried-persistences.ts";

/** Runs the suite. Which cases a class cannot be tried with, and why, stands in the output, in one line for each reason. */
function conforms<Place>(options: TestPersistenceOptions<Place>): void {
  const cases = testPersistence(options);
  for (const { name, run } of cases.filter(({ skipped }) => skipped === undefined)) {
    test(`${name}`, async () => {
      await expect(run()).resolves.toBeUndefined();
    });
  }
  const left = new Map<string, number>();
  for (const { skipped } of cases) if (skipped !== undefined) left.set(skipped, (left.get(skipped) ?? 0) + 1);
  for (const [reason, count] of left)
    console.log(`${count} of ${cases.length} cases are left out for a class: ${reason}`);
}

describe("SqlitePersistence", () => {
  for (const durability of ["disk", "os"] as const) {
    describe(`durability: "${durability}"`, () => {
      conforms({
        place: () => mkdtempSync(join(tmpdir(), "perdure-")),
        make: (folder) => new SqlitePersistence({ path: join(folder, "bot.sqlite"), durability }),
        abilities: { atomic: true, durable: durability, shared: false, lazy: true },
        snapshot: copyOfTheFile,
        breakReading: overwriteTheFile,
        breakWriting: holdTheFile,
        dispose: (folder) => rmSync(folder, { recursive: true }),
      });
    });
  }
});

/** The file and its log, without the lock, which ends with the process. */
function copyOfTheFile(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), "perdure-"));
  for (const name of ["bot.sqlite", "bot.sqlite-wal"]) {
    if (existsSync(join(folder, name))) cpSync(join(folder, name), join(copy, name));
  }
  return copy;
}

function overwriteTheFile(folder: string): () => void {
  const path = join(folder, "bot.sqlite");
  const content = readFileSync(path);
  writeFileSync(path, Buffer.alloc(content.length, 0xab), { flag: "r+" });
  return () => writeFileSync(path, content, { flag: "r+" });
}

function holdTheFile(folder: string): () => void {
  const other = new DatabaseSync(join(folder, "bot.sqlite"));
  other.exec("begin immediate");
  return () => other.close();
}

describe("an asynchronous backend that several processes share", () => {
  conforms(onRemoteServer((server) => new RemotePersistence(server)));
});

test("the asynchronous backend reads what is asked for in one turn with one request", async () => {
  const server = new RemoteServer();
  const persistence = new RemotePersistence(server);
  await persistence.open({ botId: 1, now: () => 0 });
  const [bot, user] = [{ kind: "bot" }, { kind: "user", id: 1 }] as const;
  await persistence.commit([{ changes: [{ key: user, record: { text: "{}", version: 1 } }] }]);
  const before = server.requests;
  const found = await Promise.all([persistence.read([bot, user]), persistence.read([user])]);
  expect(found).toEqual([[undefined, { text: "{}", version: 1 }], [{ text: "{}", version: 1 }]]);
  expect(server.requests - before).toBe(1);
});

describe("an asynchronous backend that one process has for itself", () => {
  const abilities: Abilities = { atomic: true, durable: "disk", shared: false, lazy: true };
  conforms(onRemoteServer((server) => new RemotePersistence(server, { shared: false }), abilities));
});

describe("somebody's plain class", () => {
  conforms(onShelf((shelf) => new PlainMemory(shelf)));
});

describe("DictPersistence, whose texts somebody stores", () => {
  conforms({
    place: (): { last?: DictPersistence } => ({}),
    make: (place) => (place.last = copyOf(place.last)),
    abilities: "plain",
    values: "json",
  });
});

function copyOf(last: DictPersistence | undefined): DictPersistence {
  if (last === undefined) return new DictPersistence();
  const { userDataJson, chatDataJson, botDataJson, conversationsJson, callbackDataJson } = last;
  const texts = { userDataJson, chatDataJson, botDataJson, conversationsJson, callbackDataJson };
  const given = Object.entries(texts).filter(([, text]) => text !== "null");
  return new DictPersistence(Object.fromEntries(given));
}

/** A file that is written at this moment may get its final name meanwhile. */
function copyIfThere(from: string, to: string): void {
  try {
    copyFileSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

describe("PicklePersistence", () => {
  for (const singleFile of [true, false]) {
    describe(`singleFile: ${singleFile}`, () => {
      conforms({
        place: () => mkdtempSync(join(tmpdir(), "perdure-")),
        make: (folder) => new PicklePersistence({ filepath: join(folder, "bot.pickle"), singleFile }),
        abilities: "plain",
        values: "json",
        snapshot: copyOfTheFolder,
        breakReading: overwriteTheFiles,
        dispose: (folder) => rmSync(folder, { recursive: true }),
      });
    });
  }
});

/** Without the lock, which ends with the process. Somebody may be writing: where a file gets another name meanwhile, once more. */
function copyOfTheFolder(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), "perdure-"));
  try {
    cpSync(folder, copy, { recursive: true, filter: (name) => !name.endsWith("-lock") });
    return copy;
  } catch (error) {
    rmSync(copy, { recursive: true });
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return copyOfTheFolder(folder);
    throw error;
  }
}

function overwriteTheFiles(folder: string): () => void {
  const names = readdirSync(folder).filter((name) => !name.endsWith("-lock"));
  const files = names.map((name) => join(folder, name));
  const contents = files.map((file) => readFileSync(file));
  for (const file of files) writeFileSync(file, "no pickle");
  return () => files.forEach((file, index) => writeFileSync(file, contents[index] ?? ""));
}

describe("the example of the documentation, a folder of JSON files", () => {
  conforms({
    place: () => mkdtempSync(join(tmpdir(), "perdure-")),
    make: (folder) => new JsonFolderPersistence({ folder }),
    abilities: "plain",
    snapshot: (folder) => {
      const copy = mkdtempSync(join(tmpdir(), "perdure-"));
      for (const name of readdirSync(folder)) copyIfThere(join(folder, name), join(copy, name));
      return copy;
    },
    breakReading: (folder) => {
      const files = readdirSync(folder).map((name) => join(folder, name));
      const contents = files.map((file) => readFileSync(file));
      for (const file of files) writeFileSync(file, "no JSON");
      return () => files.forEach((file, index) => writeFileSync(file, contents[index] ?? ""));
    },
    dispose: (folder) => rmSync(folder, { recursive: true }),
  });
});

describe("StorageAdapterPersistence", () => {
  conforms(onShelf((shelf) => new StorageAdapterPersistence({ storage: storageOn(shelf) })));
});

/** A storage adapter as grammY's are: asynchronous, and what it is given becomes JSON. */
function storageOn(shelf: Shelf): KeyedStorage {
  return {
    read: async (key) => {
      if (shelf.readingFails) throw shelf.readingFails;
      const text = shelf.texts.get(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
    write: async (key, value) => {
      if (shelf.writingFails) throw shelf.writingFails;
      shelf.texts.set(key, JSON.stringify(value));
    },
    delete: async (key) => {
      if (shelf.writingFails) throw shelf.writingFails;
      shelf.texts.delete(key);
    },
    readAllKeys: () => {
      if (shelf.readingFails) throw shelf.readingFails;
      return shelf.texts.keys();
    },
  };
}

describe("IntervalPersistence", () => {
  const inInterval = (plain: BasePersistence): IntervalPersistence =>
    new IntervalPersistence(plain, { clock: { now: () => 0, after: () => () => {} }, onError: () => {} });
  const abilities: Abilities = { atomic: false, durable: "no", shared: false, lazy: false };

  describe("of somebody's plain class", () => {
    conforms({ ...onShelf((shelf) => inInterval(new PlainMemory(shelf))), abilities });
  });

  describe("of a class that loads record by record", () => {
    const make = (shelf: Shelf): BasePersistence =>
      inInterval(new StorageAdapterPersistence({ storage: storageOn(shelf) }));
    conforms({ ...onShelf(make), abilities: { ...abilities, lazy: true } });
  });
});
