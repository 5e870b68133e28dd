import { Api, InlineKeyboard } from "grammy";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TelegramEmulator, type EmulatedBot, type EmulatedGroup, type EmulatedUser } from "../index.ts";

let emulator: TelegramEmulator;
let bot: EmulatedBot;
let ann: EmulatedUser;
let bob: EmulatedUser;
let club: EmulatedGroup;
let api: Api;
let now = 0;

beforeEach(async () => {
  now = 1_800_000_000_500;
  emulator = await TelegramEmulator.start({ clock: () => now });
  bot = await emulator.createBot({ username: "memory_bot", firstName: "Memory" });
  ann = await emulator.createUser({ firstName: "Ann", lastName: "Lee", username: "ann", bot: bot.token });
  bob = await emulator.createUser({ firstName: "Bob" });
  club = await emulator.createGroup({ title: "Club", bot: bot.token, members: [ann, bob] });
  api = new Api(bot.token, { apiRoot: emulator.url });
});
afterEach(() => emulator.stop());

function badRequest(reason: string): object {
  return { error_code: 400, description: `Bad Request: ${reason}` };
}

function keyboardWith(data: string): { reply_markup: InlineKeyboard } {
  return { reply_markup: new InlineKeyboard().text("Button", data) };
}

describe("getMe", () => {
  test("describes the bot", async () => {
    expect(await api.getMe()).toMatchObject({
      id: bot.id,
      is_bot: true,
      first_name: "Memory",
      username: "memory_bot",
      can_join_groups: true,
    });
    expect(bot.token.startsWith(`${bot.id}:`)).toBe(true);
  });
});

describe("sendMessage", () => {
  test("returns and stores a message", async () => {
    const message = await api.sendMessage(ann.id, "hello @ann");
    expect(message).toEqual({
      message_id: 1,
      from: { id: bot.id, is_bot: true, first_name: "Memory", username: "memory_bot" },
      chat: { id: ann.id, type: "private", first_name: "Ann", last_name: "Lee", username: "ann" },
      date: 1_800_000_000,
      text: "hello @ann",
      entities: [{ type: "mention", offset: 6, length: 4 }],
    });
    expect(await ann.messages()).toEqual([message]);
    expect(await emulator.messages(ann)).toEqual([message]);
  });

  test("counts message ids per account in private chats, per chat elsewhere", async () => {
    const carl = await emulator.createUser({ firstName: "Carl", bot: bot.token });
    const ids = [ann.id, carl.id, club.id, club.id].map(async (chat) => (await api.sendMessage(chat, "x")).message_id);
    expect(await Promise.all(ids)).toEqual([1, 2, 1, 2]);
    expect((await ann.send("y")).message_id).toBe(3);
  });

  test.each([
    ["", "message text is empty"],
    [" \n ", "message text is empty"],
    ["x".repeat(4097), "message is too long"],
  ])("refuses a text that is empty or too long (%#)", async (text, reason) => {
    await expect(api.sendMessage(ann.id, text)).rejects.toMatchObject(badRequest(reason));
  });

  test("takes 4096 characters, whatever they are made of", async () => {
    expect((await api.sendMessage(ann.id, "😀".repeat(4096))).text).toHaveLength(2 * 4096);
  });

  test("refuses an unknown chat, one without a chat with the bot, and a user who has blocked the bot", async () => {
    const carl = await emulator.createUser({ firstName: "Carl" });
    await expect(api.sendMessage(77, "x")).rejects.toMatchObject(badRequest("chat not found"));
    await expect(api.sendMessage(carl.id, "x")).rejects.toMatchObject(badRequest("chat not found"));
    await expect(api.sendMessage("@nobody", "x")).rejects.toMatchObject(badRequest("chat not found"));
    await expect(api.sendMessage("", "x")).rejects.toMatchObject(badRequest("chat_id is empty"));
    await expect(api.sendMessage(bob.id, "x")).rejects.toMatchObject({
      error_code: 403,
      description: "Forbidden: bot can't initiate conversation with a user",
    });
    await ann.block(bot.token);
    await expect(api.sendMessage(ann.id, "x")).rejects.toMatchObject({
      error_code: 403,
      description: "Forbidden: bot was blocked by the user",
    });
    await expect(ann.send("x")).rejects.toThrow("has blocked @memory_bot: unblock the bot first");
    await ann.unblock(bot.token);
    await api.sendMessage(ann.id, "x");
  });

  test("replies to a message, without nesting", async () => {
    const first = await ann.send("one");
    const second = await api.sendMessage(ann.id, "two", { reply_parameters: { message_id: first.message_id } });
    expect(second.reply_to_message).toEqual(first);
    const third = await ann.send("three", { replyTo: second });
    expect(third.reply_to_message).toMatchObject({ text: "two" });
    expect(third.reply_to_message).not.toHaveProperty("reply_to_message");
  });

  test("refuses to reply to nothing, unless told to go on", async () => {
    await expect(api.sendMessage(ann.id, "x", { reply_parameters: { message_id: 99 } })).rejects.toMatchObject(
      badRequest("message to be replied not found"),
    );
    const reply_parameters = { message_id: 99, allow_sending_without_reply: true };
    expect(await api.sendMessage(ann.id, "x", { reply_parameters })).not.toHaveProperty("reply_to_message");
  });

  test("takes callback data of 1 to 64 bytes, not characters", async () => {
    const message = await api.sendMessage(ann.id, "x", keyboardWith("é".repeat(32)));
    expect(message.reply_markup?.inline_keyboard).toEqual([[{ text: "Button", callback_data: "é".repeat(32) }]]);
    for (const data of ["é".repeat(33), "x".repeat(65), ""]) {
      await expect(api.sendMessage(ann.id, "x", keyboardWith(data))).rejects.toMatchObject(
        badRequest("BUTTON_DATA_INVALID"),
      );
    }
  });

  test("refuses inline buttons that do nothing, and keeps other reply markup out of the message", async () => {
    const idle = { inline_keyboard: [[{ text: "idle" }]] } as never;
    await expect(api.sendMessage(ann.id, "x", { reply_markup: idle })).rejects.toMatchObject(
      badRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
    );
    const reply_markup = { keyboard: [[{ text: "Yes" }]] };
    expect(await api.sendMessage(ann.id, "x", { reply_markup })).not.toHaveProperty("reply_markup");
  });
});

