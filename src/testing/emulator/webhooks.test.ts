import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Update } from "@grammyjs/types";
import { Api, Bot, webhookCallback } from "grammy";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { TelegramEmulator, type DeliveryEntry, type EmulatedBot, type EmulatedUser } from "../index.ts";

let emulator: TelegramEmulator;
let bot: EmulatedBot;
let ann: EmulatedUser;
let bob: EmulatedUser;
let api: Api;

beforeEach(async () => {
  emulator = await TelegramEmulator.start({ clock: "driven", random: () => 0.5, webhookTimeout: 60_000 });
  bot = await emulator.createBot({ username: "memory_bot" });
  ann = await emulator.createUser({ firstName: "Ann", bot: bot.token });
  bob = await emulator.createUser({ firstName: "Bob", bot: bot.token });
  api = new Api(bot.token, { apiRoot: emulator.url });
});
afterEach(() => emulator.stop());

/** A request that a webhook got. Unanswered until `answer`. */
interface Arrival {
  readonly update: Update;
  readonly request: IncomingMessage;
  answer(status?: number, body?: string, headers?: Record<string, string>): void;
  /** Resolves when Telegram is gone. */
  readonly gone: Promise<void>;
}

/** A bot's HTTP server: arrivals are read one by one, now or when they come. */
class Hook {
  readonly #server: Server;
  readonly #arrivals: Arrival[] = [];
  readonly #readers: ((arrival: Arrival) => void)[] = [];
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#receive(request, response));
  }

  static async open(): Promise<Hook> {
    const hook = new Hook();
    await hook.listen();
    onTestFinished(() => hook.close());
    return hook;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`;
  }

  /** How many have come and were not read. */
  get unread(): number {
    return this.#arrivals.length;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(this.#port, "127.0.0.1", () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  next(): Promise<Arrival> {
    const arrival = this.#arrivals.shift();
    return arrival === undefined ? new Promise((resolve) => this.#readers.push(resolve)) : Promise.resolve(arrival);
  }

  /** Answers all that comes with 200, for so many updates. Returns their texts in order of arrival. */
  async confirm(count: number): Promise<(string | undefined)[]> {
    const texts: (string | undefined)[] = [];
    while (texts.length < count) {
      const arrival = await this.next();
      texts.push(arrival.update.message?.text);
      arrival.answer();
    }
    return texts;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new Promise<void>((resolve) => response.once("close", resolve));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const arrival: Arrival = {
      update: JSON.parse(Buffer.concat(chunks).toString()) as Update,
      request,
      answer: (status = 200, body = "", headers = {}) => void response.writeHead(status, headers).end(body),
      gone,
    };
    const reader = this.#readers.shift();
    if (reader === undefined) this.#arrivals.push(arrival);
    else reader(arrival);
  }
}

async function outcomes(): Promise<(string | undefined)[]> {
  const entries = (await emulator.transcript({ type: "delivery" })) as DeliveryEntry[];
  return entries.map(({ ok, error }) => (ok ? "ok" : error));
}

describe("setWebhook, deleteWebhook, getWebhookInfo", () => {
  test("an update is posted as JSON, with the secret, and confirmed by a 2xx", async () => {
    const hook = await Hook.open();
    expect(await api.setWebhook(hook.url, { secret_token: "a-B_9" })).toBe(true);
    const message = await ann.send("hello");
    const arrival = await hook.next();
    expect(arrival.update).toEqual({ update_id: expect.any(Number), message });
    expect(arrival.request).toMatchObject({ method: "POST", url: "/hook" });
    expect(arrival.request.headers).toMatchObject({
      "content-type": "application/json",
      "x-telegram-bot-api-secret-token": "a-B_9",
    });
    expect(await emulator.pending(bot.token)).toHaveLength(1);
    arrival.answer(204);
    await emulator.untilConfirmed(bot.token);
    expect(await emulator.deliveries(bot.token)).toEqual(new Map([[arrival.update.update_id, 1]]));
    expect(await emulator.transcript({ type: "delivery" })).toMatchObject([
      { bot: "memory_bot", updateId: arrival.update.update_id, chat: ann.id, attempt: 1, ok: true, status: 204 },
    ]);
  });

  test("without a secret there is no header", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("hello");
    const arrival = await hook.next();
    expect(arrival.request.headers).not.toHaveProperty("x-telegram-bot-api-secret-token");
    arrival.answer();
  });

  test("what waits already is delivered, or dropped", async () => {
    const hook = await Hook.open();
    await ann.send("early");
    await api.setWebhook(hook.url);
    expect(await hook.confirm(1)).toEqual(["early"]);
    await api.deleteWebhook();
    await ann.send("unwanted");
    await api.setWebhook(hook.url, { drop_pending_updates: true });
    await ann.send("wanted");
    expect(await hook.confirm(1)).toEqual(["wanted"]);
  });

  test.each([
    ["x".repeat(257), "secret token is too long"],
    ["a b", "secret token contains unallowed characters"],
    ["é", "secret token contains unallowed characters"],
  ])("refuses the secret %j", async (secret_token, reason) => {
    await expect(api.setWebhook("http://127.0.0.1/", { secret_token })).rejects.toMatchObject({
      error_code: 400,
      description: `Bad Request: ${reason}`,
    });
  });

  test("delivers nowhere but to this machine", async () => {
    for (const url of ["https://example.org", "http://example.org", "https://127.0.0.1", "ftp://localhost"]) {
      await expect(api.setWebhook(url)).rejects.toMatchObject({
        error_code: 400,
        description: `Bad Request: bad webhook: TelegramEmulator delivers to http://127.0.0.1, localhost or [::1] only, not to ${url}`,
      });
    }
    await expect(api.setWebhook("nonsense")).rejects.toThrow("bad webhook: invalid webhook URL specified");
  });

  test("getUpdates conflicts with a webhook, and a poll that waits is ended by one", async () => {
    const hook = await Hook.open();
    const poll = api.getUpdates({ timeout: 50 });
    poll.catch(() => {});
    await emulator.untilPolling(bot.token);
    await api.setWebhook(hook.url);
    await expect(poll).rejects.toMatchObject({
      error_code: 409,
      description: "Conflict: terminated by setWebhook request",
    });
    await expect(api.getUpdates()).rejects.toMatchObject({
      error_code: 409,
      description:
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    });
    await api.setWebhook("");
    expect(await api.getUpdates()).toEqual([]);
  });

  test("deleteWebhook cuts what is under way, and leaves it to getUpdates", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("under way");
    const arrival = await hook.next();
    await api.deleteWebhook();
    await arrival.gone;
    expect((await api.getUpdates()).map(({ message }) => message?.text)).toEqual(["under way"]);
    expect([...(await emulator.deliveries(bot.token)).values()]).toEqual([2]);
  });

  test("getWebhookInfo tells the settings and the last error", async () => {
    const hook = await Hook.open();
    expect(await api.getWebhookInfo()).toEqual({ url: "", has_custom_certificate: false, pending_update_count: 0 });
    await api.setWebhook(hook.url, { max_connections: 1000, allowed_updates: ["message"] });
    expect(await api.getWebhookInfo()).toMatchObject({
      url: hook.url,
      max_connections: 100,
      allowed_updates: ["message"],
    });
    await api.setWebhook(hook.url);
    await ann.send("a");
    (await hook.next()).answer(500);
    await emulator.untilRetrying(bot.token);
    expect(await api.getWebhookInfo()).toEqual({
      url: hook.url,
      has_custom_certificate: false,
      pending_update_count: 1,
      max_connections: 40,
      last_error_date: expect.any(Number),
      last_error_message: "Wrong response from the webhook: 500 Internal Server Error",
      allowed_updates: ["message"],
    });
  });

  test("allowed_updates holds for updates to come", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url, { allowed_updates: ["message"] });
    const message = await ann.send("a");
    await ann.edit(message, "not wanted");
    await ann.send("b");
    expect(await hook.confirm(2)).toEqual(["a", "b"]);
  });

  test("setting the same webhook again disturbs nothing", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("once");
    const arrival = await hook.next();
    await api.setWebhook(hook.url);
    arrival.answer();
    await emulator.untilConfirmed(bot.token);
    expect(hook.unread).toBe(0);
  });
});

