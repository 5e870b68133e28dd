import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Api, InlineKeyboard } from "grammy";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { TelegramEmulator, type EmulatedBot, type EmulatedUser } from "../index.ts";

const HOUR = 60 * 60 * 1000;

/** The same stories in one process, over HTTP, and with the emulator in a process of its own. */
describe.each(["start", "connect", "spawn"] as const)("a driven clock, by %s", (how) => {
  let server: TelegramEmulator;
  let emulator: TelegramEmulator;
  let bot: EmulatedBot;
  let ann: EmulatedUser;
  let api: Api;

  beforeEach(async () => {
    const options = { clock: "driven", webhookTimeout: 10_000 } as const;
    server = await (how === "spawn" ? TelegramEmulator.spawn(options) : TelegramEmulator.start(options));
    emulator = how === "connect" ? await TelegramEmulator.connect(server.url) : server;
    bot = await emulator.createBot({ username: "memory_bot" });
    ann = await emulator.createUser({ firstName: "Ann", bot: bot.token });
    api = new Api(bot.token, { apiRoot: emulator.url });
  });
  afterEach(async () => {
    await emulator.stop();
    await server.stop();
  });

  test("dates", async () => {
    const first = await ann.send("a");
    await emulator.advance(5000);
    expect((await ann.send("b")).date).toBe(first.date + 5);
    const [update] = await emulator.transcript();
    expect(Math.floor((update?.at ?? 0) / 1000)).toBe(first.date);
  });

  test("24 hours of unconfirmed updates", async () => {
    await ann.send("forgotten");
    await emulator.advance(24 * HOUR + 1);
    expect(await api.getUpdates()).toEqual([]);
  });

  test("long polls", async () => {
    const poll = api.getUpdates({ timeout: 30 });
    await emulator.untilPolling(bot.token);
    await emulator.advance(29_999);
    await emulator.untilPolling(bot.token, { timeout: 1000 });
    await emulator.advance(1);
    expect(await poll).toEqual([]);
  });

  test("answers to presses", async () => {
    const reply_markup = new InlineKeyboard().text("Button", "data");
    const press = await ann.press(await api.sendMessage(ann.id, "x", { reply_markup }), "Button");
    await emulator.advance(15 * 60 * 1000 + 1);
    await expect(api.answerCallbackQuery(press.id)).rejects.toThrow("query is too old");
  });

  test("faults that delay", async () => {
    const fault = await emulator.fault({ kind: "delay", milliseconds: HOUR });
    const call = api.sendMessage(ann.id, "x");
    await fault.hit();
    expect(await ann.messages()).toEqual([]);
    await emulator.advance(HOUR);
    expect(await call).toMatchObject({ text: "x" });
  });

  test("webhooks: the timeout, and the next attempt", async () => {
    const requests: (() => void)[] = [];
    let arrived = (): void => {};
    const hook = createServer((request, response) => {
      request.resume();
      requests.push(() => response.end());
      arrived();
    });
    await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      hook.close();
      hook.closeAllConnections();
    });
    const arrival = (): Promise<void> => new Promise((resolve) => (arrived = resolve));
    const first = arrival();
    await api.setWebhook(`http://127.0.0.1:${(hook.address() as AddressInfo).port}`);
    await ann.send("a");
    await first;
    const second = arrival();
    await emulator.advance(10_000);
    await emulator.untilRetrying(bot.token);
    expect((await api.getWebhookInfo()).last_error_message).toBe("Read timeout expired");
    await emulator.advance(2000);
    await second;
    requests[1]?.();
    await emulator.untilConfirmed(bot.token);
    expect([...(await emulator.deliveries(bot.token)).values()]).toEqual([2]);
  });
});

test("only a driven clock can be driven", async () => {
  const emulator = await TelegramEmulator.start({ clock: () => 0 });
  onTestFinished(() => emulator.stop());
  await expect(emulator.advance(1)).rejects.toThrow(
    'the clock is not driven: start the emulator with { clock: "driven" }',
  );
});
