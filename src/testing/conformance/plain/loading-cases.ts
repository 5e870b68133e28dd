import type { ConformanceCase } from "../conformance-case.ts";
import { PLAIN } from "../contract.ts";
import { same } from "../expectations.ts";
import { fill } from "./filling.ts";
import { GROUP } from "./slots.ts";

/** Loading one record, and listing the names of conversations. */
export const loadingCases: readonly ConformanceCase[] = [
  {
    name: "load: one record is what all of them say, and an unknown one is absent",
    contract: PLAIN.load,
    run: async (setting) => {
      const persistence = await setting.open();
      await fill(persistence);
      const again = await setting.reopen(persistence);
      for (const id of [GROUP, 42, 43, -1]) {
        const [chat, user] = [(await again.getChatData()).get(id), (await again.getUserData()).get(id)];
        if (again.loadChatData) same(await again.loadChatData(id), chat, `loadChatData(${id})`);
        if (again.loadUserData) same(await again.loadUserData(id), user, `loadUserData(${id})`);
      }
    },
  },
  {
    name: "load: the names of conversations are those that have some",
    contract: PLAIN.conversationNames,
    run: async (setting) => {
      const persistence = await setting.open();
      if (persistence.conversationNames === undefined) return;
      same([...(await persistence.conversationNames())], [], "conversationNames() of a new place");
      await persistence.updateConversation("order", [1], 1);
      await persistence.updateConversation("order", [2], 1);
      await persistence.updateConversation("registration", [1], 1);
      const again = await setting.reopen(persistence);
      same([...((await again.conversationNames?.()) ?? [])].sort(), ["order", "registration"], "conversationNames()");
    },
  },
];
