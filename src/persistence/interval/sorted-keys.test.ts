import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keyText, type RecordKey } from "../../data/record.ts";
import { SortedKeys } from "./sorted-keys.ts";

/** What comes or goes, or a page that is asked for. */
type Step =
  | { readonly do: "add" | "remove"; readonly key: RecordKey }
  | { readonly do: "page"; readonly after: RecordKey | undefined; readonly limit: number };

const chat: fc.Arbitrary<RecordKey> = fc.record({
  kind: fc.constant("chat" as const),
  id: fc.oneof(
    { arbitrary: fc.integer({ min: -12, max: 12 }), weight: 9 },
    { arbitrary: fc.maxSafeInteger(), weight: 1 },
  ),
});
const entry: fc.Arbitrary<RecordKey> = fc.record({
  kind: fc.constant("entry" as const),
  collection: fc.constantFrom("a", "b", 'a"', "a,"),
  id: fc.constantFrom("", "a", "b", '"', "ä", "\ud83d\ude00"),
});

const stepsWith = (key: fc.Arbitrary<RecordKey>): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      fc.record({ do: fc.constantFrom("add" as const, "remove" as const), key }),
      fc.record({
        do: fc.constant("page" as const),
        after: fc.option(key, { nil: undefined }),
        limit: fc.integer({ min: 1, max: 9 }),
      }),
    ),
    { maxLength: 60, size: "max" },
  );

/** Numbers as numbers, texts as texts. */
const place = (key: RecordKey): number | string => (key.kind === "chat" ? key.id : keyText(key));
const inOrder = (keys: Iterable<RecordKey>): RecordKey[] =>
  [...keys].sort((first, second) => (place(first) < place(second) ? -1 : 1));

/** Keys as their owner has them, who tells what comes and goes, and counts how many keys it was asked for. */
class Owner {
  readonly keys = new Map<string, RecordKey>();
  readonly sorted: SortedKeys;
  keysRead = 0;

  constructor(keys: Iterable<RecordKey> = []) {
    for (const key of keys) this.keys.set(keyText(key), key);
    this.sorted = new SortedKeys(() => this.#read());
  }

  add(key: RecordKey): void {
    if (this.keys.has(keyText(key))) return;
    this.keys.set(keyText(key), key);
    this.sorted.added(key);
  }

  remove(key: RecordKey): void {
    if (this.keys.delete(keyText(key))) this.sorted.removed(key);
  }

  /** Does it; of a page, tells which keys are on it, and which should be. */
  perform(step: Step): { readonly found: RecordKey[]; readonly expected: RecordKey[] } | undefined {
    if (step.do !== "page") {
      if (step.do === "add") this.add(step.key);
      else this.remove(step.key);
      return undefined;
    }
    const { after, limit } = step;
    const rest = inOrder(this.keys.values()).filter((key) => after === undefined || place(key) > place(after));
    return { found: this.sorted.page({ after, limit }), expected: rest.slice(0, limit) };
  }

  *#read(): Generator<RecordKey> {
    for (const key of this.keys.values()) {
      this.keysRead += 1;
      yield key;
    }
  }
}

describe("sorted keys", () => {
  test.each([
    ["numbers", chat],
    ["texts", entry],
  ])("whatever %s come and go, each page is that of a sorted array", (_, key) => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { selector: keyText, maxLength: 20 }), stepsWith(key), (first, steps) => {
        const owner = new Owner(first);
        const all: Step = { do: "page", after: undefined, limit: 1000 };
        const pages = [...steps, all].flatMap((step) => owner.perform(step) ?? []);
        expect(pages.map(({ found }) => found)).toEqual(pages.map(({ expected }) => expected));
      }),
      { numRuns: 200 },
    );
  });

  test("what is within one name is found among all that come and go", () => {
    fc.assert(
      fc.property(stepsWith(entry), fc.constantFrom("a", "b", 'a"', "a,", "c"), (steps, within) => {
        const owner = new Owner();
        owner.sorted.page({ limit: 1 });
        for (const step of steps) owner.perform(step);
        const expected = inOrder(owner.keys.values()).filter(
          (each) => each.kind === "entry" && each.collection === within,
        );
        expect(owner.sorted.page({ within, limit: 1000 })).toEqual(expected);
      }),
    );
  });

  test("a listing of 20 000 during which others come and go reads each key once", () => {
    const owner = new Owner(Array.from({ length: 20_000 }, (_, index) => ({ kind: "chat", id: index + 1 })));
    let listed = 0;
    for (let after: RecordKey | undefined; ;) {
      const page = owner.sorted.page({ after, limit: 100 });
      after = page.at(-1);
      if (after === undefined) break;
      listed += page.length;
      owner.add({ kind: "chat", id: -listed });
      owner.remove({ kind: "chat", id: listed });
    }
    expect(listed).toBe(20_000);
    expect(owner.keysRead).toBe(20_000);
  });
});