describe("order", () => {
  test("one chat in sequence, others meanwhile", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    for (const text of ["a1", "a2"]) await ann.send(text);
    const first = await hook.next();
    await bob.send("b1");
    const other = await hook.next();
    expect([first.update.message?.text, other.update.message?.text]).toEqual(["a1", "b1"]);
    other.answer();
    await bob.send("b2");
    expect(await hook.confirm(1)).toEqual(["b2"]);
    expect(hook.unread).toBe(0);
    first.answer();
    expect(await hook.confirm(1)).toEqual(["a2"]);
  });

  test("a chat whose update fails waits for it, others do not", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    for (const text of ["a1", "a2"]) await ann.send(text);
    (await hook.next()).answer(500);
    await emulator.untilRetrying(bot.token);
    await bob.send("b1");
    expect(await hook.confirm(1)).toEqual(["b1"]);
    await emulator.advance(1500);
    expect(await hook.confirm(2)).toEqual(["a1", "a2"]);
    await emulator.untilConfirmed(bot.token);
  });

  test("no more than max_connections at once", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url, { max_connections: 2 });
    const users = await Promise.all(
      Array.from({ length: 4 }, () => emulator.createUser({ firstName: "X", bot: bot.token })),
    );
    for (const [index, user] of users.entries()) await user.send(String(index));
    const [first, second] = [await hook.next(), await hook.next()];
    expect(new Set([first, second].map(({ update }) => update.message?.text))).toEqual(new Set(["0", "1"]));
    expect(hook.unread).toBe(0);
    first.answer();
    const third = await hook.next();
    expect([third.update.message?.text, hook.unread]).toEqual(["2", 0]);
    second.answer();
    third.answer();
    expect(await hook.confirm(1)).toEqual(["3"]);
  });

  test("what belongs to no chat is its user's, or goes alone", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    const answer = { poll_id: "1", option_ids: [], option_persistent_ids: [] };
    for (const option_ids of [[0], [1]]) {
      await emulator.send(bot.token, { poll_answer: { ...answer, option_ids, user: ann.user } });
      await emulator.send(bot.token, { poll_answer: { ...answer, option_ids } });
    }
    const arrivals = [await hook.next(), await hook.next(), await hook.next()];
    expect(hook.unread).toBe(0);
    for (const arrival of arrivals) arrival.answer();
    expect((await hook.next()).update.poll_answer).toMatchObject({ option_ids: [1], user: { id: ann.id } });
  });
});

