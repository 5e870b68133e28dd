import { Api } from "grammy";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TelegramEmulator, type EmulatedBot, type EmulatedGroup, type EmulatedUser } from "../index.ts";

describe.each(["start", "connect"] as const)("members, by %s", (how) => {
  let server: TelegramEmulator;
  let emulator: TelegramEmulator;
  let bot: EmulatedBot;
  let other: EmulatedBot;
  let ann: EmulatedUser;
  let bob: EmulatedUser;
  let club: EmulatedGroup;
  let forum: EmulatedGroup;
  let api: Api;

  beforeEach(async () => {
    server = await TelegramEmulator.start();
    emulator = how === "start" ? server : await TelegramEmulator.connect(server.url);
    bot = await emulator.createBot({ username: "memory_bot" });
    other = await emulator.createBot({ username: "other_bot" });
    ann = await emulator.createUser({ firstName: "Ann", bot: bot.token });
    bob = await emulator.createUser({ firstName: "Bob" });
    club = await emulator.createGroup({ title: "Club", bot: bot.token, owner: ann });
    forum = await emulator.createGroup({ title: "Forum", bot: bot.token, owner: ann, supergroup: true });
    api = new Api(bot.token, { apiRoot: emulator.url });
  });
  afterEach(async () => {
    await emulator.stop();
    await server.stop();
  });

  /** What waits for a bot, and nothing of it any more after that. */
  async function fetched({ token } = bot): ReturnType<Api["getUpdates"]> {
    const caller = new Api(token, { apiRoot: emulator.url });
    const updates = await caller.getUpdates();
    await caller.getUpdates({ offset: (updates.at(-1)?.update_id ?? 0) + 1 });
    return updates;
  }

  test("a user joins, is added, leaves, and is removed", async () => {
    const joined = await club.add(bob);
    expect(joined).toMatchObject({ chat: club.chat, from: bob.user, new_chat_members: [bob.user] });
    await bob.send("hello", { chat: club });
    const left = await bob.leave(club);
    expect(left).toMatchObject({ from: bob.user, left_chat_member: bob.user });
    await expect(bob.send("still there?", { chat: club })).rejects.toThrow("is not in group");
    const added = await club.add(bob, { by: ann });
    expect(added).toMatchObject({ from: ann.user, new_chat_members: [bob.user] });
    const removed = await club.remove(bob);
    expect(removed).toMatchObject({ from: ann.user, left_chat_member: bob.user });
    const messages = (await fetched()).map(({ message }) => message);
    expect(messages).toMatchObject([joined, { text: "hello" }, left, added, removed]);
  });

  test("chat_member comes to those who ask for it", async () => {
    await api.getUpdates({ allowed_updates: ["chat_member"] });
    await forum.add(bob);
    await forum.promote(bob);
    await forum.demote(bob);
    await forum.remove(bob);
    const changes = (await fetched()).map(({ chat_member }) => chat_member);
    expect(changes).toMatchObject([
      { from: bob.user, old_chat_member: { status: "left" }, new_chat_member: { status: "member", user: bob.user } },
      { from: ann.user, old_chat_member: { status: "member" }, new_chat_member: { status: "administrator" } },
      { from: ann.user, old_chat_member: { status: "administrator" }, new_chat_member: { status: "member" } },
      { from: ann.user, old_chat_member: { status: "member" }, new_chat_member: { status: "kicked", until_date: 0 } },
    ]);
  });

  test("a bot hears of itself: my_chat_member, then the service message", async () => {
    const message = await club.add(other);
    expect(message).toMatchObject({ from: ann.user, new_chat_members: [{ id: other.id, is_bot: true }] });
    expect(await fetched(other)).toMatchObject([
      {
        my_chat_member: {
          chat: club.chat,
          from: ann.user,
          old_chat_member: { status: "left" },
          new_chat_member: { status: "member", user: { id: other.id, username: "other_bot" } },
        },
      },
      { message },
    ]);
    expect(await fetched()).toMatchObject([{ message }]);
    const removal = await club.remove(other);
    expect(await fetched(other)).toMatchObject([
      { my_chat_member: { old_chat_member: { status: "member" }, new_chat_member: { status: "left" } } },
      { message: removal },
    ]);
  });

  test("a bot that is removed cannot write, nor look", async () => {
    const kicked = (type: string): object => ({
      error_code: 403,
      description: `Forbidden: bot was kicked from the ${type} chat`,
    });
    await club.remove(bot);
    await expect(api.sendMessage(club.id, "x")).rejects.toMatchObject(kicked("group"));
    await forum.remove(bot);
    await expect(api.sendMessage(forum.id, "x")).rejects.toMatchObject(kicked("supergroup"));
    await expect(api.getChatMemberCount(forum.id)).rejects.toMatchObject(kicked("supergroup"));
    // Out of a supergroup it sees no more than that it was removed.
    expect((await fetched()).at(-1)).toMatchObject({ my_chat_member: { new_chat_member: { status: "kicked" } } });
    await forum.add(bot);
    expect(await api.sendMessage(forum.id, "back")).toMatchObject({ text: "back" });
  });

  test("a bot that was never there does not know the group", async () => {
    const stranger = new Api(other.token, { apiRoot: emulator.url });
    await expect(stranger.sendMessage(club.id, "x")).rejects.toThrow("chat not found");
  });

  test("leaveChat", async () => {
    await forum.add(other);
    await fetched();
    expect(await new Api(other.token, { apiRoot: emulator.url }).leaveChat(forum.id)).toBe(true);
    expect(await fetched()).toMatchObject([
      { message: { left_chat_member: { id: other.id }, from: { id: other.id } } },
    ]);
    expect((await fetched(other)).at(-1)).toMatchObject({ my_chat_member: { new_chat_member: { status: "left" } } });
    await expect(new Api(other.token, { apiRoot: emulator.url }).sendMessage(forum.id, "x")).rejects.toMatchObject({
      description: "Forbidden: bot is not a member of the supergroup chat",
    });
    await expect(api.leaveChat(ann.id)).rejects.toThrow("chat member status can't be changed in private chats");
  });

  test("getChatMember, getChatMemberCount, getChatAdministrators", async () => {
    await forum.add(bob);
    await forum.promote(bob);
    await forum.promote(bot);
    expect(await api.getChatMemberCount(forum.id)).toBe(3);
    expect(await api.getChatMemberCount(ann.id)).toBe(2);
    expect(await api.getChatMember(forum.id, bot.id)).toMatchObject({ status: "administrator", can_manage_chat: true });
    const administrators = await api.getChatAdministrators(forum.id);
    expect(administrators).toMatchObject([
      { status: "creator", user: ann.user },
      { status: "administrator", user: bob.user },
    ]);
    await forum.remove(bob);
    expect(await api.getChatAdministrators(forum.id)).toHaveLength(1);
    expect(await api.getChatMember(forum.id, bob.id)).toEqual({ status: "kicked", user: bob.user, until_date: 0 });
    await expect(api.getChatMember(forum.id, 1)).rejects.toThrow("user not found");
    await expect(api.getChatAdministrators(ann.id)).rejects.toThrow("there are no administrators in the private chat");
  });

  test("a private chat: my_chat_member when the user blocks the bot, and lets it in again", async () => {
    for (let count = 0; count < 2; count += 1) await ann.block(bot.token);
    await ann.unblock(bot.token);
    await bob.block(bot.token);
    expect(await fetched()).toMatchObject([
      {
        my_chat_member: {
          chat: { id: ann.id, type: "private" },
          from: ann.user,
          old_chat_member: { status: "member", user: { id: bot.id } },
          new_chat_member: { status: "kicked", until_date: 0 },
        },
      },
      { my_chat_member: { old_chat_member: { status: "kicked" }, new_chat_member: { status: "member" } } },
    ]);
  });

  test("mistakes are told", async () => {
    await expect(club.add(ann)).rejects.toThrow(/Ann \(user \d+\) is in group "Club" \(chat -\d+\) already/);
    await expect(club.remove(bob)).rejects.toThrow(/Bob \(user \d+\) is not in group "Club"/);
    await expect(club.promote(ann)).rejects.toThrow("nobody else is in group");
    await expect(club.promote(ann, { by: bot })).rejects.toThrow("whose role can change: creator");
    await expect(club.add({ id: 1 })).rejects.toThrow("there is no user with the id 1");
  });
});
