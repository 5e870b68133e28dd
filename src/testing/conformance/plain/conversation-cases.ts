import type { ConformanceCase } from "../conformance-case.ts";
import { PLAIN } from "../contract.ts";
import { same } from "../expectations.ts";
import { conversationsOf, GROUP } from "./slots.ts";

/** What is promised of the states of conversations. */
export const conversationCases: readonly ConformanceCase[] = [
  {
    name: "conversations: a new state of null removes, and so does undefined (PTB 14, 48)",
    contract: `${PLAIN.ended} ${PLAIN.removed}`,
    run: async (setting) => {
      const persistence = await setting.open();
      await persistence.updateConversation("order", [1, 2], "SIZE");
      await persistence.updateConversation("order", [3, 4], "COLOUR");
      await persistence.updateConversation("order", [7, 8], "COLOUR");
      await persistence.updateConversation("order", [1, 2], null);
      await persistence.updateConversation("order", [7, 8], undefined);
      await persistence.updateConversation("order", [5, 6], null);
      await persistence.updateConversation("unknown", [1, 2], null);
      same(await conversationsOf(persistence, "order"), new Map([["[3,4]", "COLOUR"]]), 'getConversations("order")');
      const again = await setting.reopen(persistence);
      same(await conversationsOf(again, "order"), new Map([["[3,4]", "COLOUR"]]), "the same after reopening");
      await again.updateConversation("order", [1, 2], "AGAIN");
      await again.updateConversation("order", [3, 4], null);
      const third = await setting.reopen(again);
      same(await conversationsOf(third, "order"), new Map([["[1,2]", "AGAIN"]]), "after starting and ending once more");
    },
  },
  {
    name: "conversations: names are separate, an unknown one has none (PTB 11)",
    contract: PLAIN.conversations,
    run: async (setting) => {
      const persistence = await setting.open();
      const names = ["order", "order2", "Order", "orders, past", "größe"];
      for (const name of names) await persistence.updateConversation(name, [1, 2], name);
      await persistence.updateConversation("order2", [1, 2], null);
      const again = await setting.reopen(persistence);
      for (const name of names) {
        const expected = name === "order2" ? new Map() : new Map([["[1,2]", name]]);
        same(await conversationsOf(again, name), expected, `getConversations("${name}")`);
      }
      same(await conversationsOf(again, "ord"), new Map(), 'getConversations("ord"), of which nothing was stored');
    },
  },
  {
    name: "conversations: 0, false and an empty text are states (PTB 141)",
    contract: PLAIN.kept,
    run: async (setting) => {
      const states = [0, false, "", 1, true, "0", [], {}, [1, "a"], -1];
      const persistence = await setting.open();
      for (const [index, state] of states.entries()) await persistence.updateConversation("order", [index], state);
      const again = await setting.reopen(persistence);
      const expected = new Map<string, unknown>(states.map((state, index) => [`[${index}]`, state]));
      same(await conversationsOf(again, "order"), expected, 'getConversations("order")');
    },
  },
  {
    name: "conversations: ids of different lengths, order and types are different ones (PTB 134)",
    contract: PLAIN.kept,
    run: async (setting) => {
      const ids = [
        [1],
        [12],
        [1, 2],
        [2, 1],
        [1, "2"],
        ["1", "2"],
        ["1,2"],
        [1, 2, 3],
        [GROUP, 42, "AbC"],
        [GROUP, 42, "abc"],
      ];
      const persistence = await setting.open();
      for (const [index, id] of ids.entries()) await persistence.updateConversation("order", id, index);
      const again = await setting.reopen(persistence);
      const expected = new Map<string, unknown>(ids.map((id, index) => [JSON.stringify(id), index]));
      same(await conversationsOf(again, "order"), expected, 'getConversations("order")');
    },
  },
];
