import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { change, openedSqlite } from "../../../test/support/opened-sqlite.ts";
import { query } from "../../../test/support/read-file.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { withCode } from "../../../test/support/with-code.ts";
import type { ConversationId } from "../../data/record.ts";
import type { SqlitePersistence } from "./sqlite-persistence.ts";

interface Setting {
  readonly path: string;
  readonly persistence: SqlitePersistence;
  /** The same file, opened anew. */
  readonly reopened: () => Promise<SqlitePersistence>;
}

async function setting(): Promise<Setting> {
  const path = join(temporaryFolder(), "bot.sqlite");
  const persistence = await openedSqlite(path);
  onTestFinished(() => persistence.close());
  const reopened = async (): Promise<SqlitePersistence> => {
    persistence.close();
    await persistence.open({ botId: 1, now: () => 0 });
    return persistence;
  };
  return { path, persistence, reopened };
}

describe("the methods that come from python-telegram-bot", () => {
  test("8, 9, 10, 11: nothing was kept yet", async () => {
    const { persistence } = await setting();
    expect(await persistence.getBotData()).toBeUndefined();
    expect(await persistence.getChatData()).toEqual(new Map());
    expect(await persistence.getUserData()).toEqual(new Map());
    expect(await persistence.getCallbackData()).toBeUndefined();
    expect(await persistence.getConversations("order")).toEqual([]);
    expect(await persistence.conversationNames()).toEqual([]);
  });

  test("8, 9, 12, 13: the data of the bot, of chats and of users, over a restart", async () => {
    const { persistence, reopened } = await setting();
    await persistence.updateBotData({ since: new Date(5) });
    await persistence.updateChatData(-1001, { n: 1n });
    await persistence.updateChatData(7, { n: 2n });
    await persistence.updateChatData(7, { n: 3n });
    await persistence.updateUserData(7, { tags: new Set(["a"]) });
    const again = await reopened();
    expect(await again.getBotData()).toEqual({ since: new Date(5) });
    expect(await again.getChatData()).toEqual(
      new Map([
        [-1001, { n: 1n }],
        [7, { n: 3n }],
      ]),
    );
    expect(await again.getUserData()).toEqual(new Map([[7, { tags: new Set(["a"]) }]]));
  });

  test("8: of more chats than one page holds, each once", async () => {
    const { persistence } = await setting();
    const ids = Array.from({ length: 1201 }, (_, id) => id - 600);
    await persistence.commit([{ changes: ids.map((id) => change({ kind: "chat", id }, `{"id":${id}}`)) }]);
    expect(await persistence.getChatData()).toEqual(new Map(ids.map((id) => [id, { id }])));
  });

  test("12, 13: a record's version stays", async () => {
    const { path, persistence } = await setting();
    await persistence.commit([
      { changes: [{ key: { kind: "chat", id: 1 }, record: { text: "{}", version: 3 } }] },
      { changes: [{ key: { kind: "bot" }, record: { text: "{}", version: 2 } }] },
    ]);
    await persistence.updateChatData(1, { n: 1 });
    await persistence.updateBotData({ n: 1 });
    await persistence.updateUserData(1, { n: 1 });
    const versions = "select version, data from";
    expect(query(path, `${versions} chat_data`)).toEqual([{ version: 3, data: '{"n":1}' }]);
    expect(query(path, `${versions} bot_data`)).toEqual([{ version: 2, data: '{"n":1}' }]);
    expect(query(path, `${versions} user_data`)).toEqual([{ version: 0, data: '{"n":1}' }]);
  });

  test("15: a dropped chat or user is gone, and one that was never there may be dropped", async () => {
    const { persistence, reopened } = await setting();
    await persistence.updateChatData(1, {});
    await persistence.updateUserData(1, {});
    await persistence.dropChatData(1);
    await persistence.dropChatData(2);
    await persistence.dropUserData(1);
    await persistence.dropUserData(2);
    const again = await reopened();
    expect(await again.getChatData()).toEqual(new Map());
    expect(await again.getUserData()).toEqual(new Map());
  });

  test("11, 14, 48: conversations by their handler's name; one that has ended leaves nothing", async () => {
    const { path, persistence, reopened } = await setting();
    const ids: ConversationId[] = [[1, 2], [1, "2"], [-100], []];
    for (const id of ids) await persistence.updateConversation("order", id, `at ${JSON.stringify(id)}`);
    await persistence.updateConversation("order", [1, 2], 5);
    await persistence.updateConversation("other", [1, 2], { deep: new Date(1) });
    await persistence.updateConversation("order", [-100], null);
    await persistence.updateConversation("order", [9], null);
    const again = await reopened();
    const found = await again.getConversations("order");
    expect(new Map(found.map(([id, state]) => [JSON.stringify(id), state]))).toEqual(
      new Map<string, unknown>([
        ["[1,2]", 5],
        ['[1,"2"]', 'at [1,"2"]'],
        ["[]", "at []"],
      ]),
    );
    expect(await again.getConversations("other")).toEqual([[[1, 2], { deep: new Date(1) }]]);
    expect(await again.conversationNames()).toEqual(["order", "other"]);
    expect(query(path, "select count(*) as n from conversation")).toEqual([{ n: 4 }]);
  });

  test("10, 13: callback data in PTB's shape, the least recently used keyboard first, all replaced by the next", async () => {
    const { persistence, reopened } = await setting();
    const first = [
      [
        ["b", 1700000000.5, { x: { pick: 1 } }],
        ["a", 1700000001, { y: new Date(1), z: "text" }],
      ],
      { q1: "a", q2: "b" },
    ] as const;
    await persistence.updateCallbackData(first);
    expect(await (await reopened()).getCallbackData()).toEqual(first);
    await persistence.updateCallbackData([[["c", 5, { x: 1 }]], { q2: "c" }]);
    expect(await (await reopened()).getCallbackData()).toEqual([[["c", 5, { x: 1 }]], { q2: "c" }]);
    await persistence.updateCallbackData([[], {}]);
    expect(await persistence.getCallbackData()).toBeUndefined();
  });

  test("21: flush may be called at any time", async () => {
    const { persistence } = await setting();
    await persistence.updateBotData({ n: 1 });
    expect(await persistence.flush()).toBeUndefined();
    expect(await persistence.getBotData()).toEqual({ n: 1 });
  });

  test("a value that cannot be kept changes nothing, and a text that cannot be read is no absent value", async () => {
    const { persistence } = await setting();
    await persistence.updateChatData(1, { n: 1 });
    await expect(persistence.updateChatData(1, { f: () => {} })).rejects.toThrow(withCode("PERDURE_CANNOT_KEEP"));
    expect(await persistence.getChatData()).toEqual(new Map([[1, { n: 1 }]]));
    await persistence.commit([{ changes: [change({ kind: "chat", id: 2 }, "{")] }]);
    await expect(persistence.getChatData()).rejects.toThrow(withCode("PERDURE_CANNOT_DECODE"));
  });

  test("closed, each of them says so", async () => {
    const { persistence } = await setting();
    persistence.close();
    const closed = withCode("PERDURE_CLOSED");
    await expect(persistence.getBotData()).rejects.toThrow(closed);
    await expect(persistence.getChatData()).rejects.toThrow(closed);
    await expect(persistence.getUserData()).rejects.toThrow(closed);
    await expect(persistence.getCallbackData()).rejects.toThrow(closed);
    await expect(persistence.getConversations("order")).rejects.toThrow(closed);
    await expect(persistence.updateBotData({})).rejects.toThrow(closed);
    await expect(persistence.updateCallbackData([[], {}])).rejects.toThrow(closed);
    await expect(persistence.updateConversation("order", [1], 1)).rejects.toThrow(closed);
    await expect(persistence.dropChatData(1)).rejects.toThrow(closed);
  });
});
