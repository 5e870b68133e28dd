import type { MaybePromise } from "../../../data/maybe-promise.ts";
import type { BasePersistence, CallbackData } from "../../../persistence/base-persistence.ts";

/** A place for one value in a persistence, one for each kind of data. */
export interface Slot {
  /** What is kept there: "bot data". */
  readonly name: string;
  /** The statements of the contract of python-telegram-bot that are about it. */
  readonly statements: string;
  readonly put: (persistence: BasePersistence, value: object) => MaybePromise<void>;
  /** The value; `undefined` when there is none. */
  readonly take: (persistence: BasePersistence) => Promise<unknown>;
}

/** A supergroup's id. */
export const GROUP = -1_001_234_567_890;

export const SLOTS: readonly Slot[] = [
  {
    name: "bot data",
    statements: "PTB 9, 13",
    put: (persistence, value) => persistence.updateBotData(value),
    take: async (persistence) => persistence.getBotData(),
  },
  {
    name: "chat data",
    statements: "PTB 8, 12",
    put: (persistence, value) => persistence.updateChatData(GROUP, value),
    take: async (persistence) => (await persistence.getChatData()).get(GROUP),
  },
  {
    name: "user data",
    statements: "PTB 8, 12",
    put: (persistence, value) => persistence.updateUserData(42, value),
    take: async (persistence) => (await persistence.getUserData()).get(42),
  },
  {
    name: "a conversation's state",
    statements: "PTB 11, 14",
    put: (persistence, value) => persistence.updateConversation("order", [GROUP, 42], value),
    take: async (persistence) => (await persistence.getConversations("order"))[0]?.[1],
  },
  {
    name: "callback data",
    statements: "PTB 10, 13",
    put: (persistence, value) => persistence.updateCallbackData([[["keyboard", 1.5, { button: value }]], {}]),
    take: async (persistence) => (await persistence.getCallbackData())?.[0][0]?.[2]["button"],
  },
];

/** All that is kept, as the getters tell it, in objects whose prototypes and order do not matter. */
export async function everything(persistence: BasePersistence, conversationNames: readonly string[]): Promise<object> {
  const conversations: [string, object][] = [];
  for (const name of conversationNames) conversations.push([name, await conversationsOf(persistence, name)]);
  return {
    bot: await persistence.getBotData(),
    chats: new Map(await persistence.getChatData()),
    users: new Map(await persistence.getUserData()),
    conversations: new Map(conversations),
    callbackData: plainCallbackData(await persistence.getCallbackData()),
  };
}

/** The states of one handler's conversations by their ids. */
export async function conversationsOf(persistence: BasePersistence, name: string): Promise<Map<string, unknown>> {
  const entries = await persistence.getConversations(name);
  const states = new Map(entries.map(([id, state]) => [JSON.stringify(id), state]));
  if (states.size === entries.length) return states;
  throw new Error(
    `getConversations("${name}") gives an id twice: ${entries.map(([id]) => JSON.stringify(id)).join(" ")}`,
  );
}

/** Callback data in plain arrays and objects. */
export function plainCallbackData(data: CallbackData | undefined): unknown {
  if (data === undefined) return undefined;
  const [keyboards, queries] = data;
  return [keyboards.map(([id, time, buttons]) => [id, time, { ...buttons }]), { ...queries }];
}
