import type { ConformanceCase } from "../conformance-case.ts";
import { PLAIN } from "../contract.ts";
import { same } from "../expectations.ts";

/** What is promised of chats and users, of which one can be dropped. */
export const dropCases: readonly ConformanceCase[] = (["chat", "user"] as const).flatMap(casesOf);

function casesOf(kind: "chat" | "user"): ConformanceCase[] {
  const Kind = kind === "chat" ? "Chat" : "User";
  const update = `update${Kind}Data` as const;
  const drop = `drop${Kind}Data` as const;
  const get = `get${Kind}Data` as const;
  return [
    {
      name: `${kind} data: dropped is gone, not null (PTB 15, 45)`,
      contract: PLAIN.removed,
      run: async (setting) => {
        const persistence = await setting.open();
        for (const id of [1, 2, 3]) await persistence[update](id, { id });
        await persistence[drop](2);
        const rest = new Map([1, 3].map((id) => [id, { id }]));
        same(new Map(await persistence[get]()), rest, `${get}() after ${drop}(2)`);
        const again = await setting.reopen(persistence);
        same(new Map(await again[get]()), rest, "the same after reopening");
        await again[drop](1);
        same(new Map(await (await setting.reopen(again))[get]()), new Map([[3, { id: 3 }]]), `after ${drop}(1), too`);
      },
    },
    {
      name: `${kind} data: dropping an unknown id does nothing (PTB 15)`,
      contract: PLAIN.unknown,
      run: async (setting) => {
        const persistence = await setting.open();
        await persistence[drop](99);
        await persistence[update](1, { id: 1 });
        await persistence[drop](99);
        await persistence[drop](99);
        const again = await setting.reopen(persistence);
        same(new Map(await again[get]()), new Map([[1, { id: 1 }]]), `${get}()`);
      },
    },
    {
      name: `${kind} data: dropped and updated again is there (PTB 103)`,
      contract: PLAIN.kept,
      run: async (setting) => {
        const persistence = await setting.open();
        await persistence[update](1, { first: true });
        await persistence.flush();
        await persistence[drop](1);
        await persistence[update](1, { second: true });
        same(new Map(await persistence[get]()), new Map([[1, { second: true }]]), `${get}()`);
        const again = await setting.reopen(persistence);
        same(new Map(await again[get]()), new Map([[1, { second: true }]]), "the same after reopening");
      },
    },
  ];
}
