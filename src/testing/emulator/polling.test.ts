import { Api } from "grammy";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TelegramEmulator, type EmulatedBot, type EmulatedUser } from "../index.ts";

let emulator: TelegramEmulator;
let bot: EmulatedBot;
let ann: EmulatedUser;
let api: Api;
let now = 0;

beforeEach(async () => {
  now = 1_800_000_000_000;
  emulator = await TelegramEmulator.start({ clock: () => now, random: () => 0.5 });
  bot = await emulator.createBot({ username: "memory_bot" });
  ann = await emulator.createUser({ firstName: "Ann", bot: bot.token });
  api = new Api(bot.token, { apiRoot: emulator.url });
});
afterEach(() => emulator.stop());

describe("getUpdates", () => {
  test("gives an update again until an offset above its id confirms it", async () => {
    await ann.send("a");
    await ann.send("b");
    const [first, second] = await api.getUpdates();
    expect([first?.message?.text, second?.message?.text]).toEqual(["a", "b"]);
    expect(second?.update_id).toBe((first?.update_id ?? 0) + 1);
    expect(await api.getUpdates({ offset: first?.update_id ?? 0 })).toEqual([first, second]);
    expect(await api.getUpdates({ offset: second?.update_id ?? 0 })).toEqual([second]);
    expect(await api.getUpdates()).toEqual([second]);
    expect(await emulator.pending(bot.token)).toEqual([second]);
    expect([...(await emulator.deliveries(bot.token)).values()]).toEqual([2, 4]);
  });

  test("starts its ids at a random number", async () => {
    await ann.send("a");
    expect((await api.getUpdates())[0]?.update_id).toBe(550_000_000);
  });

  test("limits to between 1 and 100", async () => {
    for (let count = 0; count < 101; count += 1) await ann.send("x");
    expect(await api.getUpdates()).toHaveLength(100);
    expect(await api.getUpdates({ limit: 1000 })).toHaveLength(100);
    expect(await api.getUpdates({ limit: 2 })).toHaveLength(2);
    expect(await api.getUpdates({ limit: 0 })).toHaveLength(1);
    expect(await api.getUpdates({ offset: -3 })).toHaveLength(3);
  });

  test("waits up to the timeout, and answers as soon as something is there", async () => {
    const waiting = api.getUpdates({ timeout: 50 });
    await emulator.untilPolling(bot.token);
    await ann.send("at last");
    expect((await waiting)[0]?.message?.text).toBe("at last");
    expect(await api.getUpdates({ offset: 550_000_001, timeout: 1 })).toEqual([]);
  });

  test("hands out what comes together together", async () => {
    const waiting = api.getUpdates({ timeout: 50 });
    await emulator.untilPolling(bot.token);
    await Promise.all([ann.send("a"), ann.send("b"), ann.send("c")]);
    expect((await waiting).map(({ message }) => message?.text)).toEqual(["a", "b", "c"]);
  });

  test("the client's leaving ends the wait and takes nothing", async () => {
    const abort = new AbortController();
    const waiting = api.getUpdates({ timeout: 50 }, abort.signal as never);
    await emulator.untilPolling(bot.token);
    abort.abort();
    await expect(waiting).rejects.toThrow("Network request for");
    // The emulator hears of it before it hears of a later request.
    await api.getMe();
    await ann.send("for the next one");
    expect(await emulator.deliveries(bot.token)).toEqual(new Map());
    expect(await api.getUpdates()).toHaveLength(1);
  });

  test("a second poll that waits ends the first with a conflict", async () => {
    const first = api.getUpdates({ timeout: 50 });
    first.catch(() => {});
    await emulator.untilPolling(bot.token);
    const second = api.getUpdates({ timeout: 50 });
    await expect(first).rejects.toMatchObject({
      error_code: 409,
      description: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    });
    await ann.send("for the second");
    expect(await second).toHaveLength(1);
  });

  test("a poll that is answered at once disturbs nobody", async () => {
    const waiting = api.getUpdates({ timeout: 50 });
    await emulator.untilPolling(bot.token);
    expect(await api.getUpdates({ limit: 1 })).toEqual([]);
    await ann.send("x");
    expect(await waiting).toHaveLength(1);
  });

  test("remembers allowed_updates for updates to come", async () => {
    const message = await ann.send("early");
    await api.getUpdates({ allowed_updates: ["poll_answer"] });
    await ann.send("not wanted");
    await api.getUpdates();
    await ann.edit(message, "not wanted");
    expect(await emulator.pending(bot.token)).toHaveLength(1);
    await api.getUpdates({ allowed_updates: [] });
    await ann.send("wanted again");
    expect((await api.getUpdates()).map(({ message: received }) => received?.text)).toEqual(["early", "wanted again"]);
  });

  test("gives chat_member and reactions only to those who ask", async () => {
    const chat = { id: -5, type: "group", title: "Club" } as const;
    const user = ann.user;
    const member = { status: "member", user } as const;
    const chat_member = { chat, from: user, date: 1, old_chat_member: member, new_chat_member: member };
    expect(await emulator.send(bot.token, { chat_member })).toBeUndefined();
    await api.getUpdates({ allowed_updates: ["chat_member"] });
    expect(await emulator.send(bot.token, { chat_member })).toBe(550_000_000);
    const [missed] = await emulator.transcript({ kind: "chat_member" });
    expect(missed).toMatchObject({ type: "update", chat: -5, user: ann.id, updateId: undefined });
  });

  test("drops updates after 24 hours", async () => {
    await ann.send("forgotten");
    now += 24 * 60 * 60 * 1000 + 1;
    expect(await api.getUpdates()).toEqual([]);
    expect((await api.getWebhookInfo()).pending_update_count).toBe(0);
  });

  test("reaches a bot whose offset is far beyond ids that started anew", async () => {
    await ann.send("old");
    const offset = ((await api.getUpdates())[0]?.update_id ?? 0) + 1;
    await expect(emulator.restartUpdateIds(bot.token)).rejects.toThrow("nothing is unconfirmed");
    const waiting = api.getUpdates({ offset, timeout: 50 });
    await emulator.untilPolling(bot.token);
    await emulator.restartUpdateIds(bot.token, 17);
    await ann.send("new");
    expect(await waiting).toMatchObject([{ update_id: 17, message: { text: "new" } }]);
  });
});

describe("webhook methods", () => {
  test("deleteWebhook can drop what waits", async () => {
    await ann.send("a");
    expect(await api.getWebhookInfo()).toMatchObject({ url: "", pending_update_count: 1 });
    expect(await api.deleteWebhook()).toBe(true);
    expect(await emulator.pending(bot.token)).toHaveLength(1);
    await api.deleteWebhook({ drop_pending_updates: true });
    expect(await emulator.pending(bot.token)).toEqual([]);
  });
});

test("untilConfirmed says what is missing", async () => {
  await ann.send("hello?");
  await expect(emulator.untilConfirmed(bot.token, { timeout: 20 })).rejects.toThrow(
    /1 updates of @memory_bot were not confirmed within 20 ms\. What happened last:\n#0 user \d+ in chat \d+ to @memory_bot: message "hello\?"/,
  );
});
