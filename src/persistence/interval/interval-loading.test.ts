import { expect, test } from "vitest";
import { DrivenClock, settled } from "../../../test/support/driven-clock.ts";
import { withCode } from "../../../test/support/with-code.ts";
import type { RecordChange } from "../../data/record.ts";
import { StorageAdapterPersistence } from "../storage-adapter/storage-adapter-persistence.ts";
import { IntervalPersistence } from "./interval-persistence.ts";

const chat = (id: number) => ({ kind: "chat", id }) as const;
const put = (id: number, n: number): RecordChange => ({ key: chat(id), record: { text: `{"n":${n}}`, version: 0 } });

/** A class that loads record by record from a storage, whose reading of one key a test can hold up. */
async function opened(content: Record<string, string> = {}) {
  const values = new Map<string, unknown>();
  for (const [key, text] of Object.entries(content)) values.set(key, { perdure: 1, text });
  const held = new Map<string, Promise<void>>();
  const storage = {
    async read(key: string) {
      const value = values.get(key);
      await held.get(key);
      return value as never;
    },
    write: (key: string, value: unknown) => void values.set(key, value),
    delete: (key: string) => void values.delete(key),
  };
  const plain = new StorageAdapterPersistence({ storage });
  const interval = new IntervalPersistence(plain, { clock: new DrivenClock(), onError() {} });
  await interval.open({ botId: 1, now: () => 0 });
  return { interval, held };
}

test("a load that ends after its record was changed, written and pushed out of memory gives the record as it is", async () => {
  const { interval, held } = await opened({ chat_1: '{"n":1}' });
  const gate = Promise.withResolvers<void>();
  held.set("chat_1", gate.promise);
  const reading = interval.read([chat(1)]);
  await settled();
  await interval.commit([{ changes: [put(1, 2)] }]);
  await interval.write();
  for (let id = 2; id <= 10_002; id += 1) await interval.read([chat(id)]);
  gate.resolve();
  expect(await reading).toEqual([{ text: '{"n":2}', version: 0 }]);
});

test("what was changed in exclusive work that failed is loaded as it was", async () => {
  const { interval } = await opened({ chat_1: '{"n":1}' });
  for (const changes of [[put(1, 1)], [put(1, 2), put(1, 1)]]) {
    const working = interval.exclusively(async () => {
      for (const change of changes) await interval.commit([{ changes: [change] }]);
      throw new Error("changed my mind");
    });
    await expect(working).rejects.toThrow("changed my mind");
    expect(await interval.read([chat(1)])).toEqual([{ text: '{"n":1}', version: 0 }]);
  }
});

test("damaged conversations are refused for good, when read and when listed", async () => {
  const { interval } = await opened({ conversation_order: "{broken" });
  const reading = async () => interval.read([{ kind: "conversation", name: "order", id: [1] }]);
  const listing = async () => interval.keys("conversation", { within: "order", limit: 1 });
  await expect(reading()).rejects.toThrow(withCode("PERDURE_REFUSED"));
  await expect(listing()).rejects.toThrow(withCode("PERDURE_REFUSED"));
});

test("a handler's conversations that do not load hold up no writing and no end", async () => {
  const { interval, held } = await opened();
  held.set("conversation_order", new Promise(() => {}));
  void interval.read([{ kind: "conversation", name: "order", id: [1] }]);
  await settled();
  await interval.commit([{ changes: [put(1, 2)] }]);
  let hasEnded = false;
  const closing = Promise.resolve(interval.close()).then(() => (hasEnded = true));
  await settled();
  expect(hasEnded).toBe(true);
  await closing;
});
