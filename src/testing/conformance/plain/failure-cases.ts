import type { BasePersistence } from "../../../persistence/base-persistence.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { PLAIN } from "../contract.ts";
import { oneOf, outcomeOf, rejects, same } from "../expectations.ts";
import { whilePending } from "../pending.ts";
import type { Setting } from "../setting.ts";
import { fill, filled, kept } from "./filling.ts";

/** What the methods of `BasePersistence` promise when something fails, and when the process is killed. */
export const plainFailureCases: readonly ConformanceCase[] = [
  {
    name: "a failed read rejects and is not taken for empty (PTB 29)",
    contract: `${PLAIN.empty} ${PLAIN.failedRead}`,
    needs: ["lasting", "breakReading"],
    run: async (setting) => {
      await setting.close(await opened(setting));
      const mend = await setting.breakReading();
      try {
        await expectUnreadable(setting);
      } finally {
        await mend();
      }
      same(await kept(await setting.open()), filled(), "what the getters give when reading works again");
    },
  },
  {
    name: "a failed read destroys nothing, also when something is written after it (PTB 29, 33)",
    contract: PLAIN.empty,
    needs: ["lasting", "breakReading"],
    run: async (setting) => {
      await setting.close(await opened(setting));
      const mend = await setting.breakReading();
      const opening = await outcomeOf(() => setting.open());
      if (!opening.failed) {
        await outcomeOf(() => opening.value.getChatData());
        await outcomeOf(() => opening.value.updateChatData(1000, { late: true }));
        await outcomeOf(() => opening.value.flush());
      }
      await mend();
      if (!opening.failed) await setting.close(opening.value);
      const now = (await kept(await setting.open())) as { chats: Map<number, unknown> };
      now.chats.delete(1000);
      same(now, filled(), "what was kept before, when reading works again");
    },
  },
  {
    name: "a failed write rejects, and afterwards nothing is lost (PTB 113)",
    contract: PLAIN.failedWrite,
    needs: ["lasting", "breakWriting"],
    run: async (setting) => {
      const persistence = await opened(setting);
      const mend = await setting.breakWriting();
      await rejects(
        () => changeAndFlush(persistence, 8),
        "updateChatData, or the flush after it, while nothing can be written",
      );
      await mend();
      oneOf(await kept(persistence), [filled(), withMessages(8)], "what the getters give after it");
      await changeAndFlush(persistence, 9);
      same(
        await kept(persistence),
        withMessages(9),
        "what the getters give after it was called again with a newer value",
      );
      same(await kept(await setting.reopen(persistence)), withMessages(9), "the same after reopening");
    },
  },
  {
    name: "a failed write destroys nothing for the next process (PTB 113)",
    contract: PLAIN.failedWrite,
    needs: ["lasting", "breakWriting", "snapshot"],
    run: async (setting) => {
      const persistence = await opened(setting);
      const mend = await setting.breakWriting();
      await outcomeOf(() => changeAndFlush(persistence, 8));
      const killed = await setting.snapshot();
      await mend();
      if (setting.abilities === "plain") await expectOldOrNew(setting, 8);
      await expectOldOrNew(killed, 8);
    },
  },
  {
    name: "what was flushed is there when the process is killed (PTB 122)",
    contract: PLAIN.flush,
    needs: ["lasting", "snapshot"],
    run: async (setting) => {
      await opened(setting);
      same(
        await kept(await (await setting.snapshot()).open()),
        filled(),
        "what the getters give of a snapshot after flush",
      );
    },
  },
  {
    name: "a process that is killed while it writes loses nothing older (PTB 122)",
    contract: PLAIN.kept,
    needs: ["lasting", "snapshot"],
    run: async (setting) => {
      const persistence = await opened(setting);
      const killed: Setting[] = [];
      await whilePending(changeAndFlush(persistence, 8), async () => void killed.push(await setting.snapshot()));
      for (const each of killed) await expectOldOrNew(each, 8);
      same(await kept(await setting.reopen(persistence)), withMessages(8), "what the getters give at the end");
    },
  },
];

async function opened(setting: Setting): Promise<BasePersistence> {
  const persistence = await setting.open();
  await fill(persistence);
  return persistence;
}

async function expectUnreadable(setting: Setting): Promise<void> {
  const opening = await outcomeOf(() => setting.open());
  // An atomic one may find out when it is opened.
  if (opening.failed) return;
  const persistence = opening.value;
  try {
    await rejects(() => persistence.getBotData(), "getBotData() while nothing can be read");
    await rejects(() => persistence.getChatData(), "getChatData() while nothing can be read");
    await rejects(() => persistence.getUserData(), "getUserData() while nothing can be read");
    await rejects(() => persistence.getCallbackData(), "getCallbackData() while nothing can be read");
    await rejects(() => persistence.getConversations("order"), 'getConversations("order") while nothing can be read');
    if (persistence.loadChatData) await rejects(() => persistence.loadChatData?.(42), "loadChatData(42), likewise");
    if (persistence.loadUserData) await rejects(() => persistence.loadUserData?.(42), "loadUserData(42), likewise");
  } finally {
    await outcomeOf(() => setting.close(persistence));
  }
}

async function changeAndFlush(persistence: BasePersistence, messages: number): Promise<void> {
  await persistence.updateChatData(42, { messages });
  await persistence.flush();
}

/** What {@link filled} is after {@link changeAndFlush}. */
function withMessages(messages: number): Readonly<Record<string, unknown>> {
  const all = filled();
  (all["chats"] as Map<number, object>).set(42, { messages });
  return all;
}

async function expectOldOrNew(setting: Setting, messages: number): Promise<void> {
  oneOf(await kept(await setting.open()), [filled(), withMessages(messages)], "what the getters give afterwards");
}
