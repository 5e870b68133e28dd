import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { comparableOfTagged, comparableOfValue } from "../../../test/support/tagged-python.ts";
import { PythonGlobal } from "../../data/python/python-global.ts";
import { PythonObject } from "../../data/python/python-object.ts";
import { PickleContent } from "./pickle-content.ts";
import { PickleDataError } from "./pickle-data-error.ts";
import { ToJavaScript } from "./python/to-javascript.ts";
import { readPickle } from "./reader/read-pickle.ts";
import { writePickle } from "./writer/write-pickle.ts";

/** What the fixtures' README describes. */
interface Expectation {
  readonly layout: string;
  readonly decode: { readonly ok: boolean | null; readonly or_generic_object?: boolean };
  readonly root?: unknown;
  readonly structure_error?: boolean;
  readonly must_not_execute?: string;
}

const folder = fileURLToPath(new URL("fixtures/", import.meta.url));
const names = readdirSync(folder).filter((name) => !name.endsWith(".json") && !name.endsWith(".md"));
const bytesOf = (name: string): Buffer => readFileSync(folder + name);
const expectationOf = (name: string): Expectation =>
  JSON.parse(readFileSync(`${folder}${name}.expected.json`, "utf8")) as Expectation;

class Bot {}
const bot = new Bot();
const live = { nameOf: (object: object) => (object === bot ? "bot" : undefined), get: () => bot };

const valueOf = (description: unknown): unknown => new ToJavaScript({ live }).value(description, "value");

/** As a persistence reads it: with the bot of version 13 in its place. */
function readAsContent(bytes: Buffer, layout: string): unknown {
  const root = readPickle(bytes);
  if (layout === "single" && root instanceof Map) void new PickleContent(root);
  return root;
}

const wellFormed = names.filter((name) => expectationOf(name).root !== undefined && !name.startsWith("p32"));
const broken = names.filter((name) => expectationOf(name).decode.ok === false);

describe("files of python-telegram-bot", () => {
  test("are all here", () => {
    expect(wellFormed.length).toBeGreaterThan(40);
    expect(broken.length).toBeGreaterThan(15);
  });

  test.each(wellFormed)("%s is read as its expectation says", (name) => {
    const { layout, root } = expectationOf(name);
    const value = valueOf(readAsContent(bytesOf(name), layout));
    expect(comparableOfValue(value, bot)).toEqual(comparableOfTagged(root));
  });

  test.each(wellFormed)("%s is the same when it was written and read again", (name) => {
    const description = readPickle(bytesOf(name));
    const again = readPickle(writePickle(description));
    expect(isDeepStrictEqual(again, description)).toBe(true);
    expect(writePickle(again)).toEqual(writePickle(description));
  });

  test("a large one: 10 000 users and chats", () => {
    const { users, chats, conversations } = new PickleContent(
      readPickle(bytesOf("p14_large.pickle")) as Map<string, unknown>,
    );
    expect([users.size, chats.size, [...conversations.of("big")].length]).toEqual([10_000, 10_000, 1000]);
    expect(valueOf(users.get(1_001_001))).toEqual({ n: 92, name: "u7007" });
    expect(valueOf(chats.get(-1_000_000_029_997))).toEqual({ c: 9999, on: false });
  });

  test("39: what was one object stays one, in circles too", () => {
    const { users, chats } = new PickleContent(readPickle(bytesOf("p05_refs.pickle")) as Map<string, unknown>);
    interface Refs {
      x: unknown[];
      y: unknown[];
      inner: object;
      self_dict: { me: object };
      player: PythonObject;
      set_twice: object[];
      equal_not_same: object[];
    }
    const data = valueOf(users.get(1)) as Refs;
    expect(data.y).toBe(data.x);
    expect(data.x[1]).toBe(data.inner);
    expect(data.self_dict.me).toBe(data.self_dict);
    const friends = data.player.get("friends") as [PythonObject, { self: object }];
    expect(friends[0]).toBe(data.player);
    expect(friends[1].self).toBe(data.player);
    expect(data.set_twice[1]).toBe(data.set_twice[0]);
    expect(data.equal_not_same[1]).not.toBe(data.equal_not_same[0]);
    expect((chats.get(-100) as Map<string, unknown>).get("copy")).toBe(users.get(1));
  });
});

