import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Api } from "grammy";
import { afterEach, expect, test } from "vitest";
import { TelegramEmulator } from "../index.ts";

const ENTRY = fileURLToPath(new URL("process.ts", import.meta.url));

const emulators: TelegramEmulator[] = [];
afterEach(async () => {
  await Promise.all(emulators.splice(0).map((emulator) => emulator.stop()));
});

/** Fetches updates with a long poll, or asks for a message, and never gets to anything else. */
const CLIENT = `
const [url, method] = process.argv.slice(1);
await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: method });
process.stdout.write("answered");
`;

test("spawn: an emulator in a process of its own, until stop", async () => {
  const emulator = await TelegramEmulator.spawn({ transcriptLimit: 3 });
  emulators.push(emulator);
  const { token } = await emulator.createBot({ username: "memory_bot" });
  const ann = await emulator.createUser({ firstName: "Ann", bot: token });
  await ann.send("hello");
  const api = new Api(token, { apiRoot: emulator.url });
  expect(await api.getUpdates()).toMatchObject([{ message: { text: "hello" } }]);
  for (let count = 0; count < 5; count += 1) await api.sendMessage(ann.id, "hi");
  expect(await ann.nextReply()).toMatchObject({ text: "hi" });
  expect(await emulator.transcript()).toHaveLength(3);
  const second = await TelegramEmulator.connect(emulator.url);
  expect((await second.user(ann.id)).user).toEqual(ann.user);
  await second.stop();
  expect(await emulator.deliveries(token)).toEqual(new Map([[expect.any(Number), 1]]));
  await emulator.stop();
  await expect(fetch(emulator.url)).rejects.toThrow("fetch failed");
  await expect(ann.send("x")).rejects.toThrow("send: the emulator was stopped");
});

test.each([["stdin"], ["SIGTERM"], ["SIGINT"]] as const)("the process ends by %s", async (how) => {
  const child = spawn(process.execPath, [ENTRY, "--port", "0", "--until-stdin-closes"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const { url } = JSON.parse(line) as { url: string };
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const exit = once(child, "exit");
  if (how === "stdin") child.stdin.end();
  else child.kill(how);
  expect(await exit).toEqual([0, null]);
});

test("bots that are killed in the middle of a call do no harm", async () => {
  const emulator = await TelegramEmulator.start();
  emulators.push(emulator);
  const { token } = await emulator.createBot({ username: "memory_bot" });
  const ann = await emulator.createUser({ firstName: "Ann", bot: token });
  const hang = await emulator.fault({ kind: "hang", method: "sendMessage", afterEffect: true });
  const calls = [
    { method: "getUpdates", body: '{"timeout":50}', started: () => emulator.untilPolling(token) },
    { method: "sendMessage", body: `{"chat_id":${ann.id},"text":"a"}`, started: () => hang.hit() },
  ];
  for (const { method, body, started } of calls) {
    const url = `${emulator.url}/bot${token}/${method}`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", CLIENT, url, body], { stdio: "ignore" });
    await started();
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    expect(await exit).toEqual([null, "SIGKILL"]);
  }
  await ann.send("still there?");
  const api = new Api(token, { apiRoot: emulator.url });
  expect(await api.getUpdates({ timeout: 50 })).toMatchObject([{ message: { text: "still there?" } }]);
  expect((await ann.messages()).map(({ text }) => text)).toEqual(["a", "still there?"]);
});
