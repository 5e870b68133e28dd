// Measures one contender under one load, and checks what it kept.
import { entryOf } from "../contenders/all.ts";
import type { Counts } from "../contenders/contender.ts";
import { countPerChat, updatesOf, type Load } from "../load.ts";
import { TelegramStub } from "../telegram-stub.ts";
import { answer } from "./answer.ts";
import type { RunFigures, RunJob } from "./job.ts";
import { WrittenCount } from "./written-count.ts";

await answer(async ({ contender, setting, load, counting }: RunJob): Promise<RunFigures> => {
  const count = counting === true ? new WrittenCount() : undefined;
  const entry = entryOf(contender);
  const subject = await entry.load(setting);
  if (entry.store === undefined) await subject.fill();
  const updates = updatesOf(load);
  const expected = countPerChat(updates);
  const ids = [...expected.keys()];
  const before = await subject.counts(ids);
  globalThis.gc?.();
  const stub = new TelegramStub(updates, load, { begin: () => count?.begin() });
  await subject.run(stub);
  const figures = stub.figures();
  const written = count?.perUpdate(load.updates);
  const after = await subject.counts(ids);
  await subject.close();
  if (before !== undefined && after !== undefined) check(before, after, [...expected.values()], load);
  return { ...figures, written };
});

/** Every chat and every user must have been counted as often as it wrote, and no more. */
function check(before: Counts, after: Counts, wrote: readonly number[], { touch }: Load): void {
  const times = { chats: touch === "both" || touch === "chat" ? 1 : 0, users: touch === "both" ? 1 : 0 };
  for (const scope of ["chats", "users"] as const) {
    for (const [index, count] of wrote.entries()) {
      const counted = (after[scope][index] ?? 0) - (before[scope][index] ?? 0);
      if (counted !== count * times[scope]) {
        throw new Error(`One of the ${scope} wrote ${count} times and was counted ${counted} times.`);
      }
    }
  }
}
