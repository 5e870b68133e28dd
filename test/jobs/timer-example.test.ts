import { expect, test } from "vitest";
import { Child } from "../support/child.ts";
import { readTable } from "../support/read-file.ts";
import { setUp } from "../support/setting.ts";

const EXAMPLE = new URL("../../examples/timer.ts", import.meta.url).pathname;
const ALIAS = new URL("../support/perdure-alias.ts", import.meta.url).pathname;

test("the timer of examples/timer.ts: a bot that is killed between /set and the alarm rings all the same, once", async () => {
  const { emulator, token, ann, path } = await setUp();
  const env = { ...process.env, BOT_TOKEN: token, BOT_FILE: path, BOT_API_ROOT: emulator.url };
  const start = (): Child => new Child("--import", [ALIAS, EXAMPLE], { env });
  /** The kill may repeat an answer, never what is kept. */
  const reply = async (text: string): Promise<void> => {
    const answers: (string | undefined)[] = [];
    while (answers.at(-1) !== text) answers.push((await ann.nextReply({ timeout: 20_000 })).text);
  };

  const first = start();
  await ann.send("/set soon");
  await reply("Usage: /set <seconds>");
  await ann.send("/set 1");
  await reply("Timer successfully set!");
  await first.kill();

  const second = start();
  await reply("Beep! 1 seconds are over!");
  await ann.send("/unset");
  await reply("You have no active timer.");
  await ann.send("/set 3600");
  await reply("Timer successfully set!");
  await ann.send("/set 7200");
  await reply("Timer successfully set! Old one was removed.");
  await ann.send("/unset");
  await reply("Timer successfully cancelled!");
  second.process.kill("SIGTERM");
  expect(await second.exited).toEqual({ code: 0, signal: null });
  expect([...readTable(path, "chat_data").values()]).toEqual([{ rung: 1 }]);
  expect(readTable(path, "job").size).toBe(0);
});
