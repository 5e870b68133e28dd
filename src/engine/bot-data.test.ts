import { describe, expect, test } from "vitest";
import { jsonCodec } from "../data/codec.ts";
import { BotData } from "./bot-data.ts";
import { BotView } from "./bot-view.ts";
import { Values } from "./values.ts";

interface Counted {
  n: number;
}

/** What makes a thing one that can be awaited: no more than this. */
// oxlint-disable-next-line unicorn/no-thenable -- that is what is tried here
const AWAITED = { then: (onEnd?: (value: unknown) => void) => onEnd?.(undefined) };

function begun(): BotData {
  const scope = { initial: () => ({ n: 1 }), migrations: [] };
  const values = new Values(jsonCodec(), { bot: scope, chat: scope, user: scope });
  const data = new BotData(undefined, values, new BotView(values));
  data.begin(undefined);
  return data;
}

describe("the function that is given to updateBotData", () => {
  test("gives its result back, and changes a value of its own", () => {
    const data = begun();
    expect(data.update((value) => ((value as Counted).n += 1))).toBe(2);
    expect(data.get()).toEqual({ n: 2 });
    expect(data.change?.record?.text).toBe('{"n":2}');
  });

  test.each<[string, () => unknown]>([
    ["a promise", () => Promise.resolve()],
    ["a promise that rejects, which nobody else has to catch", () => Promise.reject(new Error("no"))],
    ["what can only be awaited, as a builder of a query can", () => AWAITED],
    ["a function that can be awaited", () => Object.assign(() => {}, AWAITED)],
  ])("must not return %s: nothing has changed then", (_, result) => {
    const data = begun();
    const update = (): unknown =>
      data.update((value) => {
        (value as Counted).n = 5;
        return result();
      });
    expect(update).toThrow(TypeError);
    expect(update).toThrow("is asynchronous");
    expect(data.get()).toEqual({ n: 1 });
    expect(data.change).toBeUndefined();
  });

  test.each([null, undefined, 0, "then", { n: 1 }])("may return %j", (result) => {
    expect(begun().update(() => result)).toEqual(result);
  });
});
