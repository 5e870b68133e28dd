import type { BasePersistence, CallbackData } from "../../../persistence/base-persistence.ts";
import { everything, GROUP } from "./slots.ts";

/** Names of the handlers in {@link fill}. */
const NAMES = ["order", "registration"];

const callbackData = (): CallbackData => [
  [
    ["first", 1_700_000_000.125, { yes: { answer: true } }],
    ["second", 1_700_000_001.5, { no: { answer: false } }],
  ],
  { "12345678901234567890": "first" },
];

/** Keeps something of every kind, and makes it durable. */
export async function fill(persistence: BasePersistence): Promise<void> {
  await persistence.updateBotData({ greeted: 7 });
  await persistence.updateChatData(GROUP, { title: "Gardeners" });
  await persistence.updateChatData(42, { messages: 3 });
  await persistence.updateUserData(42, { name: "Ann" });
  await persistence.updateUserData(43, { name: "Bo" });
  await persistence.updateConversation("order", [GROUP, 42], "SIZE");
  await persistence.updateConversation("registration", [42, 42], { step: 1 });
  await persistence.updateCallbackData(callbackData());
  await persistence.flush();
}

/** What {@link kept} gives after {@link fill}. */
export function filled(): Readonly<Record<string, unknown>> {
  return {
    bot: { greeted: 7 },
    chats: new Map<number, object>([
      [GROUP, { title: "Gardeners" }],
      [42, { messages: 3 }],
    ]),
    users: new Map([
      [42, { name: "Ann" }],
      [43, { name: "Bo" }],
    ]),
    conversations: new Map<string, Map<string, unknown>>([
      ["order", new Map([[JSON.stringify([GROUP, 42]), "SIZE"]])],
      ["registration", new Map([["[42,42]", { step: 1 }]])],
    ]),
    callbackData: callbackData(),
  };
}

/** What is kept of the kinds and handlers of {@link fill}. */
export function kept(persistence: BasePersistence): Promise<object> {
  return everything(persistence, NAMES);
}
