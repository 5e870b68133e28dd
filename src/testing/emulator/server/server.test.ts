import { Api, InputFile } from "grammy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TelegramEmulator, type EmulatedUser } from "../../index.ts";

let emulator: TelegramEmulator;
let token: string;
let ann: EmulatedUser;

beforeAll(async () => {
  emulator = await TelegramEmulator.start();
  ({ token } = await emulator.createBot({ username: "memory_bot" }));
  ann = await emulator.createUser({ firstName: "Ann", bot: token });
});
afterAll(() => emulator.stop());

async function call(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${emulator.url}${path}`, init);
  return { status: response.status, body: await response.json() };
}

async function lastText(): Promise<string | undefined> {
  return (await ann.messages()).at(-1)?.text;
}

describe("the Bot API over HTTP", () => {
  test("reads the query string of a GET", async () => {
    const { body } = await call(`/bot${token}/sendMessage?chat_id=${ann.id}&text=${encodeURIComponent("a b")}`);
    expect(body).toMatchObject({ ok: true, result: { text: "a b" } });
  });

  test("reads JSON, with numbers as numbers or text", async () => {
    for (const chat_id of [ann.id, String(ann.id)]) {
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", headers, body: JSON.stringify({ chat_id, text: "json" }) };
      expect((await call(`/bot${token}/sendMessage`, init)).status).toBe(200);
    }
    expect(await lastText()).toBe("json");
  });

  test("reads forms, with objects as JSON text", async () => {
    const reply_markup = JSON.stringify({ inline_keyboard: [[{ text: "A", callback_data: "a" }]] });
    const body = new URLSearchParams({ chat_id: String(ann.id), text: "form", reply_markup });
    expect((await call(`/bot${token}/sendMessage`, { method: "POST", body })).body).toMatchObject({
      result: { text: "form", reply_markup: { inline_keyboard: [[{ text: "A" }]] } },
    });
  });

  test("reads multipart forms", async () => {
    const body = new FormData();
    body.set("chat_id", String(ann.id));
    body.set("text", "multi\r\npart é");
    expect((await call(`/bot${token}/sendMessage`, { method: "POST", body })).status).toBe(200);
    expect(await lastText()).toBe("multi\r\npart é");
  });

  test("takes grammY's uploads", async () => {
    const api = new Api(token, { apiRoot: emulator.url });
    const file = new InputFile(Buffer.from("\r\n--x\r\n".repeat(100)), "notes.txt");
    const message = await api.sendDocument(ann.id, file, { caption: "upload" });
    expect(message).toMatchObject({ caption: "upload", document: { file_id: expect.stringMatching(/^file-\d+$/) } });
    const [entry] = await emulator.transcript({ method: "sendDocument" });
    expect(Object.values((entry as { payload: object }).payload)).toContainEqual({
      file_name: "notes.txt",
      file_size: 700,
    });
  });

  test("knows methods in any case", async () => {
    expect((await call(`/bot${token}/GETME`)).body).toMatchObject({ ok: true });
  });

  test.each([
    ["/bot123:unknown/getMe", 401, "Unauthorized"],
    ["/botnonsense/getMe", 404, "Not Found"],
    ["/bot123:unknown", 404, "Not Found"],
    ["/", 404, "Not Found"],
  ])("%s is refused with %i", async (path, error_code, description) => {
    expect(await call(path)).toEqual({ status: error_code, body: { ok: false, error_code, description } });
  });

  test("an unknown method is 404, and said to be missing here", async () => {
    expect(await call(`/bot${token}/sendSticker`)).toEqual({
      status: 404,
      body: {
        ok: false,
        error_code: 404,
        description: "Not Found: TelegramEmulator does not implement sendSticker yet, if Telegram has it at all",
      },
    });
  });

  test("a body that is no JSON is 400", async () => {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: "{" };
    expect((await call(`/bot${token}/getMe`, init)).status).toBe(400);
  });
});

describe("the control over HTTP", () => {
  test("takes JSON only, so that no web page can drive it", async () => {
    expect((await call("/emulator/transcript")).status).toBe(405);
    expect((await call("/emulator/transcript", { method: "POST", body: "{}" })).status).toBe(405);
  });

  test("refuses what it does not know", async () => {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    expect(await call("/emulator/dance", init)).toEqual({
      status: 404,
      body: { ok: false, error: 'there is no command "dance"' },
    });
  });
});

test("stop may be called twice, ends long polls, and fails what waits", async () => {
  const other = await TelegramEmulator.start();
  const bot = await other.createBot({ username: "memory_bot" });
  const bob = await other.createUser({ firstName: "Bob", bot: bot.token });
  const poll = fetch(`${other.url}/bot${bot.token}/getUpdates?timeout=50`);
  const reply = bob.nextReply({ timeout: 60_000 });
  await other.untilPolling(bot.token);
  await Promise.all([
    expect(poll).rejects.toThrow("fetch failed"),
    expect(reply).rejects.toThrow("the emulator was stopped"),
    other.stop(),
  ]);
  await other.stop();
  await expect(bob.send("x")).rejects.toThrow("send: the emulator was stopped");
});
