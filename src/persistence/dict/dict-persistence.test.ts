import { describe, expect, test } from "vitest";
import { withCode } from "../../../test/support/with-code.ts";
import { jsonCodec } from "../../data/codec.ts";
import type { CallbackData, KeyboardEntry } from "../base-persistence.ts";
import { DictPersistence } from "./dict-persistence.ts";

class Cart {
  readonly items: number;

  constructor(items: number) {
    this.items = items;
  }
}

describe("66: what it begins with", () => {
  test("empty texts are as good as none", () => {
    const persistence = new DictPersistence({
      userDataJson: "",
      chatDataJson: "",
      botDataJson: "",
      conversationsJson: "",
      callbackDataJson: "",
    });
    expect(persistence).toMatchObject({ userData: undefined, botData: undefined, conversations: undefined });
  });

  test("the options of every persistence", () => {
    const codec = jsonCodec();
    const persistence = new DictPersistence({ storeData: { chatData: false }, updateInterval: "5s", codec });
    expect(persistence.storeData).toEqual({ botData: true, chatData: false, userData: true, callbackData: true });
    expect(persistence.updateInterval).toBe(5000);
    expect(persistence.codec).toBe(codec);
    expect(new DictPersistence().updateInterval).toBe(60_000);
  });

  test("what is no text is a mistake of the program", () => {
    expect(() => new DictPersistence({ userDataJson: {} as never })).toThrow(
      new TypeError("userDataJson must be a string"),
    );
  });
});

describe("68: what was neither given nor stored", () => {
  test("is unknown, and null as JSON", () => {
    const persistence = new DictPersistence();
    expect(persistence).toMatchObject({
      userData: undefined,
      chatData: undefined,
      botData: undefined,
      conversations: undefined,
      callbackData: undefined,
      userDataJson: "null",
      chatDataJson: "null",
      botDataJson: "null",
      conversationsJson: "null",
      callbackDataJson: "null",
    });
  });

  test("81: is empty once it was asked for, but for the callback data", async () => {
    const persistence = new DictPersistence();
    expect(await persistence.getUserData()).toEqual(new Map());
    expect(await persistence.getChatData()).toEqual(new Map());
    expect(await persistence.getBotData()).toBeUndefined();
    expect(await persistence.getConversations("menu")).toEqual([]);
    expect(await persistence.getCallbackData()).toBeUndefined();
    expect(persistence).toMatchObject({
      userData: new Map(),
      chatData: new Map(),
      botData: {},
      conversations: new Map(),
      callbackData: undefined,
      userDataJson: "{}",
      chatDataJson: "{}",
      botDataJson: "{}",
      conversationsJson: "{}",
      callbackDataJson: "null",
    });
    expect(await persistence.getBotData()).toBeUndefined();
  });

  test("the bot data that PTB writes for none is none, and an empty object that was stored is one", async () => {
    const persistence = new DictPersistence({ botDataJson: " {}" });
    expect(await persistence.getBotData()).toBeUndefined();
    expect(persistence.botData).toEqual({});
    await persistence.updateBotData({});
    expect(await persistence.getBotData()).toEqual({});
    expect(persistence.botDataJson).toBe(" {}");
  });

  test("81: what was given as empty is empty", () => {
    const persistence = new DictPersistence({ userDataJson: "{ }", conversationsJson: "{}" });
    expect(persistence.userData).toEqual(new Map());
    expect(persistence.userDataJson).toBe("{ }");
    expect(persistence.conversations).toEqual(new Map());
  });
});

