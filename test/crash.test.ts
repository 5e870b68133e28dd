import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { TelegramEmulator, type EmulatedGroup, type EmulatedUser } from "../src/testing/index.ts";
import { Child } from "./support/child.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const COUNTING_BOT = new URL("support/counting-bot.ts", import.meta.url).pathname;
const KILLS = 12;

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Place {
  readonly user: EmulatedUser;
  readonly chat: EmulatedUser | EmulatedGroup;
  readonly id: number;
}

/** People who write in private and in a group, and what they have written. */
class Writers {
  readonly #places: Place[];
  readonly byChat = new Map<number, string[]>();
  readonly byUser = new Map<number, number>();
  total = 0;

  constructor(users: readonly EmulatedUser[], group: EmulatedGroup) {
    this.#places = users.flatMap((user) => [
      { user, chat: user, id: user.id },
      { user, chat: group, id: group.id },
    ]);
  }

  async write(count: number, random: () => number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const place = this.#places[Math.floor(random() * this.#places.length)] as Place;
      this.total += 1;
      const text = `text ${this.total}`;
      await place.user.send(text, place.chat === place.user ? {} : { chat: place.chat as EmulatedGroup });
      this.byChat.set(place.id, [...(this.byChat.get(place.id) ?? []), text]);
      this.byUser.set(place.user.id, (this.byUser.get(place.user.id) ?? 0) + 1);
    }
  }

  /** Resolves when all that was written has been handled: each chat's updates are handled in order. */
  async untilDone(): Promise<void> {
    for (const { user, chat } of this.#places) {
      await user.send("/done", chat === user ? {} : { chat: chat as EmulatedGroup });
      await chat.nextReply({ timeout: 20_000 });
    }
  }
}

function table(path: string, name: string): Map<number, Record<string, unknown>> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = database.prepare(`select id, data from ${name}`).all();
    return new Map(rows.map((row) => [Number(row["id"]), JSON.parse(String(row["data"])) as Record<string, unknown>]));
  } finally {
    database.close();
  }
}

describe.each(["run", "start"])("killed at random moments, with %s", (way) => {
  test(
    `${KILLS} kills, and every update counts exactly once in chat, user and bot data`,
    { timeout: 120_000 },
    async () => {
      const seed = Number(process.env["PERDURE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
      console.log(`crash test, ${way}: PERDURE_SEED=${seed}`);
      const random = seeded(seed);
      const emulator = await TelegramEmulator.start();
      onTestFinished(() => emulator.stop());
      const { token } = await emulator.createBot({ username: "counting_bot" });
      const names = ["Ann", "Bob", "Cem", "Dia"];
      const users = await Promise.all(names.map((firstName) => emulator.createUser({ firstName, bot: token })));
      const group = await emulator.createGroup({ title: "Club", bot: token, members: users });
      const writers = new Writers(users, group);
      const path = join(temporaryFolder(), "bot.sqlite");
      const start = (): Child => new Child(COUNTING_BOT, [way, token, emulator.url, path]);

      for (let kill = 0; kill < KILLS; kill += 1) {
        await writers.write(10 + Math.floor(random() * 30), random);
        const child = start();
        // From the middle of starting, over replaying and polling, to idle.
        if (random() < 0.8) await emulator.untilPolling(token, { timeout: 10_000 });
        await Promise.all([sleep(random() * 80), writers.write(10, random)]);
        await child.kill();
        expect(child.errors).toEqual([]);
      }

      const last = start();
      await writers.untilDone();
      last.process.kill("SIGTERM");
      expect(await last.exited).toEqual({ code: 0, signal: null });
      expect(last.errors).toEqual([]);
      const chats = table(path, "chat_data");
      expect(new Map([...chats].map(([id, data]) => [id, data["texts"]]))).toEqual(writers.byChat);
      expect(new Map([...table(path, "user_data")].map(([id, data]) => [id, data["n"]]))).toEqual(writers.byUser);
      expect(table(path, "bot_data").get(1)).toEqual({ n: writers.total });
    },
  );
});
