import { deepStrictEqual } from "node:assert";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DictPersistence, type DictPersistenceOptions } from "./dict-persistence.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("__proto__", "constructor", "", "0", "7", "-1", "$map", "\ud800", "null", "[1]"),
);

/** Everything that Python's JSON has a form for and JavaScript gives back the same. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(
      text,
      fc.double(),
      fc.maxSafeInteger(),
      fc.bigInt().filter((value) => !Number.isSafeInteger(Number(value))),
      fc.constantFrom(null, true, false, -0, 1e16, Number.NaN, Infinity, -Infinity, 2n ** 53n, -(2n ** 53n)),
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

const keyboards = fc.array(
  fc.tuple(text, fc.double(), fc.dictionary(text, json, { maxKeys: 3, noNullPrototype: true })),
  { maxLength: 3 },
);

/** Keys of the first level that Python's int() would not change. */
const data = fc.dictionary(
  fc.oneof(fc.constantFrom("__proto__", "a", "7", "-1", "1.5"), fc.stringMatching(/^[a-zé$]{1,5}$/)),
  json,
  { maxKeys: 4, noNullPrototype: true },
);

const records = fc.uniqueArray(fc.tuple(fc.maxSafeInteger(), data), { maxLength: 4, selector: ([id]) => id });

const conversations = fc.array(
  fc.tuple(
    text,
    fc.array(fc.oneof(fc.maxSafeInteger(), text), { maxLength: 3 }),
    json.filter((state) => state !== null),
  ),
  { maxLength: 4 },
);

async function textsOf(persistence: DictPersistence): Promise<DictPersistenceOptions> {
  await persistence.getUserData();
  await persistence.getChatData();
  await persistence.getConversations("");
  const { userDataJson, chatDataJson, botDataJson, conversationsJson, callbackDataJson } = persistence;
  return { userDataJson, chatDataJson, botDataJson, conversationsJson, callbackDataJson };
}

async function fill(persistence: DictPersistence, from: DictPersistence): Promise<void> {
  for (const [id, value] of await from.getUserData()) await persistence.updateUserData(id, value);
  for (const [id, value] of await from.getChatData()) await persistence.updateChatData(id, value);
  await persistence.updateBotData((await from.getBotData()) ?? {});
  for (const name of await from.conversationNames()) {
    for (const [id, state] of await from.getConversations(name)) await persistence.updateConversation(name, id, state);
  }
  await persistence.updateCallbackData((await from.getCallbackData()) ?? [[], {}]);
}

test("65-83: any JSON value goes in and out and in, and is equal", async () => {
  await fc.assert(
    fc.asyncProperty(
      records,
      records,
      data,
      conversations,
      fc.tuple(keyboards, fc.dictionary(text, text, { noNullPrototype: true })),
      async (users, chats, bot, states, callbackData) => {
        const first = new DictPersistence();
        for (const [id, value] of users) await first.updateUserData(id, value);
        for (const [id, value] of chats) await first.updateChatData(id, value);
        await first.updateBotData(bot);
        for (const [name, id, state] of states) await first.updateConversation(name, id, state);
        await first.updateCallbackData(callbackData);
        const texts = await textsOf(first);

        const second = new DictPersistence(texts);
        // Not expect(), which takes what is under the key "constructor" for the class.
        deepStrictEqual(second.userData, new Map(users));
        deepStrictEqual(second.chatData, new Map(chats));
        deepStrictEqual(second.botData, bot);
        deepStrictEqual(second.conversations, first.conversations);
        deepStrictEqual(second.callbackData, callbackData);

        // What was read is no change, and written anew it is the same text.
        await fill(second, second);
        expect(await textsOf(second)).toStrictEqual(texts);
        const third = new DictPersistence();
        await fill(third, second);
        expect(await textsOf(third)).toStrictEqual(texts);
      },
    ),
    { numRuns: 300 },
  );
});
