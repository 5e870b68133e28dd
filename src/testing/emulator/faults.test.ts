import { Api, HttpError } from "grammy";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TelegramEmulator, type EmulatedUser } from "../index.ts";

let emulator: TelegramEmulator;
let token: string;
let ann: EmulatedUser;
let api: Api;

beforeEach(async () => {
  emulator = await TelegramEmulator.start();
  ({ token } = await emulator.createBot({ username: "memory_bot" }));
  ann = await emulator.createUser({ firstName: "Ann", bot: token });
  api = new Api(token, { apiRoot: emulator.url });
});
afterEach(() => emulator.stop());

async function textsSent(): Promise<(string | undefined)[]> {
  return (await ann.messages()).map(({ text }) => text);
}

describe("faults", () => {
  test("an error refuses one call, with Telegram's wording", async () => {
    await emulator.fault({ kind: "error", code: 429, retryAfter: 2 });
    await expect(api.sendMessage(ann.id, "a")).rejects.toMatchObject({
      error_code: 429,
      description: "Too Many Requests: retry after 2",
      parameters: { retry_after: 2 },
    });
    await api.sendMessage(ann.id, "b");
    expect(await textsSent()).toEqual(["b"]);
    await emulator.fault({ kind: "error", code: 502, description: "Bad Gateway!" });
    await expect(api.getMe()).rejects.toMatchObject({ error_code: 502, description: "Bad Gateway!" });
    await emulator.fault({ kind: "error", code: 500 });
    await expect(api.getMe()).rejects.toMatchObject({ error_code: 500, description: "Internal Server Error" });
  });

  test("a 429 has its Retry-After header", async () => {
    await emulator.fault({ kind: "error", code: 429, retryAfter: 3 });
    const response = await fetch(`${emulator.url}/bot${token}/getMe`);
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "3"]);
  });

  test("a fault hits the bot, method and calls that it names", async () => {
    const other = await emulator.createBot({ username: "other_bot" });
    await emulator.fault({ kind: "error", code: 500, token, method: "SendMessage", after: 1, times: 2 });
    await new Api(other.token, { apiRoot: emulator.url }).sendMessage(ann.id, "").catch(() => {});
    await api.getMe();
    for (const text of ["a", "b", "c", "d"]) await api.sendMessage(ann.id, text).catch(() => {});
    expect(await textsSent()).toEqual(["a", "d"]);
  });

  test("a fault that lasts ends with clearFaults, or by itself being removed", async () => {
    const fault = await emulator.fault({ kind: "error", code: 500, times: "always" });
    for (let count = 0; count < 3; count += 1) await expect(api.getMe()).rejects.toThrow("500");
    await fault.remove();
    await api.getMe();
    await emulator.fault({ kind: "error", code: 500, times: "always" });
    await emulator.clearFaults();
    await api.getMe();
  });

  test("a lost response: done, but the bot cannot know", async () => {
    await emulator.fault({ kind: "lostResponse", method: "sendMessage" });
    await expect(api.sendMessage(ann.id, "a")).rejects.toBeInstanceOf(HttpError);
    expect(await textsSent()).toEqual(["a"]);
    expect(await emulator.transcript()).toMatchObject([{ method: "sendMessage", ok: true, fault: "lostResponse" }]);
  });

  test("a lost request: not done", async () => {
    await emulator.fault({ kind: "lostRequest", method: "sendMessage" });
    await expect(api.sendMessage(ann.id, "a")).rejects.toBeInstanceOf(HttpError);
    expect(await textsSent()).toEqual([]);
    expect(await emulator.transcript()).toMatchObject([{ method: "sendMessage", ok: false, fault: "lostRequest" }]);
  });

  test("a delay is a delay", async () => {
    await emulator.fault({ kind: "delay", milliseconds: 50 });
    const start = performance.now();
    await api.sendMessage(ann.id, "a");
    expect(performance.now() - start).toBeGreaterThan(45);
    expect(await textsSent()).toEqual(["a"]);
  });

  test.each([
    [false, []],
    [true, ["a"]],
  ])("a call that hangs ends when the bot gives up (effect: %s)", async (afterEffect, sent) => {
    const fault = await emulator.fault({ kind: "hang", afterEffect });
    const abort = new AbortController();
    const call = api.sendMessage(ann.id, "a", {}, abort.signal as never);
    call.catch(() => {});
    await fault.hit();
    abort.abort();
    await expect(call).rejects.toThrow("Network request for");
    expect(await textsSent()).toEqual(sent);
  });

  test("calls that hang are cut by clearFaults", async () => {
    const fault = await emulator.fault({ kind: "hang" });
    const call = api.getMe();
    call.catch(() => {});
    await fault.hit();
    await emulator.clearFaults();
    await expect(call).rejects.toBeInstanceOf(HttpError);
    await expect(fault.hit()).rejects.toThrow("there is no fault 1 any more");
  });

  test("a fault that is not met says so", async () => {
    const fault = await emulator.fault({ kind: "hang" });
    await expect(fault.hit({ timeout: 10 })).rejects.toThrow('no call was hit by the fault "hang" within 10 ms');
  });

  test("a getUpdates whose response is lost has confirmed all the same", async () => {
    await ann.send("a");
    const offset = ((await api.getUpdates())[0]?.update_id ?? 0) + 1;
    await ann.send("b");
    await emulator.fault({ kind: "lostResponse", method: "getUpdates" });
    await expect(api.getUpdates({ offset })).rejects.toBeInstanceOf(HttpError);
    expect((await api.getUpdates()).map(({ message }) => message?.text)).toEqual(["b"]);
  });

  test("unreachable cuts polls and calls until it is over", async () => {
    const poll = api.getUpdates({ timeout: 50 });
    poll.catch(() => {});
    await emulator.untilPolling(token);
    await emulator.unreachable(true);
    await expect(poll).rejects.toBeInstanceOf(HttpError);
    await expect(api.getMe()).rejects.toBeInstanceOf(HttpError);
    await ann.send("still there?");
    await emulator.unreachable(false);
    expect(await api.getUpdates()).toHaveLength(1);
  });
});