describe("what is not confirmed comes again", () => {
  test.each([[301], [404], [500], [503]])("after a %i", async (status) => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("a");
    (await hook.next()).answer(status);
    await emulator.untilRetrying(bot.token);
    await emulator.advance(1500);
    expect(await hook.confirm(1)).toEqual(["a"]);
    await emulator.untilConfirmed(bot.token);
    expect([...(await emulator.deliveries(bot.token)).values()]).toEqual([2]);
  });

  test("later and later, up to 60 to 120 seconds", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("a");
    for (const seconds of [1.5, 3, 6, 12, 24, 48, 90, 90]) {
      (await hook.next()).answer(500);
      await emulator.untilRetrying(bot.token);
      await emulator.advance(seconds * 1000 - 1);
      await emulator.untilRetrying(bot.token, { timeout: 100 });
      await emulator.advance(1);
    }
    expect(await hook.confirm(1)).toEqual(["a"]);
    // The next one begins anew.
    await ann.send("b");
    (await hook.next()).answer(500);
    await emulator.untilRetrying(bot.token);
    await emulator.advance(1500);
    expect(await hook.confirm(1)).toEqual(["b"]);
  });

  test.each([
    ["300", 300_000],
    ["100000", 3_600_000],
  ])("when the answer's Retry-After says, within an hour: %s", async (seconds, delay) => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("a");
    (await hook.next()).answer(503, "", { "retry-after": seconds });
    await emulator.untilRetrying(bot.token);
    await emulator.advance(delay - 1);
    await emulator.untilRetrying(bot.token, { timeout: 100 });
    await emulator.advance(1);
    expect(await hook.confirm(1)).toEqual(["a"]);
  });

  test("after a refused connection, which is no delivery", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await hook.close();
    await ann.send("a");
    await emulator.untilRetrying(bot.token);
    await hook.listen();
    await emulator.retryNow(bot.token);
    expect(await hook.confirm(1)).toEqual(["a"]);
    await emulator.untilConfirmed(bot.token);
    expect([...(await emulator.deliveries(bot.token)).values()]).toEqual([1]);
    expect(await outcomes()).toEqual(["Connection refused", "ok"]);
  });

  test("after the bot died in the middle", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("a");
    (await hook.next()).request.socket.destroy();
    await emulator.retryNow(bot.token);
    expect(await hook.confirm(1)).toEqual(["a"]);
    await emulator.untilConfirmed(bot.token);
    expect(await outcomes()).toEqual(["Connection reset by peer", "ok"]);
  });

  test("after the timeout", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("a");
    const arrival = await hook.next();
    await emulator.advance(59_999);
    expect(await outcomes()).toEqual([]);
    await emulator.advance(1);
    await arrival.gone;
    await emulator.retryNow(bot.token);
    expect(await hook.confirm(1)).toEqual(["a"]);
    await emulator.untilConfirmed(bot.token);
    expect(await outcomes()).toEqual(["Read timeout expired", "ok"]);
  });

  test("for 24 hours", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("forgotten");
    const arrival = await hook.next();
    await emulator.advance(24 * 60 * 60 * 1000 + 1);
    await arrival.gone;
    await ann.send("new");
    expect((await api.getWebhookInfo()).pending_update_count).toBe(1);
    await emulator.retryNow(bot.token);
    expect(await hook.confirm(1)).toEqual(["new"]);
    await emulator.untilConfirmed(bot.token);
  });

  test("retryNow when the attempt under way succeeds, or all is confirmed already", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("a");
    const arrival = await hook.next();
    await expect(emulator.retryNow(bot.token, { timeout: 10 })).rejects.toThrow("neither failed nor succeeded");
    const retrying = emulator.retryNow(bot.token);
    arrival.answer();
    await retrying;
    await emulator.retryNow(bot.token);
    expect([...(await emulator.deliveries(bot.token)).values()]).toEqual([1]);
  });

  test("mistakes are told", async () => {
    await expect(emulator.retryNow(bot.token)).rejects.toThrow("@memory_bot has no webhook");
    await api.setWebhook("http://127.0.0.1:9/");
    await expect(emulator.untilRetrying(bot.token, { timeout: 10 })).rejects.toThrow(
      "no update waited for another attempt at http://127.0.0.1:9/ within 10 ms",
    );
  });
});

