import type { ConformanceCase } from "../conformance-case.ts";
import { PLAIN } from "../contract.ts";
import { same } from "../expectations.ts";
import { SLOTS, type Slot } from "./slots.ts";

/** What is promised of each kind of data. */
export const slotCases: readonly ConformanceCase[] = SLOTS.flatMap(casesOf);

function casesOf({ name, statements, put, take }: Slot): ConformanceCase[] {
  return [
    {
      name: `${name}: comes back after flush and reopening (${statements})`,
      contract: PLAIN.kept,
      run: async (setting) => {
        const persistence = await setting.open();
        await put(persistence, { first: [1, { deep: "a" }] });
        same(await take(persistence), { first: [1, { deep: "a" }] }, `the ${name} after its update`);
        await put(persistence, { second: 2 });
        same(await take(persistence), { second: 2 }, `the ${name} after its second update`);
        await persistence.flush();
        same(await take(await setting.reopen(persistence)), { second: 2 }, `the ${name} after reopening`);
      },
    },
    {
      name: `${name}: a getter returns a copy, no live object (PTB 38, 83)`,
      contract: PLAIN.givenAway,
      run: async (setting) => {
        const persistence = await setting.open();
        await put(persistence, { list: [1], inner: { a: 1 } });
        spoil(await take(persistence));
        same(
          await take(persistence),
          { list: [1], inner: { a: 1 } },
          `the ${name}, got again after the first was changed`,
        );
        const again = await setting.reopen(persistence);
        spoil(await take(again));
        same(await take(again), { list: [1], inner: { a: 1 } }, `the same after reopening`);
        await again.flush();
        same(await take(await setting.reopen(again)), { list: [1], inner: { a: 1 } }, "and once more");
      },
    },
    {
      name: `${name}: an update keeps a copy, no live object (PTB 12, 13)`,
      contract: PLAIN.givenAway,
      run: async (setting) => {
        const persistence = await setting.open();
        const given = { list: [1], inner: { a: 1 } };
        await put(persistence, given);
        same(given, { list: [1], inner: { a: 1 } }, "the value that the update was given");
        spoil(given);
        same(
          await take(persistence),
          { list: [1], inner: { a: 1 } },
          `the ${name} after the value that was given was changed`,
        );
        await persistence.flush();
        same(await take(await setting.reopen(persistence)), { list: [1], inner: { a: 1 } }, "the same after reopening");
      },
    },
  ];
}

function spoil(value: unknown): void {
  const { list, inner } = value as { list: number[]; inner: Record<string, number> };
  list.push(2);
  inner["a"] = 2;
  (value as Record<string, unknown>)["extra"] = true;
}