describe("broken files", () => {
  const structures = broken.filter((name) => expectationOf(name).structure_error === true);
  const damaged = broken.filter(
    (name) => !structures.includes(name) && expectationOf(name).must_not_execute === undefined,
  );

  test.each(damaged)("%s is no pickle", (name) => {
    expect(() => readPickle(bytesOf(name))).toThrow(PickleDataError);
  });

  test("32: every prefix of a file is refused, and none hangs", () => {
    for (const name of ["p01_flow.pickle", "p13_protocol0.pickle", "p13_protocol2.pickle"]) {
      const bytes = bytesOf(name);
      for (let length = 0; length < bytes.length; length += 31)
        expect(() => readPickle(bytes.subarray(0, length))).toThrow(PickleDataError);
    }
  });

  test("bytes that are changed give a value or an error of ours, and nothing else", () => {
    for (const name of ["p03_scalars.pickle", "p07_objects.pickle", "p13_protocol0.pickle"]) {
      const bytes = bytesOf(name);
      for (let at = 0; at < bytes.length; at += 17) {
        const changed = Buffer.from(bytes);
        changed[at] = ((changed[at] ?? 0) * 31 + 17) & 0xff;
        expect(outcomeOf(() => readPickle(changed))).toMatch(/^(value|PickleDataError)$/);
      }
    }
  });

  function outcomeOf(read: () => unknown): string {
    try {
      read();
      return "value";
    } catch (error) {
      return (error as Error).name;
    }
  }
});

describe("hostile files", () => {
  const hostile = names.filter((name) => expectationOf(name).must_not_execute !== undefined);

  test.each(hostile)("62: %s calls nothing: it is the description of a call", (name) => {
    const command = expectationOf(name).must_not_execute ?? "";
    const marker = command.replace("touch ", "");
    rmSync(marker, { force: true });
    const calls: string[] = [];
    collectCalls(readPickle(bytesOf(name)), calls);
    expect(calls.length).toBeGreaterThan(0);
    expect(existsSync(marker)).toBe(false);
  });

  function collectCalls(value: unknown, calls: string[]): void {
    if (value instanceof PythonObject && value.called && value.from instanceof PythonGlobal) calls.push(value.name);
    if (value instanceof Map) for (const part of value.values()) collectCalls(part, calls);
  }

  test("keys of prototypes are keys", () => {
    const { users } = new PickleContent(readPickle(bytesOf("p31_proto_pollution.pickle")) as Map<string, unknown>);
    const data = valueOf(users.get(1)) as Record<string, unknown>;
    expect(Object.keys(data)).toContain("__proto__");
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(({} as { polluted2?: unknown }).polluted2).toBeUndefined();
  });

  test("10^11 references are a small graph, also when it is made and written", () => {
    const description = readPickle(bytesOf("p32_billion_laughs.pickle")) as unknown[];
    let value = valueOf(description) as unknown[];
    for (let depth = 0; depth < 11; depth += 1) {
      expect(new Set(value).size).toBeLessThanOrEqual(1);
      value = value[0] as unknown[];
    }
    expect(writePickle(description).length).toBeLessThan(1000);
  });

  test("a length of 2^60 bytes is refused without making room for it", () => {
    expect(() => readPickle(bytesOf("p32_huge_length.pickle"))).toThrow("truncated");
  });

  test("200 000 levels are read and written, and refused as a value, without exhausting the stack", () => {
    const levels = 200_000;
    const bytes = Buffer.concat([Buffer.alloc(levels, "]"), Buffer.alloc(levels - 1, "a"), Buffer.from(".")]);
    const description = readPickle(bytes);
    expect(writePickle(description).length).toBeGreaterThan(levels);
    expect(() => valueOf(description)).toThrow("nested deeper than 1000 levels");
  });

  test("memory: memo numbers and marks take no more than the file has", () => {
    expect(readPickle(Buffer.from("\x80\x02Nr\xff\xff\xff\xff.", "latin1"))).toBeNull();
    expect(() => readPickle(Buffer.from(`L${"9".repeat(5000)}\n.`))).toThrow("too many digits");
  });
});