describe("69: a text that was given stays as it is", () => {
  const given = '{"1":{"b":1.0,"2":[2]},"01":{"a":1.0},"2":{"z":1,"1":2}}';

  test("as long as nothing changes", async () => {
    const persistence = new DictPersistence({ userDataJson: given });
    await persistence.getUserData();
    await persistence.updateUserData(1, { a: 1 });
    await persistence.flush();
    expect(persistence.userDataJson).toBe(given);
  });

  test("71: then what has not changed is written as Python does, the rest from JavaScript's values", async () => {
    const persistence = new DictPersistence({ userDataJson: given });
    await persistence.updateUserData(3, { f: 1 });
    expect(persistence.userDataJson).toBe('{"1": {"a": 1.0}, "2": {"z": 1, "1": 2}, "3": {"f": 1}}');
    await persistence.updateUserData(2, { z: 1, 1: 3 });
    expect(persistence.userDataJson).toBe('{"1": {"a": 1.0}, "2": {"1": 3, "z": 1}, "3": {"f": 1}}');
  });

  test("a change that is taken back is a change", async () => {
    const persistence = new DictPersistence({ botDataJson: '{"n":1}' });
    await persistence.updateBotData({ n: 2 });
    expect(persistence.botDataJson).toBe('{"n": 2}');
    await persistence.updateBotData({ n: 1 });
    expect(persistence.botDataJson).toBe('{"n": 1}');
  });

  test("40: what Python takes for equal and is not is a change", async () => {
    const persistence = new DictPersistence({ botDataJson: '{"n":1}' });
    await persistence.updateBotData({ n: true });
    expect(persistence.botDataJson).toBe('{"n": true}');
  });

  test("83: dropping rewrites it, also for an unknown id", async () => {
    const persistence = new DictPersistence({ userDataJson: '{"1":{}}', chatDataJson: '{"1":{},"2":{}}' });
    await persistence.dropUserData(7);
    await persistence.dropChatData(1);
    expect(persistence.userDataJson).toBe('{"1": {}}');
    expect(persistence.chatDataJson).toBe('{"2": {}}');
  });

  test("45: dropping from what is unknown does nothing", async () => {
    const persistence = new DictPersistence();
    await persistence.dropUserData(7);
    await persistence.dropChatData(7);
    expect(persistence).toMatchObject({ userDataJson: "null", chatDataJson: "null", userData: undefined });
  });
});

