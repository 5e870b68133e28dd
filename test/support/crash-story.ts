import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { EmulatedGroup, EmulatedUser, TelegramEmulator } from "../../src/testing/index.ts";
import { Child } from "./child.ts";
import type { CrashPlan, Mode, Mutant, Place } from "./crash-plan.ts";
import { readTable } from "./read-file.ts";
import { seededRandom } from "./seeded-random.ts";

const CRASH_BOT = new URL("crash-bot.ts", import.meta.url).pathname;

/** A bot that does not come to the place where it is to die is killed after so many milliseconds. */
const PATIENCE = 4000;

/** What is told of a story. */
export interface CrashReport {
  readonly kills: ReadonlyMap<Place, number>;
  readonly updates: number;
  /** Texts that were written and are in no chat's data. */
  readonly lost: number;
  /** Texts that are in their chat's data more than once. */
  readonly twice: number;
  /** Chats whose texts are all there, once, and in another order. */
  readonly misordered: number;
  /** Users and bots whose count is not that of the texts in the chats. */
  readonly torn: number;
}

/** What a story is about. */
export interface CrashStoryOptions {
  readonly emulator: TelegramEmulator;
  readonly file: string;
  readonly mode: Mode;
  /** Where the bot dies, once for each. */
  readonly places: readonly Place[];
  readonly seed: number;
  readonly mutant?: Mutant | undefined;
}

interface Room {
  readonly user: EmulatedUser;
  readonly chat: EmulatedUser | EmulatedGroup;
}

/** People write all the time; the bot is started, dies, is started again. At the end its data is compared with what was written. */
export async function crashStory(options: CrashStoryOptions): Promise<CrashReport> {
  const story = await CrashStory.begin(options);
  for (const place of options.places) await story.kill(place);
  return story.end();
}

class CrashStory {
  readonly #options: CrashStoryOptions;
  readonly #token: string;
  readonly #port: number;
  readonly #rooms: readonly Room[];
  readonly #random: () => number;
  readonly #kills = new Map<Place, number>();
  readonly #written = new Map<number, string[]>();
  readonly #byUser = new Map<string, number>();
  #updates = 0;
  #starts = 0;

  private constructor(options: CrashStoryOptions, token: string, port: number, rooms: readonly Room[]) {
    this.#options = options;
    this.#token = token;
    this.#port = port;
    this.#rooms = rooms;
    this.#random = seededRandom(options.seed);
  }

  static async begin(options: CrashStoryOptions): Promise<CrashStory> {
    const { emulator, mode } = options;
    const { token } = await emulator.createBot({ username: `crash_${Math.floor(Math.random() * 1e9)}_bot` });
    const port = await freePort();
    const users = await Promise.all(
      ["Ann", "Bob", "Cem", "Dia"].map((firstName) => emulator.createUser({ firstName, bot: token })),
    );
    const group = await emulator.createGroup({ title: "Club", bot: token, members: users });
    if (mode === "webhook") {
      const url = encodeURIComponent(`http://127.0.0.1:${port}/`);
      await fetch(`${emulator.url}/bot${token}/setWebhook?url=${url}`);
    }
    const rooms = users.flatMap((user): Room[] => [
      { user, chat: user },
      { user, chat: group },
    ]);
    return new CrashStory(options, token, port, rooms);
  }

  /** One life of the bot. */
  async kill(place: Place): Promise<void> {
    await this.#write(5 + Math.floor(this.#random() * 15));
    // A poller accepts a whole batch at once, so the first time may be the only one.
    const isRare = place.endsWith("accepting") || place === "replay";
    const child = this.#start(place, isRare ? 1 : 1 + Math.floor(this.#random() * 3));
    const writing = this.#write(15);
    const end = place === "any moment" ? 120 + this.#random() * 250 : PATIENCE;
    const early = await Promise.race([child.exited.then(() => true), this.#prod(end)]);
    await writing;
    await child.kill();
    const reached = early === true ? place : "any moment";
    this.#kills.set(reached, (this.#kills.get(reached) ?? 0) + 1);
    if (child.errors.length > 0) throw new Error(`The bot printed errors:\n${child.errors.join("\n")}`);
  }

  /** A last start, in peace, until everything is done. */
  async end(): Promise<CrashReport> {
    const child = this.#start(undefined, 0);
    for (const { user, chat } of this.#rooms) {
      await user.send("/done", chat === user ? {} : { chat: chat as EmulatedGroup });
      await Promise.race([chat.nextReply({ timeout: 20_000 }), this.#prod(25_000)]);
    }
    child.process.kill("SIGTERM");
    const { code } = await child.exited;
    if (code !== 0) throw new Error(`The bot ended with ${code}:\n${child.errors.join("\n")}`);
    return this.#report();
  }

  #start(place: Place | undefined, after: number): Child {
    const { emulator, file, mode, mutant } = this.#options;
    this.#starts += 1;
    const plan: CrashPlan = {
      mode,
      token: this.#token,
      apiRoot: emulator.url,
      file,
      port: this.#port,
      stock: this.#starts % 2 === 0,
      place,
      after,
      mutant,
    };
    return new Child(CRASH_BOT, [], { env: { ...process.env, CRASH_PLAN: JSON.stringify(plan) } });
  }

  /** Passes the time. A webhook's updates go out again at once, not with Telegram's growing delays. */
  async #prod(milliseconds: number): Promise<undefined> {
    const end = performance.now() + milliseconds;
    while (performance.now() < end) {
      if (this.#options.mode === "webhook") {
        await this.#options.emulator.retryNow(this.#token, { timeout: 200 }).catch(() => {});
      }
      await sleep(Math.min(20, milliseconds));
    }
    return undefined;
  }

  async #write(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const { user, chat } = this.#rooms[Math.floor(this.#random() * this.#rooms.length)] as Room;
      this.#updates += 1;
      const text = `text ${this.#updates}`;
      this.#written.set(chat.id, [...(this.#written.get(chat.id) ?? []), text]);
      this.#byUser.set(text, user.id);
      await user.send(text, chat === user ? {} : { chat: chat as EmulatedGroup });
      if (index % 5 === 0) await sleep(this.#random() * 10);
    }
  }

  #report(): CrashReport {
    const chats = readTable(this.#options.file, "chat_data");
    let [lost, twice, misordered, torn] = [0, 0, 0, 0];
    const users = new Map<number, number>();
    let total = 0;
    for (const [id, written] of this.#written) {
      const found = (chats.get(id)?.["texts"] ?? []) as string[];
      const once = new Set(found);
      lost += written.filter((text) => !once.has(text)).length;
      twice += found.length - once.size;
      if (found.length === written.length && once.size === written.length) {
        misordered += Number(found.some((text, index) => text !== written[index]));
      }
      total += found.length;
      for (const text of found) {
        const user = this.#byUser.get(text) ?? 0;
        users.set(user, (users.get(user) ?? 0) + 1);
      }
    }
    const counted = readTable(this.#options.file, "user_data");
    for (const [id, count] of users) torn += Number(counted.get(id)?.["n"] !== count);
    torn += Number(readTable(this.#options.file, "bot_data").get(1)?.["n"] !== total);
    return { kills: this.#kills, updates: this.#updates, lost, twice, misordered, torn };
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
