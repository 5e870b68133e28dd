import { describe, expect, test } from "vitest";
import { DrivenClock, settled } from "../../test/support/driven-clock.ts";
import { BOT_KEY, keyText, type KeptRecord, type RecordKey } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import { retry } from "./retry.ts";
import { SharedRead } from "./shared-read.ts";

type Records = readonly (KeptRecord | undefined)[];

/** Reads a record that says its key, and notes which keys were asked for together. */
function setUp(answer: (keys: readonly RecordKey[], read: () => Records) => Records | Promise<Records>) {
  const clock = new DrivenClock();
  const reads: string[][] = [];
  const shared = new SharedRead({
    read: (keys) => {
      reads.push(keys.map(keyText));
      return answer(keys, () => keys.map((key) => ({ text: keyText(key), version: 0 })));
    },
    retry: (task) => retry(task, { clock, signals: [], onFailure: () => {} }),
  });
  const texts = async (...keys: RecordKey[]): Promise<(string | undefined)[]> =>
    (await shared.records(keys)).map((record) => record?.text);
  return { clock, reads, shared, texts };
}

const chat = (id: number): RecordKey => ({ kind: "chat", id });

describe("SharedRead", () => {
  test("who asks at the same time shares a read, and gets what was asked for", async () => {
    const { reads, texts } = setUp((_, read) => read());
    const late = Promise.resolve().then(() => texts(chat(3)));
    const answers = await Promise.all([texts(BOT_KEY, chat(1)), texts(chat(2), BOT_KEY), late, texts()]);
    expect(answers).toEqual([["bot", "chat:1"], ["chat:2", "bot"], ["chat:3"], []]);
    expect(reads).toEqual([["bot", "chat:1", "chat:2", "chat:3"]]);
  });

  test("who asks later has a read of their own, also while an earlier one is under way", async () => {
    const first = Promise.withResolvers<void>();
    let calls = 0;
    const { reads, texts } = setUp((_, read) => (++calls === 1 ? first.promise.then(read) : read()));
    const waiting = texts(chat(1));
    await settled();
    expect(await texts(chat(1))).toEqual(["chat:1"]);
    first.resolve();
    expect(await waiting).toEqual(["chat:1"]);
    expect(reads).toEqual([["chat:1"], ["chat:1"]]);
  });

  test("what fails for now is read again, for all of them", async () => {
    let failures = 2;
    const { clock, reads, texts } = setUp((_, read) => {
      if (failures-- > 0) throw new Error("busy");
      return read();
    });
    const answers = Promise.all([texts(chat(1)), texts(chat(2))]);
    await settled();
    await clock.advance(50);
    await clock.advance(100);
    expect(await answers).toEqual([["chat:1"], ["chat:2"]]);
    expect(reads).toEqual([1, 2, 3].map(() => ["chat:1", "chat:2"]));
  });

  test("what can never be read takes nothing else with it", async () => {
    const { texts } = setUp((keys, read) => {
      if (keys.some((key) => keyText(key) === "chat:2")) throw new PerdureError("PERDURE_REFUSED", "never");
      return read();
    });
    const answers = await Promise.allSettled([texts(chat(1)), texts(chat(2)), texts(chat(3))]);
    expect(
      answers.map((answer) => (answer.status === "fulfilled" ? answer.value : String(answer.reason.code))),
    ).toEqual([["chat:1"], "PERDURE_REFUSED", ["chat:3"]]);
  });

  test("what ends the trying ends it for all", async () => {
    const { texts } = setUp(() => {
      throw new PerdureError("PERDURE_CLOSED", "closed");
    });
    const answers = await Promise.allSettled([texts(chat(1)), texts(chat(2))]);
    expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  test("no read is shared by more than a hundred", async () => {
    const { reads, texts } = setUp((_, read) => read());
    const ids = Array.from({ length: 250 }, (_, id) => id);
    expect(await Promise.all(ids.map((id) => texts(chat(id))))).toEqual(ids.map((id) => [`chat:${id}`]));
    expect(reads.map(({ length }) => length)).toEqual([100, 100, 50]);
  });
});