describe("user and chat data", () => {
  test("what is stored is there, in the order of storing", async () => {
    const persistence = new DictPersistence();
    await persistence.updateUserData(2, { a: 1 });
    await persistence.updateUserData(1, { b: 2n ** 70n });
    await persistence.updateUserData(2, { a: "ü" });
    await persistence.updateChatData(-100123, { c: null });
    expect([...(await persistence.getUserData())]).toEqual([
      [2, { a: "ü" }],
      [1, { b: 2n ** 70n }],
    ]);
    expect(persistence.userDataJson).toBe('{"2": {"a": "\\u00fc"}, "1": {"b": 1180591620717411303424}}');
    expect(persistence.chatDataJson).toBe('{"-100123": {"c": null}}');
  });

  test("74, 75: keys of the first two levels are what Python's int() reads", () => {
    const text = '{" 1_0 ":{"+5":"a","٧":"b","1.5":"c","²":"d","nested":{"01":1}},"1":{"02":1,"2":2}}';
    expect(new DictPersistence({ chatDataJson: text }).chatData).toEqual(
      new Map([
        [10, { 5: "a", 7: "b", "1.5": "c", "²": "d", nested: { "01": 1 } }],
        [1, { 2: 2 }],
      ]),
    );
  });

  test("75: the later one of equal ids stands, at the place of the first", () => {
    const { userData } = new DictPersistence({ userDataJson: '{"1":{"a":1},"2":{},"01":{"b":2}}' });
    expect([...(userData ?? [])]).toEqual([
      [1, { b: 2 }],
      [2, {}],
    ]);
  });

  test("78: an id that a number does not hold exactly is refused, and not rounded to another", () => {
    expect(() => new DictPersistence({ userDataJson: '{"9007199254740993":{}}' })).toThrow(
      'Unable to deserialize user_data_json. Not valid JSON (userDataJson: the key "9007199254740993" is no id)',
    );
  });

  test("an id that is no integer is a mistake of the program", async () => {
    const persistence = new DictPersistence();
    await expect(persistence.updateUserData(Number.NaN, {})).rejects.toThrow(TypeError);
    await expect(persistence.updateChatData("1" as never, {})).rejects.toThrow(TypeError);
    expect(persistence.userData).toBeUndefined();
  });

  test("__proto__ is data and pollutes nothing", async () => {
    const text = '{"1": {"__proto__": {"polluted": 1}, "a": {"__proto__": 2}}}';
    const persistence = new DictPersistence({ userDataJson: text, botDataJson: '{"__proto__": null}' });
    const data = persistence.userData?.get(1) as Record<string, unknown>;
    expect(Object.keys(data)).toEqual(["__proto__", "a"]);
    expect(data["polluted"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    await persistence.dropUserData(2);
    expect(persistence.userDataJson).toBe(text);
    await persistence.updateUserData(1, data);
    expect(persistence.userDataJson).toBe(text);
  });

  test("a text that nests too deep is refused, and overflows nothing", () => {
    const nested = (depth: number): string => `{"a":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`;
    expect(new DictPersistence({ botDataJson: nested(999) }).botDataJson).toBe(nested(999));
    for (const depth of [1000, 1010, 1_000_000]) {
      expect(() => new DictPersistence({ botDataJson: nested(depth) })).toThrow(withCode("PERDURE_CANNOT_DECODE"));
    }
  });
});

describe("76: bot data", () => {
  test("keys stay as they are", () => {
    expect(new DictPersistence({ botDataJson: '{"01":{"+2":1}}' }).botData).toEqual({ "01": { "+2": 1 } });
  });
});

describe("conversations", () => {
  test("11, 80: of each handler, by id", async () => {
    const persistence = new DictPersistence();
    await persistence.updateConversation("menu", [1, 1], 0);
    await persistence.updateConversation("menü", [1, 2, "inl"], { step: "S" });
    await persistence.updateConversation("menu", [1, 1], "NAME");
    await persistence.updateConversation("menu", [-5], [1]);
    expect(persistence.conversationsJson).toBe(
      '{"menu": {"[1, 1]": "NAME", "[-5]": [1]}, "men\\u00fc": {"[1, 2, \\"inl\\"]": {"step": "S"}}}',
    );
    expect(await persistence.getConversations("menu")).toEqual([
      [[1, 1], "NAME"],
      [[-5], [1]],
    ]);
    expect(await persistence.getConversations("unknown")).toEqual([]);
    expect(await persistence.conversationNames()).toEqual(["menu", "menü"]);
    const copy = new DictPersistence({ conversationsJson: persistence.conversationsJson });
    expect(copy.conversations).toEqual(persistence.conversations);
  });

  test.each([null, undefined])("48: one that has ended (%s) is removed", async (ended) => {
    const persistence = new DictPersistence({ conversationsJson: '{"menu":{"[1]":1,"[2]":2}}' });
    await persistence.updateConversation("menu", [1], ended);
    expect(await persistence.getConversations("menu")).toEqual([[[2], 2]]);
    expect(persistence.conversationsJson).toBe('{"menu": {"[2]": 2}}');
    await persistence.updateConversation("menu", [2], ended);
    expect(await persistence.conversationNames()).toEqual([]);
    expect(persistence.conversationsJson).toBe('{"menu": {}}');
  });

  test("46: ending one that is unknown changes nothing", async () => {
    const text = '{"menu":{"[1]":1}}';
    const persistence = new DictPersistence({ conversationsJson: text });
    await persistence.updateConversation("menu", [2], null);
    await persistence.updateConversation("other", [1], null);
    expect(persistence.conversationsJson).toBe(text);
    const empty = new DictPersistence();
    await empty.updateConversation("menu", [1], null);
    expect(empty.conversations).toBeUndefined();
  });

  test("158: a null state in a text is no conversation", async () => {
    const text = '{"menu":{"[1]":null,"[2]":2,"[3]":3,"[3 ]":null}}';
    const persistence = new DictPersistence({ conversationsJson: text });
    expect(await persistence.getConversations("menu")).toEqual([[[2], 2]]);
    expect(persistence.conversationsJson).toBe(text);
    await persistence.updateConversation("menu", [2], 5);
    expect(persistence.conversationsJson).toBe('{"menu": {"[2]": 5}}');
  });

  test("80: ids that are the same are one, however they are written", async () => {
    const persistence = new DictPersistence({ conversationsJson: '{"menu":{"[1,2.0]":1,"[1, 2]":3}}' });
    expect(await persistence.getConversations("menu")).toEqual([[[1, 2], 3]]);
  });

  test.each(['{"h":{"5":1}}', '{"h":{"\\"ab\\"":1}}', '{"h":{"[null]":1}}', '{"h":{"[[1]]":1}}', '{"h":{"[1.5]":1}}'])(
    "80: %s is refused",
    (text) => {
      expect(() => new DictPersistence({ conversationsJson: text })).toThrow(withCode("PERDURE_CANNOT_DECODE"));
      expect(() => new DictPersistence({ conversationsJson: text })).toThrow(
        /^Unable to deserialize conversations_json\. Not valid JSON \(conversationsJson: the key .* (is no array|has something else)/,
      );
    },
  );

  test("an id of something else is a mistake of the program", async () => {
    await expect(new DictPersistence().updateConversation("menu", [1.5], 1)).rejects.toThrow(TypeError);
  });
});

describe("callback data", () => {
  const data: CallbackData = [
    [
      ["k1", 1700000000, { b1: "text", b2: { a: [1, null] } }],
      ["k2", 1700000000.25, {}],
    ],
    { "777": "k1", __proto__: "k2" },
  ];

  test("10, 77: in PTB's shape, times as floats", async () => {
    const persistence = new DictPersistence();
    await persistence.updateCallbackData(data);
    expect(await persistence.getCallbackData()).toEqual(data);
    expect(persistence.callbackDataJson).toBe(
      '[[["k1", 1700000000.0, {"b1": "text", "b2": {"a": [1, null]}}], ["k2", 1700000000.25, {}]], {"777": "k1"}]',
    );
    expect(new DictPersistence({ callbackDataJson: persistence.callbackDataJson }).callbackData).toEqual(data);
  });

  test("77: a time may be an int, and nothing may be null", () => {
    const text = '[[["k",5,{"__proto__":1.0}]],{"__proto__":"k"}]';
    const { callbackData } = new DictPersistence({ callbackDataJson: text });
    expect(callbackData?.[0][0]?.[1]).toBe(5);
    expect(Object.entries(callbackData?.[0][0]?.[2] ?? {})).toEqual([["__proto__", 1]]);
    expect(Object.entries(callbackData?.[1] ?? {})).toEqual([["__proto__", "k"]]);
    const nothing = new DictPersistence({ callbackDataJson: " null" });
    expect(nothing).toMatchObject({ callbackData: undefined, callbackDataJson: "null" });
  });

  test("69: the text stays until a keyboard, a time or a query changes, and then the rest is written as Python does", async () => {
    const text = '[[["k1",1,{"b":1.0}],["k2",2,{"b":2.0}]],{"5":"k1"}]';
    const persistence = new DictPersistence({ callbackDataJson: text });
    const [keyboards, queries] = (await persistence.getCallbackData()) as CallbackData;
    await persistence.updateCallbackData([keyboards, queries]);
    expect(persistence.callbackDataJson).toBe(text);
    await persistence.updateCallbackData([[["k1", 1.5, { b: 1 }], keyboards[1] as KeyboardEntry], queries]);
    expect(persistence.callbackDataJson).toBe('[[["k1", 1.5, {"b": 1.0}], ["k2", 2.0, {"b": 2.0}]], {"5": "k1"}]');
    await persistence.updateCallbackData([
      [
        ["k1", 1.5, { b: 1 }],
        ["k2", 2, { b: 3 }],
      ],
      queries,
    ]);
    expect(persistence.callbackDataJson).toBe('[[["k1", 1.5, {"b": 1.0}], ["k2", 2.0, {"b": 3}]], {"5": "k1"}]');
    await persistence.updateCallbackData([[], queries]);
    expect(persistence.callbackDataJson).toBe('[[], {"5": "k1"}]');
    await persistence.updateCallbackData([[], {}]);
    expect(persistence.callbackDataJson).toBe("[[], {}]");
  });

  test.each([
    "{}",
    "5",
    '"ab"',
    "[{}, {}]",
    "[[]]",
    '[[["k","1",{}]],{}]',
    '[[["k",1,{},1]],{}]',
    '[[["k",1,[]]],{}]',
    '[[],{"q":1}]',
  ])("79: %s has not the format", (text) => {
    expect(() => new DictPersistence({ callbackDataJson: text })).toThrow(withCode("PERDURE_CANNOT_DECODE"));
    expect(() => new DictPersistence({ callbackDataJson: text })).toThrow(
      /^callback_data_json is not in the required format \(callbackDataJson: /,
    );
  });
});

describe("38, 83: what goes in and comes out is a copy", () => {
  test("of every kind", async () => {
    const persistence = new DictPersistence();
    const data = { list: [1] };
    await persistence.updateUserData(1, data);
    await persistence.updateChatData(1, data);
    await persistence.updateBotData(data);
    await persistence.updateConversation("menu", [1], data);
    await persistence.updateCallbackData([[["k", 1, { b: data }]], {}]);
    const read = async (): Promise<{ list: number[] }[]> => [
      (await persistence.getUserData()).get(1) as { list: number[] },
      (await persistence.getChatData()).get(1) as { list: number[] },
      (await persistence.getBotData()) as { list: number[] },
      (await persistence.getConversations("menu"))[0]?.[1] as { list: number[] },
      (await persistence.getCallbackData())?.[0][0]?.[2]["b"] as { list: number[] },
      persistence.userData?.get(1) as { list: number[] },
      persistence.chatData?.get(1) as { list: number[] },
      persistence.botData as { list: number[] },
      persistence.conversations?.get("menu")?.[0]?.[1] as { list: number[] },
      persistence.callbackData?.[0][0]?.[2]["b"] as { list: number[] },
    ];
    data.list.push(2);
    for (const each of await read()) each.list.push(3);
    expect(await read()).toEqual(Array.from({ length: 10 }, () => ({ list: [1] })));
  });

  test("also the maps and ids themselves", async () => {
    const persistence = new DictPersistence({ userDataJson: '{"1":{}}', conversationsJson: '{"menu":{"[1]":1}}' });
    const id = [2];
    await persistence.updateConversation("menu", id, 2);
    id.push(3);
    ((await persistence.getUserData()) as Map<number, object>).clear();
    (persistence.conversations as Map<string, unknown>).clear();
    for (const [each] of await persistence.getConversations("menu")) (each as number[]).push(9);
    expect(persistence.userDataJson).toBe('{"1":{}}');
    expect(await persistence.getConversations("menu")).toEqual([
      [[1], 1],
      [[2], 2],
    ]);
  });
});

describe("82: what JSON has no form for", () => {
  test("is kept, and refused when its text is asked for", async () => {
    const codec = jsonCodec().register("Cart", Cart, {
      encode: ({ items }) => items,
      decode: (items) => new Cart(items as number),
    });
    const persistence = new DictPersistence({ codec });
    const value = { at: new Date(0), tags: new Set([1n]), cart: new Cart(2), nothing: undefined };
    await persistence.updateUserData(42, { a: [value] });
    await persistence.updateConversation("menu", [1, 2], value);
    await persistence.updateCallbackData([[["k", 1, { b: value }]], {}]);
    expect((await persistence.getUserData()).get(42)).toStrictEqual({ a: [value] });
    expect(() => persistence.userDataJson).toThrow(withCode("PERDURE_CANNOT_KEEP"));
    expect(() => persistence.userDataJson).toThrow(/^userData\.42\.a\[0\]\.at: a built-in Date has no form in JSON\./);
    expect(() => persistence.conversationsJson).toThrow(/^menu\.\[1,2\]\.at: /);
    expect(() => persistence.callbackDataJson).toThrow(/^keyboard\.k\.b\.at: /);
    await persistence.updateUserData(42, { a: [] });
    expect(persistence.userDataJson).toBe('{"42": {"a": []}}');
  });

  test("41: a circular value is kept, and its text is refused", async () => {
    const persistence = new DictPersistence();
    const data: { self?: object } = {};
    data.self = data;
    await persistence.updateBotData(data);
    await persistence.updateBotData(data);
    expect(await persistence.getBotData()).toEqual(data);
    expect(() => persistence.botDataJson).toThrow(/^botData\.self: a reference to an object that contains it/);
  });

  test("73: a Map is written as a dict, also as the data itself", async () => {
    const persistence = new DictPersistence();
    const data = new Map<unknown, unknown>([[2, new Map([["a", 1]])]]);
    await persistence.updateUserData(1, data);
    expect((await persistence.getUserData()).get(1)).toEqual(data);
    expect(persistence.userDataJson).toBe('{"1": {"2": {"a": 1}}}');
  });

  test("data that would not be read again is not written", async () => {
    const persistence = new DictPersistence();
    await persistence.updateUserData(1, [1]);
    await persistence.updateBotData([1]);
    expect(() => persistence.userDataJson).toThrow("userData.1: only an object or a Map can stand here in JSON.");
    expect(() => persistence.botDataJson).toThrow("botData: only an object or a Map can stand here in JSON.");
  });

  test("what the codec does not keep is refused when it is stored, and nothing changes", async () => {
    const persistence = new DictPersistence({ userDataJson: '{"1":{}}' });
    await expect(persistence.updateUserData(1, { f() {} })).rejects.toThrow(withCode("PERDURE_CANNOT_KEEP"));
    await expect(persistence.updateUserData(1, { f() {} })).rejects.toThrow(/^userData\.1\.f: /);
    expect(persistence.userDataJson).toBe('{"1":{}}');
  });

  test("the bot may stand in values, and comes back as the current one", async () => {
    class SomeBot {}
    const bot = new SomeBot();
    const persistence = new DictPersistence();
    persistence.setBot(bot, { nameOf: (object) => (object === bot ? "bot" : undefined), get: () => bot });
    await persistence.updateChatData(1, { bot });
    expect(((await persistence.getChatData()).get(1) as { bot: unknown }).bot).toBe(bot);
    expect(() => persistence.chatDataJson).toThrow(
      "chatData.1.bot: an instance of the class SomeBot has no form in JSON",
    );
  });
});

test("a class on top of it sees the texts after each change", async () => {
  const saved: string[] = [];
  class Saving extends DictPersistence<{ user: { n: number } }> {
    override async updateUserData(userId: number, data: { n: number }): Promise<void> {
      await super.updateUserData(userId, data);
      saved.push(this.userDataJson);
    }
  }
  const persistence = new Saving();
  await persistence.updateUserData(1, { n: 1 });
  await persistence.updateUserData(2, { n: 2 });
  expect(saved).toEqual(['{"1": {"n": 1}}', '{"1": {"n": 1}, "2": {"n": 2}}']);
  expect((await persistence.getUserData()).get(2)?.n).toBe(2);
});
