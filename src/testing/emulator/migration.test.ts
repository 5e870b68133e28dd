import { Api, InlineKeyboard } from "grammy";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TelegramEmulator, type EmulatedBot, type EmulatedGroup, type EmulatedUser } from "../index.ts";

describe.each(["start", "connect"] as const)("migration, by %s", (how) => {
  let server: TelegramEmulator;
  let emulator: TelegramEmulator;
  let bot: EmulatedBot;
  let ann: EmulatedUser;
  let bob: EmulatedUser;
  let club: EmulatedGroup;
  let api: Api;

  beforeEach(async () => {
    server = await TelegramEmulator.start();
    emulator = how === "start" ? server : await TelegramEmulator.connect(server.url);
    bot = await emulator.createBot({ username: "memory_bot" });
    ann = await emulator.createUser({ firstName: "Ann", bot: bot.token });
    bob = await emulator.createUser({ firstName: "Bob" });
    club = await emulator.createGroup({ title: "Club", bot: bot.token, owner: ann, members: [bob] });
    api = new Api(bot.token, { apiRoot: emulator.url });
  });
  afterEach(async () => {
    await emulator.stop();
    await server.stop();
  });

  test("title, people, bots and roles go along", async () => {
    const supergroup = await club.migrate();
    expect(supergroup.chat).toMatchObject({ type: "supergroup", title: "Club" });
    expect(String(supergroup.id)).toMatch(/^-100\d{10}$/);
    await bob.send("here", { chat: supergroup });
    await api.sendMessage(supergroup.id, "so am I");
    expect(await supergroup.nextReply()).toMatchObject({ text: "so am I", chat: supergroup.chat });
    expect(await api.getChatMemberCount(supergroup.id)).toBe(3);
    expect(await api.getChatMember(supergroup.id, ann.id)).toMatchObject({ status: "creator" });
    expect((await emulator.group(supergroup.id)).chat).toEqual(supergroup.chat);
    expect((await club.migrate({}).catch(String)) as string).toContain("it is one already");
    await expect(supergroup.migrate()).rejects.toThrow('supergroup "Club"');
  });

  test.each([
    ["oldFirst", [["to", "from"]]],
    ["newFirst", [["from", "to"]]],
    ["manual", [[]]],
  ] as const)("the service messages come %s", async (announce, [order]) => {
    const supergroup = await club.migrate({ announce, id: -1_001_111_111_111 });
    expect(supergroup.id).toBe(-1_001_111_111_111);
    const messages = (await emulator.pending(bot.token)).map(({ message }) => message);
    const expected = {
      to: { chat: club.chat, from: ann.user, migrate_to_chat_id: supergroup.id },
      from: { chat: supergroup.chat, sender_chat: supergroup.chat, migrate_from_chat_id: club.id, message_id: 1 },
    };
    expect(messages).toMatchObject(order.map((side) => expected[side]));
    expect(messages).toHaveLength(order.length);
  });

  test("a service message can come late, after the new chat has talked, and twice", async () => {
    const supergroup = await club.migrate({ announce: "manual" });
    await bob.send("first", { chat: supergroup });
    const announced = await supergroup.announceMigration();
    expect(await supergroup.announceMigration()).toEqual(announced);
    await club.announceMigration();
    const updates = await emulator.pending(bot.token);
    expect(updates.map(({ message }) => message?.text ?? message?.migrate_from_chat_id ?? message?.chat.id)).toEqual([
      "first",
      club.id,
      club.id,
      club.id,
    ]);
    expect(updates[1]?.message).toEqual(updates[2]?.message);
    expect(new Set(updates.map(({ update_id }) => update_id)).size).toBe(4);
    expect(await supergroup.messages()).toHaveLength(2);
  });

  test("the old chat tells bots the new id, and people where to write", async () => {
    const { message_id } = await api.sendMessage(club.id, "x", { reply_markup: new InlineKeyboard().text("A", "a") });
    const supergroup = await club.migrate();
    const refused = {
      error_code: 400,
      description: "Bad Request: group chat was upgraded to a supergroup chat",
      parameters: { migrate_to_chat_id: supergroup.id },
    };
    await expect(api.sendMessage(club.id, "x")).rejects.toMatchObject(refused);
    await expect(api.editMessageText(club.id, message_id, "y")).rejects.toMatchObject(refused);
    await expect(ann.send("x", { chat: club })).rejects.toThrow(`write to chat ${supergroup.id}`);
    await expect(club.add(await emulator.createUser({ firstName: "Eve" }))).rejects.toThrow("is a supergroup now");
    expect(await api.getChat(club.id)).toMatchObject({ type: "group" });
  });

  test("what has not migrated has nothing to tell", async () => {
    await expect(club.announceMigration()).rejects.toThrow('group "Club" (chat');
    const lonely = await emulator.createGroup({ title: "Lonely", bot: bot.token });
    await lonely.migrate();
    expect((await emulator.pending(bot.token))[0]?.message?.from).toMatchObject({ username: "GroupAnonymousBot" });
  });
});