describe("editMessageText, editMessageReplyMarkup", () => {
  test("change the message", async () => {
    const { message_id } = await api.sendMessage(ann.id, "old", keyboardWith("a"));
    now += 5000;
    expect(await api.editMessageReplyMarkup(ann.id, message_id, keyboardWith("b"))).toMatchObject({
      text: "old",
      edit_date: 1_800_000_005,
      reply_markup: { inline_keyboard: [[{ callback_data: "b" }]] },
    });
    const edited = await api.editMessageText(ann.id, message_id, "new");
    expect(edited).not.toHaveProperty("reply_markup");
    expect(await ann.messages()).toEqual([edited]);
    expect(await ann.nextReply()).toMatchObject({ text: "old" });
    expect(await ann.nextEdit()).toMatchObject({ text: "old" });
    expect(await ann.nextEdit()).toMatchObject({ text: "new" });
  });

  test("refuse what changes nothing", async () => {
    const { message_id } = await api.sendMessage(ann.id, "same", keyboardWith("a"));
    const refused = badRequest(
      "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
    await expect(api.editMessageText(ann.id, message_id, "same", keyboardWith("a"))).rejects.toMatchObject(refused);
    await api.editMessageText(ann.id, message_id, "same");
    await expect(api.editMessageText(ann.id, message_id, "same")).rejects.toMatchObject(refused);
    await expect(api.editMessageReplyMarkup(ann.id, message_id)).rejects.toMatchObject(refused);
  });

  test("refuse what is not there, and what is not the bot's", async () => {
    const { message_id } = await ann.send("mine");
    await expect(api.editMessageText(ann.id, 99, "x")).rejects.toMatchObject(badRequest("message to edit not found"));
    await expect(api.editMessageText(ann.id, message_id, "x")).rejects.toMatchObject(
      badRequest("message can't be edited"),
    );
    await expect(api.editMessageReplyMarkup(ann.id, 99, keyboardWith("a"))).rejects.toMatchObject(
      badRequest("message to edit not found"),
    );
  });
});

describe("deleteMessage, deleteMessages", () => {
  test("delete", async () => {
    const own = await api.sendMessage(ann.id, "x");
    const hers = await ann.send("y");
    const last = await ann.send("z");
    expect(await api.deleteMessage(ann.id, own.message_id)).toBe(true);
    await expect(api.deleteMessage(ann.id, own.message_id)).rejects.toMatchObject(
      badRequest("message to delete not found"),
    );
    expect(await api.deleteMessages(ann.id, [own.message_id, hers.message_id])).toBe(true);
    expect(await ann.messages()).toEqual([last]);
  });

  test("refuse what is older than 48 hours, and what others wrote in a group", async () => {
    const old = await api.sendMessage(ann.id, "x");
    const hers = await ann.send("x", { chat: club });
    await expect(api.deleteMessage(club.id, hers.message_id)).rejects.toMatchObject(
      badRequest("message can't be deleted"),
    );
    now += 48 * 60 * 60 * 1000 + 1000;
    await expect(api.deleteMessage(ann.id, old.message_id)).rejects.toMatchObject(
      badRequest("message can't be deleted"),
    );
  });
});

describe("copyMessage, forwardMessage", () => {
  test("repeat a message elsewhere", async () => {
    const original = await ann.send("#news", { chat: club });
    const forwarded = await api.forwardMessage(ann.id, club.id, original.message_id);
    expect(forwarded).toMatchObject({
      text: "#news",
      entities: original.entities,
      forward_origin: { type: "user", sender_user: { id: ann.id }, date: original.date },
    });
    const { message_id } = await api.copyMessage(ann.id, club.id, original.message_id);
    const copy = (await ann.messages()).find((message) => message.message_id === message_id);
    expect(copy).toMatchObject({ text: "#news", from: { id: bot.id } });
    expect(copy).not.toHaveProperty("forward_origin");
    await expect(api.copyMessage(ann.id, club.id, 99)).rejects.toMatchObject(badRequest("message to copy not found"));
    await expect(api.forwardMessage(ann.id, club.id, 99)).rejects.toMatchObject(
      badRequest("message to forward not found"),
    );
  });
});

describe("sendPhoto, sendDocument", () => {
  test("keep file ids and captions", async () => {
    const photo = await api.sendPhoto(ann.id, "some-file-id", { caption: "look: https://example.org" });
    expect(photo).toMatchObject({ photo: [{ file_id: "some-file-id" }], caption_entities: [{ type: "url" }] });
    const document = await api.sendDocument(ann.id, "https://example.org/a.pdf");
    expect(document.document.file_id).not.toContain("example");
    expect(await api.editMessageCaption(ann.id, photo.message_id, { caption: "new" })).toMatchObject({
      caption: "new",
    });
    await expect(api.sendPhoto(ann.id, "")).rejects.toMatchObject(badRequest("there is no photo in the request"));
  });
});

describe("answerCallbackQuery", () => {
  test("reaches the user who pressed", async () => {
    const press = await ann.press(await api.sendMessage(ann.id, "x", keyboardWith("a")), "Button");
    expect(await api.answerCallbackQuery(press.id, { text: "Done", show_alert: true })).toBe(true);
    expect(await press.answer()).toEqual({ text: "Done", show_alert: true, cache_time: 0 });
    expect(await api.answerCallbackQuery(press.id, { text: "again" })).toBe(true);
    expect(await press.answer()).toMatchObject({ text: "Done" });
  });

  test("refuses an unknown query, another bot's, and an old one", async () => {
    const refused = badRequest("query is too old and response timeout expired or query ID is invalid");
    const press = await ann.press(await api.sendMessage(ann.id, "x", keyboardWith("a")), "Button");
    const { token } = await emulator.createBot({ username: "other_bot" });
    await expect(api.answerCallbackQuery("17")).rejects.toMatchObject(refused);
    await expect(new Api(token, { apiRoot: emulator.url }).answerCallbackQuery(press.id)).rejects.toMatchObject(
      refused,
    );
    now += 15 * 60 * 1000 + 1;
    await expect(api.answerCallbackQuery(press.id)).rejects.toMatchObject(refused);
  });
});

describe("chats and commands", () => {
  test("getChat, getChatMember, sendChatAction, leaveChat", async () => {
    const carl = await emulator.createUser({ firstName: "Carl" });
    expect(await api.getChat(club.id)).toMatchObject({ id: club.id, type: "group", title: "Club" });
    expect(await api.getChatMember(club.id, ann.id)).toMatchObject({ status: "member", user: { id: ann.id } });
    expect(await api.getChatMember(club.id, bot.id)).toMatchObject({ status: "member", user: { id: bot.id } });
    expect(await api.getChatMember(club.id, carl.id)).toMatchObject({ status: "left" });
    expect(await api.sendChatAction(club.id, "typing")).toBe(true);
    expect(await api.leaveChat(club.id)).toBe(true);
    await expect(api.sendMessage(club.id, "x")).rejects.toMatchObject({
      error_code: 403,
      description: "Forbidden: bot was kicked from the group chat",
    });
  });

  test("setMyCommands, getMyCommands, deleteMyCommands", async () => {
    const commands = [{ command: "start", description: "Begin" }];
    expect(await api.setMyCommands(commands, { language_code: "de" })).toBe(true);
    expect(await api.getMyCommands()).toEqual([]);
    expect(await api.getMyCommands({ language_code: "de" })).toEqual(commands);
    expect(await api.deleteMyCommands({ language_code: "de" })).toBe(true);
    expect(await api.getMyCommands({ language_code: "de" })).toEqual([]);
  });
});