describe("faults of deliveries", () => {
  test("lostAcknowledgement: the bot has answered, and the update comes again", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    const fault = await emulator.fault({ kind: "lostAcknowledgement", token: bot.token });
    await ann.send("a");
    expect(await hook.confirm(1)).toEqual(["a"]);
    await fault.hit();
    await emulator.retryNow(bot.token);
    expect(await hook.confirm(1)).toEqual(["a"]);
    await emulator.untilConfirmed(bot.token);
    expect(await emulator.transcript({ type: "delivery" })).toMatchObject([
      { attempt: 1, ok: false, status: 200, fault: "lostAcknowledgement" },
      { attempt: 2, ok: true },
    ]);
  });

  test("lostAcknowledgement: a call in the answer is lost as well", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await emulator.fault({ kind: "lostAcknowledgement" });
    await ann.send("a");
    const reply = JSON.stringify({ method: "sendMessage", chat_id: ann.id, text: "hi" });
    (await hook.next()).answer(200, reply, { "content-type": "application/json" });
    await emulator.retryNow(bot.token);
    (await hook.next()).answer(200, reply, { "content-type": "application/json" });
    await emulator.untilConfirmed(bot.token);
    expect((await ann.messages()).map(({ text }) => text)).toEqual(["a", "hi"]);
  });

  test("webhookTimeout: the bot has the update, and Telegram does not wait", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await emulator.fault({ kind: "webhookTimeout", milliseconds: 200 });
    await ann.send("a");
    const arrival = await hook.next();
    await emulator.advance(200);
    await arrival.gone;
    await emulator.retryNow(bot.token);
    expect(await hook.confirm(1)).toEqual(["a"]);
    await emulator.untilConfirmed(bot.token);
    expect([...(await emulator.deliveries(bot.token)).values()]).toEqual([2]);
  });

  test("webhookTimeout 0: cut as soon as the bot has it, whatever the clock", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await emulator.fault({ kind: "webhookTimeout", milliseconds: 0 });
    await ann.send("a");
    await (
      await hook.next()
    ).gone;
    await emulator.retryNow(bot.token);
    expect(await hook.confirm(1)).toEqual(["a"]);
    await emulator.untilConfirmed(bot.token);
    expect(await outcomes()).toEqual(["Read timeout expired", "ok"]);
  });

  test("a fault of a delivery hits no call, and the other way round", async () => {
    const hook = await Hook.open();
    await emulator.fault({ kind: "lostAcknowledgement" });
    await emulator.fault({ kind: "error", code: 500, after: 1 });
    await api.setWebhook(hook.url);
    await ann.send("a");
    expect(await hook.confirm(1)).toEqual(["a"]);
    await emulator.untilRetrying(bot.token);
    await expect(api.getMe()).rejects.toMatchObject({ error_code: 500 });
  });

  test("unreachable cuts what is under way, and keeps the rest", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("a");
    const arrival = await hook.next();
    await emulator.unreachable(true);
    await arrival.gone;
    await emulator.retryNow(bot.token);
    await emulator.untilRetrying(bot.token);
    await emulator.unreachable(false);
    await emulator.retryNow(bot.token);
    expect(await hook.confirm(1)).toEqual(["a"]);
    await emulator.untilConfirmed(bot.token);
    expect(await outcomes()).toEqual(["Connection reset by peer", "Connection refused", "ok"]);
  });
});

