import { InlineKeyboard } from "grammy";
import { describe, expect, test } from "vitest";
import { DrivenClock, settled } from "../../test/support/driven-clock.ts";
import { makeEngine } from "../../test/support/made-engine.ts";
import { newSqlite } from "../../test/support/new-sqlite.ts";
import { withCode } from "../../test/support/with-code.ts";
import type { KeyOf } from "../data/record.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { PerdureError } from "../errors.ts";
import type { AtomicPersistence } from "../persistence/atomic-persistence.ts";
import { CallbackData, type MessageWithKeyboard } from "./callback-data.ts";
import { dataButton } from "./data-button.ts";
import { InvalidCallbackData } from "./invalid-callback-data.ts";
import type { Limits } from "./kept-limits.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Setting {
  readonly persistence: AtomicPersistence;
  readonly clock: DrivenClock;
  readonly callbackData: CallbackData;
  readonly reported: unknown[];
  /** Sends a keyboard of one button in a unit of work, and gives the button's data. */
  readonly send: (value: unknown) => Promise<string>;
  /** Presses a button in a unit of work, and gives its value. */
  readonly press: (data: string) => Promise<unknown>;
  /** The values of a message's buttons. */
  readonly read: (message: MessageWithKeyboard) => Promise<(readonly unknown[])[]>;
  /** The values of all keyboards that are kept, in the order of their last use. */
  readonly kept: () => Promise<unknown[]>;
}

async function start(limits: Partial<Limits> = {}): Promise<Setting> {
  const { engine, persistence, clock } = await makeEngine(newSqlite(), { clock: new DrivenClock({ turns: 1 }) });
  const reported: unknown[] = [];
  const callbackData = new CallbackData(
    { most: 100, ttl: 90 * DAY, ...limits },
    {
      botId: () => 1,
      now: () => clock.now(),
      isOpen: () => true,
      engine: async () => engine,
      current: () => engine.current,
      join: (name, work) => engine.join(name, {}, work),
      report: (error) => void reported.push(error),
    },
  );
  return {
    persistence,
    clock,
    callbackData,
    reported,
    async send(value) {
      let data = "";
      await clock.advance(1);
      await engine.transaction({}, (unit) => sendIn(callbackData, unit, value, (sent) => (data = sent)));
      await callbackData.idle();
      return data;
    },
    async press(data) {
      const value = await engine.transaction({}, async (unit) => (await callbackData.press(unit, data))?.value);
      await callbackData.idle();
      return value;
    },
    read: (message) => engine.transaction({}, (unit) => callbackData.valuesIn(unit, message)),
    async kept() {
      const records = await persistence.earliest("keyboard", { until: Number.MAX_SAFE_INTEGER, limit: 10_000 });
      return records.map(({ record }) => Object.values(JSON.parse(record.text) as object)[0] as unknown);
    },
  };
}

let nextMessage = 1;

async function sendIn(
  callbackData: CallbackData,
  unit: UnitOfWork,
  value: unknown,
  sent: (data: string) => unknown,
): Promise<void> {
  const payload = { chat_id: 5, text: "x", reply_markup: new InlineKeyboard().add(dataButton("x", value)) };
  await callbackData.send("sendMessage", payload, { within: unit.reference }, async ({ reply_markup: markup }) => {
    sent(
      (JSON.parse(JSON.stringify(markup)) as { inline_keyboard: [[{ callback_data: string }]] }).inline_keyboard[0][0]
        .callback_data,
    );
    return { ok: true, result: { message_id: nextMessage++, chat: { id: 5 } } };
  });
}

