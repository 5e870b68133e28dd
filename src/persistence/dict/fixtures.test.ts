import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isPerdureError } from "../../errors.ts";
import { DictPersistence, type DictPersistenceOptions } from "./dict-persistence.ts";

// Texts that python-telegram-bot's DictPersistence wrote, and what it made of them.
const folder = new URL("fixtures/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");

type Kind = "user_data" | "chat_data" | "bot_data" | "conversations" | "callback_data";

interface Expected {
  readonly layout: `dict_json:${Kind}`;
  readonly value: unknown;
  readonly json_equals_file?: boolean;
}

interface ConstructorCase {
  readonly kind: Kind;
  readonly json: string;
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error_message?: string;
}

const options = {
  user_data: "userDataJson",
  chat_data: "chatDataJson",
  bot_data: "botDataJson",
  conversations: "conversationsJson",
  callback_data: "callbackDataJson",
} as const satisfies Record<Kind, keyof DictPersistenceOptions>;

const withText = (kind: Kind, text: string): DictPersistence => new DictPersistence({ [options[kind]]: text });

function valueIn(persistence: DictPersistence, kind: Kind): unknown {
  switch (kind) {
    case "user_data":
      return persistence.userData;
    case "chat_data":
      return persistence.chatData;
    case "bot_data":
      return persistence.botData;
    case "conversations":
      return persistence.conversations;
    case "callback_data":
      return persistence.callbackData;
  }
}

/** What a value in the fixtures' tagged JSON is in JavaScript. A $map is an object. */
function untagged(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(untagged);
  const [[tag, content] = []] = Object.entries(value);
  switch (tag) {
    case "$map":
      return Object.fromEntries((content as [string, unknown][]).map(([key, each]) => [key, untagged(each)]));
    case "$tuple":
      return (content as unknown[]).map(untagged);
    case "$bigint":
      return BigInt(content as string);
    case "$float":
      return Number(content);
    default:
      throw new Error(`the fixture has an unknown tag ${tag}`);
  }
}

/** The entries of a $map, whose keys are no strings. */
function entriesOf(value: unknown): [unknown, unknown][] {
  return (value as { $map: [unknown, unknown][] }).$map;
}

function expectedValue(kind: Kind, value: unknown): unknown {
  switch (kind) {
    case "user_data":
    case "chat_data":
      return new Map(entriesOf(value).map(([id, data]) => [id, untagged(data)]));
    case "conversations":
      return new Map(
        entriesOf(value).map(([name, states]) => [
          name,
          entriesOf(states).map(([id, state]) => [untagged(id), untagged(state)]),
        ]),
      );
    default:
      return untagged(value);
  }
}

/** Changes something and takes the change back, so that the text has to be written anew. */
async function rewritten(persistence: DictPersistence, kind: Kind): Promise<string> {
  switch (kind) {
    case "user_data":
      await persistence.dropUserData(0);
      break;
    case "chat_data":
      await persistence.dropChatData(0);
      break;
    case "conversations": {
      const name = [...(persistence.conversations?.keys() ?? [])][0] as string;
      await persistence.updateConversation(name, [0], 1);
      await persistence.updateConversation(name, [0], null);
      break;
    }
    case "callback_data": {
      const before = (await persistence.getCallbackData()) as NonNullable<DictPersistence["callbackData"]>;
      await persistence.updateCallbackData([[...before[0], ["k", 1, {}]], before[1]]);
      await persistence.updateCallbackData(before);
      break;
    }
    case "bot_data":
      break;
  }
  return persistence[options[kind]];
}

describe("a text that PTB wrote", () => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".expected.json"));

  test("there are all of them", () => {
    expect(files).toHaveLength(7);
  });

  test.each(files)("65, 70-74, 77, 80: %s", async (file) => {
    const { layout, value, json_equals_file: equalsFile } = JSON.parse(read(file)) as Expected;
    const kind = layout.slice("dict_json:".length) as Kind;
    const text = read(file.replace(".expected.json", ""));
    const persistence = withText(kind, text);
    expect(valueIn(persistence, kind)).toStrictEqual(expectedValue(kind, value));
    expect(persistence[options[kind]]).toBe(text);
    expect(equalsFile).not.toBe(false);
    expect(await rewritten(persistence, kind)).toBe(text);
  });
});

describe("what PTB makes of a text", () => {
  const { cases } = JSON.parse(read("p41_dict_ctor_cases.json")) as { cases: ConstructorCase[] };

  test("there are all cases", () => {
    expect(cases).toHaveLength(17);
  });

  test.each(cases.filter(({ ok }) => ok))("77: $kind: $json is read", ({ kind, json, value }) => {
    expect(valueIn(withText(kind, json), kind)).toEqual(value ?? undefined);
  });

  test.each(cases.filter(({ ok }) => !ok))("76, 78, 79: $kind: $json is refused", ({ kind, json, error_message }) => {
    let thrown: unknown;
    try {
      withText(kind, json);
    } catch (error) {
      thrown = error;
    }
    expect(isPerdureError(thrown, "PERDURE_CANNOT_DECODE")).toBe(true);
    const { message, cause } = thrown as Error;
    expect(message.startsWith(`${error_message} (${options[kind]}: `)).toBe(true);
    expect(cause).toBeInstanceOf(Error);
  });
});
