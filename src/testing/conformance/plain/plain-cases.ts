import type { ConformanceCase } from "../conformance-case.ts";
import { PLAIN } from "../contract.ts";
import { same } from "../expectations.ts";
import { fill, filled, kept } from "./filling.ts";
import { conversationsOf, GROUP } from "./slots.ts";

/** The greatest magnitude that the Bot API promises for ids: 52 bits. */
const LARGEST_ID = 2 ** 52 - 1;

/** What is promised of all data together, and of ids. */
export const plainCases: readonly ConformanceCase[] = [
  {
    name: "a new place is empty (PTB 8 to 11)",
    contract: PLAIN.empty,
    run: async (setting) => {
      const empty = {
        bot: undefined,
        chats: new Map(),
        users: new Map(),
        conversations: new Map([
          ["order", new Map()],
          ["registration", new Map()],
        ]),
        callbackData: undefined,
      };
      const persistence = await setting.open();
      same(await kept(persistence), empty, "what the getters give");
      same(await kept(await setting.reopen(persistence)), empty, "what they give after reopening");
    },
  },
  {
    name: "everything together comes back after flush and reopening (PTB 8 to 13)",
    contract: PLAIN.kept,
    run: async (setting) => {
      const persistence = await setting.open();
      await fill(persistence);
      same(await kept(persistence), filled(), "what the getters give after flush");
      same(await kept(await setting.reopen(persistence)), filled(), "what they give after reopening");
    },
  },
  {
    name: "a flush without changes, and a second one, change nothing (PTB 44)",
    contract: PLAIN.flush,
    run: async (setting) => {
      const persistence = await setting.open();
      await persistence.flush();
      await fill(persistence);
      await persistence.flush();
      await persistence.flush();
      same(await kept(persistence), filled(), "what the getters give");
      const again = await setting.reopen(persistence);
      await again.flush();
      same(await kept(await setting.reopen(again)), filled(), "what they give after reopening twice");
    },
  },
  {
    name: "chats and users with the same id are separate (PTB 12)",
    contract: PLAIN.kept,
    run: async (setting) => {
      const persistence = await setting.open();
      await persistence.updateChatData(42, { of: "chat" });
      await persistence.updateUserData(42, { of: "user" });
      await persistence.updateUserData(43, { of: "user" });
      await persistence.dropChatData(43);
      const again = await setting.reopen(persistence);
      same(new Map(await again.getChatData()), new Map([[42, { of: "chat" }]]), "getChatData()");
      const users = [42, 43].map((id): [number, object] => [id, { of: "user" }]);
      same(new Map(await again.getUserData()), new Map(users), "getUserData()");
    },
  },
  {
    name: "ids: negative ones and those of 52 bits (PTB 12)",
    contract: PLAIN.kept,
    run: async (setting) => {
      const ids = [1, 42, -42, 2 ** 31, -(2 ** 31) - 1, 2 ** 32 + 1, GROUP, LARGEST_ID, -LARGEST_ID];
      const persistence = await setting.open();
      for (const id of ids) {
        await persistence.updateChatData(id, { id });
        await persistence.updateUserData(id, { id });
        await persistence.updateConversation("order", [id, -id], { id });
      }
      const again = await setting.reopen(persistence);
      const values = new Map(ids.map((id) => [id, { id }]));
      same(new Map(await again.getChatData()), values, "getChatData()");
      same(new Map(await again.getUserData()), values, "getUserData()");
      const states = new Map(ids.map((id) => [JSON.stringify([id, -id]), { id }]));
      same(await conversationsOf(again, "order"), states, 'getConversations("order")');
    },
  },
  {
    name: "many records: none is missing in what the getters give (PTB 8, 11)",
    contract: PLAIN.empty,
    run: async (setting) => {
      const ids = Array.from({ length: 520 }, (_, index) => index * 7 - 2000);
      const conversing = ids.slice(0, 130);
      const persistence = await setting.open();
      for (const id of ids) await persistence.updateChatData(id, { id });
      for (const id of conversing) await persistence.updateConversation("order", [id], id);
      const again = await setting.reopen(persistence);
      same(new Map(await again.getChatData()), new Map(ids.map((id) => [id, { id }])), "getChatData()");
      const states = new Map<string, unknown>(conversing.map((id) => [`[${id}]`, id]));
      same(await conversationsOf(again, "order"), states, 'getConversations("order")');
    },
  },
];
