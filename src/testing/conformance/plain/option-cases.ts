import { AtomicPersistence } from "../../../persistence/atomic-persistence.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { ATOMIC, PLAIN } from "../contract.ts";
import { holds, same } from "../expectations.ts";

/** What a class says of itself. */
export const optionCases: readonly ConformanceCase[] = [
  {
    name: "options: all data is stored, every 60 seconds, unless said otherwise (PTB 1, 2)",
    contract: `${PLAIN.storeData} ${PLAIN.updateInterval}`,
    run: async (setting) => {
      const { storeData, updateInterval } = setting.make();
      same({ ...storeData }, { botData: true, chatData: true, userData: true, callbackData: true }, "storeData");
      same(updateInterval, 60_000, "updateInterval");
    },
  },
  {
    name: "options: setBot is remembered (PTB 5)",
    contract: PLAIN.setBot,
    run: async (setting) => {
      const bot = { token: "1:A" };
      const persistence = setting.make();
      same(persistence.bot, undefined, "bot before setBot");
      persistence.setBot(bot);
      holds(persistence.bot === bot, "bot after setBot(bot)", "this bot", persistence.bot);
    },
  },
  {
    name: "a class is what it says: it has the methods of its contract, and the abilities that are expected",
    contract: ATOMIC.abilities,
    run: async (setting) => {
      const made = setting.make();
      if (setting.abilities === "plain") {
        holds(!(made instanceof AtomicPersistence), "make()", "no AtomicPersistence", made.constructor.name);
      } else {
        same({ ...setting.makeAtomic().abilities }, { ...setting.abilities }, "abilities");
      }
    },
  },
];