describe("a call in the answer", () => {
  test.each([
    ["application/json", (chat_id: number) => JSON.stringify({ method: "sendMessage", chat_id, text: "hi" })],
    ["application/x-www-form-urlencoded", (chat_id: number) => `method=sendMessage&chat_id=${chat_id}&text=hi`],
  ])("is carried out: %s", async (type, body) => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    await ann.send("a");
    (await hook.next()).answer(200, body(ann.id), { "content-type": type });
    expect(await ann.nextReply()).toMatchObject({ text: "hi" });
    await emulator.untilConfirmed(bot.token);
    expect(await emulator.transcript({ method: "sendMessage" })).toMatchObject([{ ok: true }]);
  });

  test("is not carried out with an error, when it is none, or when only its result is of use", async () => {
    const hook = await Hook.open();
    await api.setWebhook(hook.url);
    const json = { "content-type": "application/json" };
    await ann.send("a");
    (await hook.next()).answer(500, JSON.stringify({ method: "sendMessage", chat_id: ann.id, text: "no" }), json);
    await emulator.retryNow(bot.token);
    (await hook.next()).answer(200, "{not json", json);
    for (const method of ["getMe", "deleteWebhook"]) {
      await ann.send("b");
      (await hook.next()).answer(200, JSON.stringify({ method }), json);
    }
    await emulator.untilConfirmed(bot.token);
    const calls = await emulator.transcript({ type: "call" });
    expect(calls).toMatchObject([{ method: "setWebhook" }]);
  });
});

describe("grammY", () => {
  test("webhookCallback", async () => {
    const grammyBot = new Bot(bot.token, { client: { apiRoot: emulator.url, canUseWebhookReply: () => true } });
    grammyBot.on("message:text", (ctx) => ctx.reply(`got ${ctx.msg.text}`));
    const handle = webhookCallback(grammyBot, "http", { secretToken: "s3cret" });
    const server = createServer((request, response) => void handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await grammyBot.api.setWebhook(url, { secret_token: "s3cret" });
    await ann.send("a");
    expect(await ann.nextReply()).toMatchObject({ text: "got a" });
    await emulator.untilConfirmed(bot.token);
  });

  test("thousands of updates of many chats are no load, and in order", async () => {
    const texts = new Map<number, string[]>();
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { message } = JSON.parse(Buffer.concat(chunks).toString()) as Update;
        const list = texts.get(message?.chat.id ?? 0) ?? [];
        texts.set(message?.chat.id ?? 0, [...list, message?.text ?? ""]);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const users = await Promise.all(
      Array.from({ length: 100 }, () => emulator.createUser({ firstName: "X", bot: bot.token })),
    );
    const rounds = Array.from({ length: 30 }, (_, round) => String(round));
    for (const text of rounds) for (const user of users) await user.send(text);
    await api.setWebhook(`http://localhost:${(server.address() as AddressInfo).port}`);
    await emulator.untilConfirmed(bot.token, { timeout: 20_000 });
    expect([...texts.values()]).toEqual(users.map(() => rounds));
  });
});

test("stop ends deliveries and retries", async () => {
  const hook = await Hook.open();
  await api.setWebhook(hook.url);
  await ann.send("a");
  await bob.send("b");
  const arrivals = [await hook.next(), await hook.next()];
  arrivals[0]?.answer(500);
  await emulator.untilRetrying(bot.token);
  await emulator.stop();
  await arrivals[1]?.gone;
  expect(hook.unread).toBe(0);
});
