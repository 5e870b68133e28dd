import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { TelegramEmulator } from "../src/testing/index.ts";
import { Child } from "./support/child.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const POISONOUS_BOT = new URL("support/poisonous-bot.ts", import.meta.url).pathname;

test("an update that ends the process is set aside after three starts, and everybody else is served", async () => {
  const emulator = await TelegramEmulator.start();
  onTestFinished(() => emulator.stop());
  const { token } = await emulator.createBot({ username: "poisonous_bot" });
  const ann = await emulator.createUser({ firstName: "Ann", bot: token });
  const bob = await emulator.createUser({ firstName: "Bob", bot: token });
  const folder = temporaryFolder();
  const start = (): Child =>
    new Child(POISONOUS_BOT, [token, emulator.url, join(folder, "bot.sqlite")], { cwd: folder });

  await ann.send("one");
  await bob.send("hello");
  await ann.send("poison");
  await ann.send("two");
  await bob.send("again");
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const child = start();
    expect((await child.exited).signal).toBe("SIGABRT");
  }
  const child = start();
  await ann.send("/failed");
  const answers: string[] = [];
  while (!answers.at(-1)?.includes("poison")) answers.push((await ann.nextReply({ timeout: 20_000 })).text ?? "");
  // Each text once, in order, and nothing of the poisonous one. An answer may come twice: a crash repeats sends.
  expect([...new Set(answers)]).toEqual(["one", "one two", "poison after 3"]);
  await bob.send("bye");
  const bobs: string[] = [];
  while (!bobs.at(-1)?.includes("bye")) bobs.push((await bob.nextReply()).text ?? "");
  expect([...new Set(bobs)]).toEqual(["hello", "hello again", "hello again bye"]);
  expect(child.errors.join("\n")).toMatch(/Update \d+ was run 3 times and never finished/);
  child.process.kill("SIGTERM");
  expect(await child.exited).toEqual({ code: 0, signal: null });
});
