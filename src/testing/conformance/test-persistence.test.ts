import { describe, expect, test } from "vitest";
import { BROKEN_PERSISTENCES } from "../../../test/support/broken-persistences.ts";
import { PlainMemory, Shelf } from "../../../test/support/plain-memory.ts";
import { RemotePersistence } from "../../../test/support/remote-persistence.ts";
import type { RemoteServer } from "../../../test/support/remote-server.ts";
import { onRemoteServer, onShelf } from "../../../test/support/tried-persistences.ts";
import { testPersistence, type PersistenceTest } from "./test-persistence.ts";

/** What each case that fails says, by its name. */
async function failures(cases: readonly PersistenceTest[]): Promise<Map<string, Error>> {
  const errors = new Map<string, Error>();
  const all = cases.map(({ name, run }) => run().catch((error: Error) => errors.set(name, error)));
  await Promise.all(all);
  return errors;
}

const remote = onRemoteServer((server) => new RemotePersistence(server));
const plain = onShelf((shelf) => new PlainMemory(shelf));

const isSkipped = ({ skipped }: PersistenceTest): boolean => skipped !== undefined;
const reasons = (cases: readonly PersistenceTest[]): Set<string | undefined> =>
  new Set(cases.map(({ skipped }) => skipped));

describe("a class with one fault is found out by the cases that are named after it", () => {
  test.each(BROKEN_PERSISTENCES)("$fault", async ({ caughtBy, cases }) => {
    expect([...(await failures(cases)).keys()]).toEqual(expect.arrayContaining([...caughtBy]));
  });

  test("and the classes that they are made of pass every case", async () => {
    expect(await failures(testPersistence(remote))).toEqual(new Map());
    expect(await failures(testPersistence(plain))).toEqual(new Map());
  });
});

describe("a case that fails says", () => {
  async function failure(make: (shelf: Shelf) => PlainMemory, name: string): Promise<Error> {
    const found = testPersistence(onShelf(make)).find((each) => each.name.startsWith(name));
    return (await failures(found === undefined ? [] : [found])).get(found?.name ?? "") as Error;
  }

  test("what it was about, what was expected, what was seen, and which sentence of the contract this breaks", async () => {
    class NeverDrops extends PlainMemory {
      override dropChatData(): void {}
    }
    const error = await failure((shelf) => new NeverDrops(shelf), "chat data: dropped is gone");
    expect(error.message.split("\n")).toEqual([
      "chat data: dropped is gone, not null (PTB 15, 45)",
      "  getChatData() after dropChatData(2)",
      "  expected: Map(2) { 1 => { id: 1 }, 3 => { id: 3 } }",
      "  seen:     Map(3) { 1 => { id: 1 }, 2 => { id: 2 }, 3 => { id: 3 } }",
      "  contract: A dropped record, or a conversation whose new state is `null`, is not there when it is loaded again.",
    ]);
  });

  test("with which error a method rejected that should not, and keeps it as cause", async () => {
    const refusal = new Error("no room for bots");
    class RefusesBots extends PlainMemory {
      override updateBotData(): void {
        throw refusal;
      }
    }
    const error = await failure((shelf) => new RefusesBots(shelf), "bot data: comes back");
    expect(error.message).toContain("unexpected Error: no room for bots");
    expect(error.cause).toBe(refusal);
  });
});

describe("cases that cannot be tried", () => {
  test("of a plain class are those of commits, and nothing else", () => {
    const cases = testPersistence(plain);
    expect(reasons(cases)).toEqual(new Set([undefined, "needs an AtomicPersistence"]));
    expect(cases.find(isSkipped)?.name).toBe("after close everything but close is refused with PERDURE_CLOSED");
  });

  test("of a shared class with all hooks are those of an owner, and the other way round", () => {
    const shared = testPersistence(remote).filter(isSkipped);
    expect(shared.map(({ name, skipped }) => [name, skipped])).toEqual([
      [
        "a second opening of one place is refused, and the first goes on, where it is not shared",
        "is about persistences without abilities.shared",
      ],
    ]);
    const owned = testPersistence({ ...remote, abilities: { ...ALL, shared: false } }).filter(isSkipped);
    expect(reasons(owned)).toEqual(new Set(["needs abilities.shared"]));
    expect(owned[0]?.name).toMatch("several may be open on one place");
  });

  test("are told with the hook, the ability or the values that they need", () => {
    const { place, make } = plain;
    expect(reasons(testPersistence({ place, make, abilities: "plain", values: "json" }))).toEqual(
      new Set([
        undefined,
        'values is "json"',
        "needs an AtomicPersistence",
        "needs the hook snapshot",
        "needs the hook breakReading",
        "needs the hook breakWriting",
      ]),
    );
    const nothing = { ...ALL, atomic: false, durable: "no" } as const;
    expect(reasons(testPersistence({ ...remote, abilities: nothing }))).toEqual(
      new Set([undefined, 'needs abilities.durable other than "no"', "needs abilities.atomic"]),
    );
  });

  test("do nothing when they are run all the same", async () => {
    let places = 0;
    const place = (): Shelf => ((places += 1), new Shelf());
    await failures(testPersistence({ ...plain, place }).filter(isSkipped));
    expect(places).toBe(0);
  });
});

const ALL = { atomic: true, durable: "disk", shared: true, lazy: true } as const;

test("names are unique", () => {
  const names = testPersistence(plain).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test("each case has a place of its own, and gives back each place and each snapshot once, also when it fails", async () => {
  class NeverDrops extends PlainMemory {
    override dropChatData(): void {}
  }
  const given: Shelf[] = [];
  const givenBack: Shelf[] = [];
  const cases = testPersistence<Shelf>({
    ...plain,
    make: (shelf) => new NeverDrops(shelf),
    place: async () => given[given.push(new Shelf()) - 1] as Shelf,
    snapshot: async () => given[given.push(new Shelf()) - 1] as Shelf,
    dispose: async (shelf) => void givenBack.push(shelf),
  });
  const failed = await failures(cases);
  expect(failed.size).toBeGreaterThan(0);
  expect(given.length).toBeGreaterThan(cases.filter((each) => !isSkipped(each)).length);
  expect(new Set(givenBack)).toEqual(new Set(given));
  expect(givenBack).toHaveLength(given.length);
});

test("a case closes what it has opened before it gives the place back", async () => {
  const open = new Map<RemoteServer, number>();
  const count = (server: RemoteServer, by: number): unknown => open.set(server, (open.get(server) ?? 0) + by);
  class Counted extends RemotePersistence {
    readonly #server: RemoteServer;
    #isOpen = false;

    constructor(server: RemoteServer) {
      super(server);
      this.#server = server;
    }

    override async open(options: Parameters<RemotePersistence["open"]>[0]): Promise<void> {
      await super.open(options);
      this.#isOpen = true;
      count(this.#server, 1);
    }

    override async close(): Promise<void> {
      await super.close();
      if (this.#isOpen) count(this.#server, -1);
      this.#isOpen = false;
    }
  }
  const left: number[] = [];
  const options = { ...remote, make: (server: RemoteServer) => new Counted(server) };
  const dispose = (server: RemoteServer): void => void left.push(open.get(server) ?? 0);
  await failures(testPersistence({ ...options, dispose }));
  expect(new Set(left)).toEqual(new Set([0]));
});
