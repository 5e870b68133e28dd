import { join } from "node:path";
import { onTestFinished } from "vitest";
import { TelegramEmulator, type EmulatedUser } from "../../src/testing/index.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Where a story plays: a Telegram with one bot, a person who writes to it, and a place for its file. */
export interface Setting {
  readonly emulator: TelegramEmulator;
  readonly token: string;
  readonly ann: EmulatedUser;
  readonly path: string;
}

export async function setUp(): Promise<Setting> {
  const emulator = await TelegramEmulator.start();
  onTestFinished(() => emulator.stop());
  const { token } = await emulator.createBot({ username: "test_bot" });
  const ann = await emulator.createUser({ firstName: "Ann", bot: token });
  return { emulator, token, ann, path: join(temporaryFolder(), "bot.sqlite") };
}