describe("the limits", () => {
  test("169: of too many the least recently used ones go, a use within the hour not counting", async () => {
    const { clock, send, press, kept } = await start({ most: 3 });
    const first = await send("first");
    await clock.advance(MINUTE);
    await send("second");
    await clock.advance(MINUTE);
    await send("third");
    await clock.advance(HOUR);
    expect(await press(first)).toBe("first");
    await send("fourth");
    expect(await kept()).toEqual(["third", "first", "fourth"]);
    await clock.advance(HOUR - 2);
    await press(first);
    await send("fifth");
    await send("sixth");
    expect(await kept()).toEqual(["fourth", "fifth", "sixth"]);
    expect(await press(first)).toBeInstanceOf(InvalidCallbackData);
  });

  test("177: reading everything, as a copy does, is no use of it", async () => {
    const { clock, persistence, send, kept } = await start({ most: 2 });
    await send("first");
    await clock.advance(HOUR);
    await send("second");
    await persistence.getCallbackData();
    await send("third");
    expect(await kept()).toEqual(["second", "third"]);
  });

  test("of many a hundredth goes together", async () => {
    const { send, kept } = await start({ most: 200 });
    for (let n = 0; n <= 200; n += 1) await send(n);
    expect(await kept()).toEqual(Array.from({ length: 198 }, (_, n) => n + 3));
  });

  test("what was not used for the ttl is invalid at once, and removed within an hour of use of others", async () => {
    const { clock, send, press, read, kept } = await start({ ttl: DAY });
    const unseen = await send("unseen");
    const old = await send("old");
    await clock.advance(DAY - 2);
    expect(await press(old)).toBe("old");
    await clock.advance(1);
    expect(await press(unseen)).toBeInstanceOf(InvalidCallbackData);
    expect(await kept()).toEqual(["old"]);
    await clock.advance(DAY - 1);
    const markup = { inline_keyboard: [[{ text: "x", callback_data: old }]] };
    expect(await read({ reply_markup: markup, from: { id: 1 } })).toEqual([[expect.any(InvalidCallbackData)]]);
    const other = await send("other");
    expect(await kept()).toEqual(["other"]);
    expect(await press(old)).toBeInstanceOf(InvalidCallbackData);
    expect(await press(other)).toBe("other");
  });

  test("what is remembered of messages has them too", async () => {
    const { clock, send, persistence } = await start({ most: 3, ttl: DAY });
    for (const value of ["a", "b", "c", "d", "e"]) await send(value);
    expect(await persistence.keys("callbackQuery", { limit: 10 })).toHaveLength(3);
    await clock.advance(DAY);
    await send("f");
    expect(await persistence.keys("callbackQuery", { limit: 10 })).toHaveLength(1);
  });

  test("176: of those that came from PTB the least recently used ones go, whatever their order", async () => {
    const { persistence, send, kept, clock } = await start({ most: 3 });
    const times = [3, 1, 4, 2];
    await persistence.updateCallbackData([times.map((n) => [uuid4(n), clock.now() / 1000 - n, { [uuid4(9)]: n }]), {}]);
    await send("new");
    expect(await kept()).toEqual([2, 1, "new"]);
  });

  test("nothing is counted, listed or removed before the first keyboard is sent or pressed", async () => {
    const { persistence, clock } = await start();
    const asked: unknown[] = [];
    for (const method of ["keys", "earliest"] as const) {
      const original = persistence[method].bind(persistence) as (...args: never[]) => unknown;
      persistence[method] = ((...args: never[]) => {
        asked.push(method);
        return original(...args);
      }) as never;
    }
    await clock.advance(10 * DAY);
    await settled();
    expect(asked).toEqual([]);
  });

  test("what cannot be read for now is tried again; what never can is reported, and the next keyboard begins anew", async () => {
    const { persistence, clock, send, kept, reported } = await start({ most: 1 });
    await send("a");
    const earliest = persistence.earliest.bind(persistence);
    const failWith = (error: Error): void => {
      persistence.earliest = () => {
        persistence.earliest = earliest;
        throw error;
      };
    };
    failWith(new Error("busy"));
    const sending = send("b");
    while (persistence.earliest !== earliest) await settled(1);
    await clock.advance(1000);
    await sending;
    expect(await kept()).toEqual(["b"]);
    failWith(new PerdureError("PERDURE_REFUSED", "never"));
    await send("c");
    expect([await kept(), reported]).toEqual([["b", "c"], [withCode("PERDURE_REFUSED")]]);
    await send("d");
    expect(await kept()).toEqual(["d"]);
  });
});

/** An id as PTB makes them. */
function uuid4(n: number): string {
  return `0123456789ab4${n}ef8${"0".repeat(14)}${n}`;
}

test("a keyboard of PTB's is answered, with its use noted", async () => {
  const { persistence, clock, press } = await start();
  const [keyboard, button] = [uuid4(1), uuid4(2)];
  await persistence.updateCallbackData([
    [[keyboard, clock.now() / 1000 - 2 * 3600, { [button]: { id: 7 } }]],
    { 123: keyboard },
  ]);
  expect(await press(keyboard + button)).toEqual({ id: 7 });
  expect(await press(keyboard + uuid4(3))).toBeInstanceOf(InvalidCallbackData);
  const [keyboards] = (await persistence.getCallbackData()) ?? [];
  expect(keyboards).toEqual([[keyboard, clock.now() / 1000, { [button]: { id: 7 } }]]);
});

test("174, 175: what PTB has remembered of queries leads to their keyboards, and is removed; what stands in messages stays", async () => {
  const { persistence, callbackData, send } = await start();
  const [keyboard, button] = [uuid4(1), uuid4(2)];
  await send("x");
  const ours = (await persistence.getCallbackData())?.[1] ?? {};
  await persistence.updateCallbackData([[[keyboard, 5, { [button]: 1 }]], { 123: keyboard, 124: keyboard, ...ours }]);
  await callbackData.drop({ id: "123" });
  expect(await persistence.keys("keyboard", { limit: 9 })).toEqual([]);
  await expect(callbackData.drop({ id: "123" })).rejects.toThrow(InvalidCallbackData);
  await callbackData.clearQueries();
  const left: readonly KeyOf<"callbackQuery">[] = await persistence.keys("callbackQuery", { limit: 9 });
  expect(left).toEqual(Object.keys(ours).map((id) => ({ kind: "callbackQuery", id })));
});

test("175: only what was used before the cut-off is cleared", async () => {
  const { clock, callbackData, send, kept } = await start();
  for (const value of ["a", "b", "c"]) {
    await send(value);
    await clock.advance(MINUTE);
  }
  await callbackData.clear(clock.now() - 2 * MINUTE - 10);
  expect(await kept()).toEqual(["b", "c"]);
  await callbackData.clear(Infinity);
  expect(await kept()).toEqual([]);
});

test("of two keyboards in one call, the first is not kept when the second cannot be", async () => {
  const { callbackData, kept } = await start();
  const result = (value: unknown): object => ({
    type: "article",
    reply_markup: new InlineKeyboard().add(dataButton("x", value)),
  });
  const payload = { results: [result(1), result(() => {})] };
  const sending = callbackData.send("answerInlineQuery", payload, {}, async () => ({ ok: true, result: true }));
  await expect(sending).rejects.toThrow("(answerInlineQuery, results[1].reply_markup.inline_keyboard[0][0])");
  expect(await kept()).toEqual([]);
});

test("a call that was answered without being made, as a replay does it, leaves nothing", async () => {
  const { callbackData, kept } = await start();
  const payload = { chat_id: 5, reply_markup: new InlineKeyboard().add(dataButton("x", 1)) };
  const result = { message_id: 1, chat: { id: 5 } };
  await callbackData.send("sendMessage", payload, { mayReplay: true }, async () => ({ ok: true, result }));
  expect(await kept()).toEqual([]);
});
