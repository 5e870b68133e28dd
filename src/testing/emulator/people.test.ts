import { Api } from "grammy";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TelegramEmulator, type EmulatedBot, type EmulatedUser } from "../index.ts";

/** The same stories in one process and over HTTP: the two must not differ. */
describe.each(["start", "connect"] as const)("people, by %s", (how) => {
  let server: TelegramEmulator;
  let emulator: TelegramEmulator;
  let bot: EmulatedBot;
  let ann: EmulatedUser;
  let api: Api;

  beforeEach(async () => {
    server = await TelegramEmulator.start();
    emulator = how === "start" ? server : await TelegramEmulator.connect(`${server.url}/`);
    bot = await emulator.createBot({ username: "memory_bot" });
    ann = await emulator.createUser({ firstName: "Ann", languageCode: "de", bot: bot.token });
    api = new Api(bot.token, { apiRoot: emulator.url });
  });
  afterEach(async () => {
    await emulator.stop();
    await server.stop();
  });

  test("a user writes", async () => {
    const message = await ann.send("/start@memory_bot x");
    expect(await api.getUpdates()).toEqual([{ update_id: expect.any(Number), message }]);
    expect(message).toMatchObject({
      chat: { id: ann.id, type: "private", first_name: "Ann" },
      from: { id: ann.id, is_bot: false, first_name: "Ann", language_code: "de" },
      entities: [{ type: "bot_command", offset: 0, length: 17 }],
    });
  });

  test("a user sends something else than text", async () => {
    const contact = { phone_number: "+491234", first_name: "Ann" };
    expect(await ann.send({ contact })).toMatchObject({ contact });
    expect(await ann.send({ caption: "see #this", photo: [] })).toMatchObject({
      caption_entities: [{ type: "hashtag" }],
    });
  });

  test("a user edits, but only what is theirs", async () => {
    const message = await ann.send("/strat");
    const edited = await ann.edit(message, "start");
    expect(edited).toEqual({ ...message, text: "start", entities: undefined, edit_date: expect.any(Number) });
    expect((await api.getUpdates()).at(-1)).toMatchObject({ edited_message: { text: "start" } });
    const answer = await api.sendMessage(ann.id, "x");
    await expect(ann.edit(answer, "y")).rejects.toThrow(/message 2 is not by Ann \(user \d+\)/);
  });

  test("a user presses a button by text, by place, and with data of their own", async () => {
    const inline_keyboard = [[{ text: "A", callback_data: "a" }], [{ text: "Web", url: "https://example.org" }]];
    const message = await api.sendMessage(ann.id, "x", { reply_markup: { inline_keyboard } });
    await ann.press(message, "A");
    await ann.press(message, { row: 0, column: 0 });
    await ann.press(message, { data: "forged" });
    const updates = await api.getUpdates();
    expect(updates.map(({ callback_query }) => callback_query?.data)).toEqual(["a", "a", "forged"]);
    expect(updates[0]?.callback_query).toEqual({
      id: expect.stringMatching(/^\d{18}$/),
      from: ann.user,
      message,
      chat_instance: expect.any(String),
      data: "a",
    });
    await expect(ann.press(message, "B")).rejects.toThrow('message 1 has no button "B"; it has: "A", "Web"');
    await expect(ann.press(message, { row: 1, column: 0 })).rejects.toThrow(
      "the button at row 1, column 0 of message 1 has no callback data",
    );
  });

  test("a press waits for its answer", async () => {
    const inline_keyboard = [[{ text: "A", callback_data: "a" }]];
    const message = await api.sendMessage(ann.id, "x", { reply_markup: { inline_keyboard } });
    const press = await ann.press(message, "A");
    await expect(press.answer({ timeout: 10 })).rejects.toThrow("no answer to the callback query within 10 ms");
    const answer = press.answer();
    await api.answerCallbackQuery(press.id, { text: "yes" });
    expect(await answer).toMatchObject({ text: "yes" });
  });

  test("replies are read once each, in order", async () => {
    await api.sendMessage(ann.id, "one");
    await api.sendMessage(ann.id, "two");
    const replies = [ann.nextReply(), ann.nextReply(), ann.nextReply()];
    await Promise.all(replies.slice(0, 2));
    await api.sendMessage(ann.id, "three");
    expect((await Promise.all(replies)).map(({ text }) => text)).toEqual(["one", "two", "three"]);
  });

  test("a reply that does not come is an error that tells what happened, at the line that waits", async () => {
    await ann.send("anybody?");
    const error = (await ann.nextReply({ timeout: 10 }).catch((reason: unknown) => reason)) as Error;
    expect(error.message).toMatch(
      /^no new message of a bot in the private chat of Ann \(chat \d+\) with @memory_bot within 10 ms\. What happened last:\n#0 user \d+ in chat \d+ to @memory_bot: message "anybody\?" \(update \d+\)$/,
    );
    expect(error.stack).toContain("people.test.ts");
    const reply = ann.nextReply();
    await api.sendMessage(ann.id, "late");
    expect(await reply).toMatchObject({ text: "late" });
  });

  test("a group has its members, and all its bots hear them", async () => {
    const other = await emulator.createBot({ username: "other_bot" });
    const bob = await emulator.createUser({ firstName: "Bob" });
    const group = await emulator.createGroup({ title: "Club", bots: [bot.token, other.token], members: [ann] });
    expect(group.id).toBeLessThan(0);
    const message = await ann.send("hello", { chat: group });
    expect(message.chat).toEqual({ id: group.id, type: "group", title: "Club" });
    expect(await emulator.pending(bot.token)).toMatchObject([{ message }]);
    expect(await emulator.pending(other.token)).toMatchObject([{ message }]);
    await expect(bob.send("hello", { chat: group })).rejects.toThrow(/Bob \(user \d+\) is not in group "Club"/);
    await api.sendMessage(group.id, "hi");
    expect(await group.nextReply()).toMatchObject({ text: "hi" });
    await expect(group.nextReply({ timeout: 1 })).rejects.toThrow('no new message of a bot in group "Club"');
    expect((await group.messages()).map(({ text }) => text)).toEqual(["hello", "hi"]);
  });

  test("supergroups have their kind of id", async () => {
    const { chat } = await emulator.createGroup({ title: "Big", bot: bot.token, supergroup: true });
    expect(chat).toMatchObject({ type: "supergroup", title: "Big" });
    expect(String(chat.id)).toMatch(/^-100\d{10}$/);
  });

  test("two bots share no private chat", async () => {
    const other = await emulator.createBot({ username: "other_bot" });
    await ann.send("to the first");
    await ann.send("to the other", { bot: other.token });
    expect((await emulator.pending(other.token)).map(({ message }) => message?.text)).toEqual(["to the other"]);
    await new Api(other.token, { apiRoot: emulator.url }).sendMessage(ann.id, "from the other");
    expect(await ann.nextReply({ bot: other.token })).toMatchObject({ text: "from the other", message_id: 2 });
    expect(await ann.messages()).toHaveLength(1);
    const carl = await emulator.createUser({ firstName: "Carl" });
    await expect(carl.send("x")).rejects.toThrow("there are several bots: say which one");
  });

  test("raw updates bring their people, chats and messages along", async () => {
    const from = { id: 5, is_bot: false, first_name: "Eve" };
    const chat = { id: -1_001_234_567_890, type: "supergroup", title: "Elsewhere" } as const;
    const message = { message_id: 41, date: 1, chat, from, text: "hi" };
    expect(await emulator.send(bot.token, { message })).toBeTypeOf("number");
    expect(await api.sendMessage(chat.id, "hello", { reply_parameters: { message_id: 41 } })).toMatchObject({
      message_id: 42,
    });
    const group = await emulator.group(chat.id);
    expect(await group.nextReply()).toMatchObject({ text: "hello" });
    const eve = await emulator.user(5, { bot: bot.token });
    await eve.send("again", { chat: group });
    await emulator.send(bot.token, { callback_query: { id: "77", from, chat_instance: "1", data: "x", message } });
    expect(await api.answerCallbackQuery("77")).toBe(true);
    expect(
      await emulator.send(bot.token, { poll_answer: { poll_id: "1", option_ids: [], option_persistent_ids: [] } }),
    ).toBeTypeOf("number");
    await expect(emulator.send(bot.token, {})).rejects.toThrow("an update has exactly one content field");
  });

  test("a raw private message starts a chat", async () => {
    const chat = { id: 6, type: "private", first_name: "Fay" } as const;
    const from = { id: 6, is_bot: false, first_name: "Fay" };
    await emulator.send(bot.token, { message: { message_id: 1, date: 1, chat, from, text: "hi" } });
    expect(await api.sendMessage(6, "hello")).toMatchObject({ message_id: 2, chat });
  });

  test("the transcript tells both sides, in order", async () => {
    await ann.send("hello");
    await api.sendMessage(ann.id, "hi");
    await api.sendMessage(1, "lost").catch(() => {});
    const entries = await emulator.transcript();
    expect(entries).toMatchObject([
      { type: "update", index: 0, bot: "memory_bot", kind: "message", user: ann.id, chat: ann.id },
      {
        type: "call",
        index: 1,
        bot: "memory_bot",
        method: "sendMessage",
        chat: ann.id,
        ok: true,
        result: { text: "hi" },
      },
      { type: "call", index: 2, payload: { chat_id: 1, text: "lost" }, ok: false, error: { code: 400 } },
    ]);
    const calls = await emulator.transcript({ method: "sendMessage", chat: ann.id, bot: bot.token });
    expect(calls.map(({ index }) => index)).toEqual([1]);
  });

  test("many may wait at once", async () => {
    const users = await Promise.all(
      Array.from({ length: 50 }, () => emulator.createUser({ firstName: "X", bot: bot.token })),
    );
    const replies = users.map((user) => user.nextReply());
    await Promise.all(users.map((user) => api.sendMessage(user.id, String(user.id))));
    expect((await Promise.all(replies)).map(({ text }) => text)).toEqual(users.map(({ id }) => String(id)));
  });

  test("mistakes are told", async () => {
    await expect(emulator.createUser({ firstName: "X", bot: "1:no" })).rejects.toThrow('no bot with the token "1:no"');
    await expect(emulator.createUser({ firstName: "X", id: ann.id })).rejects.toThrow("there is a user with the id");
    await expect(emulator.createBot({ username: "memory_bot" })).rejects.toThrow("a bot with the username memory_bot");
    await expect(emulator.createBot({ username: "b", id: 5, token: "6:abc" })).rejects.toThrow(
      'begins with its id: "5:',
    );
    await expect(emulator.user(1)).rejects.toThrow("there is no user with the id 1");
    await expect(emulator.group(-1)).rejects.toThrow("there is no group with the id -1");
  });

  test("ids and tokens can be chosen", async () => {
    const chosen = await emulator.createBot({ username: "chosen_bot", token: "42:secret" });
    expect(chosen).toEqual({ id: 42, token: "42:secret", username: "chosen_bot" });
    expect((await emulator.createUser({ firstName: "X", id: 7, bot: "42:secret" })).id).toBe(7);
    expect((await emulator.createGroup({ title: "X", id: -7, bot: "42:secret" })).id).toBe(-7);
  });
});
