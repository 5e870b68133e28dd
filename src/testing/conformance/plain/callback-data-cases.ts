import type { ConformanceCase } from "../conformance-case.ts";
import { PLAIN } from "../contract.ts";
import { same } from "../expectations.ts";
import { plainCallbackData } from "./slots.ts";

/** What is promised of callback data. */
export const callbackDataCases: readonly ConformanceCase[] = [
  {
    name: "callback data: keyboards in order with times in fractions of a second, and queries (PTB 10, 176)",
    contract: `${PLAIN.callbackData} ${PLAIN.accessTime}`,
    run: async (setting) => {
      const data = [
        [
          ["zebra", 1_700_000_000.001, { b1: { pick: 1 }, b2: null }],
          ["ant", 1_700_000_000.5, {}],
          ["mole", 1_700_000_123.456, { b1: "text" }],
        ],
        { "1": "ant", "98765432109876543210": "mole" },
      ] as const;
      const persistence = await setting.open();
      await persistence.updateCallbackData(data);
      const again = await setting.reopen(persistence);
      same(plainCallbackData(await again.getCallbackData()), data, "getCallbackData()");
    },
  },
  {
    name: "callback data: an update replaces all of it (PTB 13)",
    contract: PLAIN.callbackData,
    run: async (setting) => {
      const persistence = await setting.open();
      await persistence.updateCallbackData([
        [
          ["old", 1, { b: 1 }],
          ["stays", 2, { b: 2 }],
        ],
        { q1: "old" },
      ]);
      const data = [
        [
          ["stays", 3.25, { b: 2 }],
          ["new", 4, { b: 3 }],
        ],
        { q2: "new" },
      ] as const;
      await persistence.updateCallbackData(data);
      const again = await setting.reopen(persistence);
      same(plainCallbackData(await again.getCallbackData()), data, "getCallbackData()");
    },
  },
];
