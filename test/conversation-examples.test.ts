import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { TelegramEmulator, type EmulatedUser } from "../src/testing/index.ts";
import { Child } from "./support/child.ts";
import { readTable } from "./support/read-file.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const ALIAS = new URL("support/perdure-alias.ts", import.meta.url).pathname;

/** One step: what the user does, and the answer to wait for. */
type Step = readonly [does: string | { press: string } | { content: object }, answer: string];

interface Story {
  readonly example: string;
  readonly steps: readonly Step[];
  readonly userData: unknown;
}

const STORIES: readonly Story[] = [
  {
    example: "conversation-bot",
    steps: [
      ["/start", "Are you a boy or a girl?"],
      ["Girl", "I see!"],
      ["/skip", "I bet you look great!"],
      [{ content: { location: { latitude: 1.5, longitude: 2.5 } } }, "Maybe I can visit you"],
      ["I like trees.", "Thank you!"],
    ],
    userData: { gender: "Girl", location: { latitude: 1.5, longitude: 2.5 }, bio: "I like trees." },
  },
  {
    example: "conversation-bot-2",
    steps: [
      ["/start", "Why don't you tell me"],
      ["Something else...", "the category first"],
      ["Skill", "Your skill?"],
      ["Juggling", "Skill - Juggling"],
      ["Age", "Your age?"],
      ["33", "Age - 33"],
      ["Done", "I learned these facts about you:\nSkill - Juggling\nAge - 33"],
    ],
    userData: { facts: {} },
  },
  {
    example: "persistent-conversation-bot",
    steps: [
      ["/start", "I will hold a more complex conversation"],
      ["Age", "Your age?"],
      ["33", "age - 33"],
      ["Done", "Until next time!"],
      ["/show_data", "age - 33"],
      ["/start", "You already told me your age"],
    ],
    userData: { facts: { age: "33" } },
  },
  {
    example: "nested-conversation-bot",
    steps: [
      ["/start", "You may choose"],
      [{ press: "Add parent" }, "choose whom"],
      [{ press: "Mother" }, "select a feature"],
      [{ press: "Name" }, "tell me"],
      ["Eve", "select a feature"],
      [{ press: "Done" }, "You may choose"],
      [{ press: "Add child" }, "choose whom"],
      ["/stop", "Okay, bye."],
    ],
    userData: { family: [{ role: "mother", name: "Eve" }], feature: "name" },
  },
];

const cache = mkdtempSync(join(tmpdir(), "perdure-compiled-"));

// A process that is killed leaves nothing in Node's compile cache, and without it each start takes three times as long.
beforeAll(() => {
  const load = 'await import("perdure");';
  execFileSync(process.execPath, ["--import", ALIAS, "--input-type=module", "-e", load], { env: environment() });
}, 60_000);
afterAll(() => rmSync(cache, { recursive: true, force: true }));

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: cache };
}

test.each(STORIES)(
  "$example: killed between any two steps, it goes on",
  { timeout: 120_000 },
  async ({ example, steps, userData }) => {
    const emulator = await TelegramEmulator.start();
    onTestFinished(() => emulator.stop());
    const { token } = await emulator.createBot({ username: "example_bot" });
    const ann = await emulator.createUser({ firstName: "Ann", bot: token });
    const file = join(temporaryFolder(), "bot.sqlite");
    const script = new URL(`../examples/${example}.ts`, import.meta.url).pathname;
    const env = { ...environment(), BOT_TOKEN: token, BOT_FILE: file, BOT_API_ROOT: emulator.url };
    const start = (): Child => new Child("--import", [ALIAS, script], { env });

    let last: Awaited<ReturnType<EmulatedUser["nextReply"]>> | undefined;
    let previous = "";
    for (const [does, answer] of steps) {
      const bot = start();
      if (typeof does === "string") await ann.send(does);
      else if ("press" in does) await ann.press(last as never, does.press);
      else await ann.send(does.content as never);
      // A kill right after an answer may come before its commit: then that step runs again, and answers again.
      do last = await ann.nextReply({ timeout: 60_000 });
      while (previous !== "" && last.text?.includes(previous) === true && !last.text.includes(answer));
      expect(last.text).toContain(answer);
      previous = answer;
      await bot.kill();
    }
    const bot = start();
    await emulator.untilPolling(token, { timeout: 60_000 });
    bot.process.kill("SIGTERM");
    expect(await bot.exited).toEqual({ code: 0, signal: null });
    expect(readTable(file, "user_data").get(ann.id)).toEqual(userData);
  },
);
