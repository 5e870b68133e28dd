import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { EmulatedGroup, EmulatedUser, TelegramEmulator } from "../src/testing/index.ts";
import { seededRandom } from "../test/support/seeded-random.ts";
import { BotProcess } from "./bot-process.ts";
import {
  LEFT,
  type CrashPlan,
  type Death,
  type Load,
  type Mode,
  type Mutant,
  type Place,
  type Storage,
} from "./crash-plan.ts";
import { silences, stepFaults, tornConversations } from "./conversation-steps.ts";
import { readKeptData, type KeptData } from "./kept-data.ts";
import { ScheduledRuns } from "./scheduled-runs.ts";
import { WrittenTexts, type Faults } from "./written-texts.ts";

/** A bot that does not come to the place where it is to die is killed after so many milliseconds. */
const PATIENCE = 10_000;

/** What was left open to the last bot may take so long, on a busy machine. */
const LAST_PATIENCE = 90_000;

/** A bot that is to die at any moment does so after so many milliseconds at most: time to start and to work. */
const LIFE = 500;

/** Between two looks at whether all jobs are over, in milliseconds. */
const LOOK_PAUSE = 200;

/** How often somebody writes while a bot lives, in milliseconds. */
const PAUSE = 10;

/** After so many texts to one life of a bot, people write ten times as slowly. */
const MANY_TEXTS = 40;

/** The system calls that write, in places that last: at least so many are made there. */
const CALLS: Partial<Record<Place, number>> = {
  "while accepting": 4,
  "during a commit": 8,
  "during a job's commit": 8,
};
/** The places where what was written is flushed, if it is to survive a power cut. */
const FLUSHED: ReadonlySet<Place> = new Set<Place>(["during a commit", "during a job's commit"]);
/** `writeFile` opens, writes and closes. */
const CALLS_OF_FILE = 3;

/** How many microseconds a place lasts at first guess. */
const FIRST_GUESS = 200;

/** What a place is left by, alive. */
const NEXT: Partial<Record<Place, Place>> = {
  "while accepting": "after accepting",
  "during a commit": "after a commit",
  "during a job's commit": "after a job's commit",
};

/** What needs something that an earlier life has left: open updates, or jobs that are due. */
const NEEDS: Partial<Record<Place, "open" | "jobs">> = { replay: "open", "a run is noted": "jobs" };

/** Numbers of texts whose handler fails begin here. */
const FAILING = 1_000_000;

/** What is told of a story. */
export interface CrashReport extends Faults {
  readonly kills: ReadonlyMap<Place, number>;
  readonly updates: number;
  /** How many runs of jobs there must have been; of conversations, how many have ended by silence. */
  readonly runs: number;
  /** Parts of what is kept that are not of one moment, looked for after each kill and at the end. */
  readonly torn: number;
  /** Files that could not be read, after a kill or at the end. */
  readonly unreadable: number;
}

/** What a story is about. */
export interface CrashStoryOptions {
  readonly emulator: TelegramEmulator;
  /** A file or folder that does not exist yet. */
  readonly file: string;
  readonly storage?: Storage | undefined;
  readonly load?: Load | undefined;
  readonly mode: Mode;
  /** Where the bot dies, once for each. "replay" comes as soon as there is something to replay. */
  readonly places: readonly Place[];
  readonly seed: number;
  readonly mutant?: Mutant | undefined;
  /** Ways to die in the middle of something. */
  readonly deaths?: readonly Death[] | undefined;
  /** Called after each kill. */
  readonly onKill?: (() => void) | undefined;
}

interface Room {
  readonly user: EmulatedUser;
  readonly chat: EmulatedUser | EmulatedGroup;
}

/** People write all the time; the bot is started, dies, is started again. At the end its data is compared with what was written. */
export async function crashStory(options: CrashStoryOptions): Promise<CrashReport> {
  const story = await CrashStory.begin(options);
  try {
    await story.killAll();
    return await story.end();
  } finally {
    await story.clear();
  }
}

class CrashStory {
  readonly #options: CrashStoryOptions;
  readonly #storage: Storage;
  readonly #load: Load;
  readonly #token: string;
  readonly #port: number;
  readonly #rooms: readonly Room[];
  readonly #random: () => number;
  readonly #kills = new Map<Place, number>();
  readonly #written = new WrittenTexts();
  readonly #scheduled = new ScheduledRuns(this.#written.all);
  #failing = FAILING;
  #bot: BotProcess | undefined;
  #starts = 0;
  #guess = FIRST_GUESS;
  #torn = 0;
  #unreadable = 0;

  private constructor(options: CrashStoryOptions, token: string, port: number, rooms: readonly Room[]) {
    this.#options = options;
    this.#storage = options.storage ?? "perdure";
    this.#load = options.load ?? "texts";
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

  async killAll(): Promise<void> {
    const left = [...this.#options.places];
    const filler: Place = this.#load !== "texts" ? "after a commit" : "after accepting";
    let found: Pick<KeptData, "open" | "jobs"> = { open: [], jobs: [] };
    while (left.length > 0) {
      const index = left.findIndex((place) => {
        const needed = NEEDS[place];
        return needed === undefined || found[needed].length > 0;
      });
      // Nothing is left but replays, and there is nothing to replay: something has to be left open first.
      const [place = filler] = left.splice(Math.max(index, 0), 1);
      found = await this.#kill(index === -1 ? filler : place);
      this.#options.onKill?.();
    }
  }

  /** A last start, in peace, until everything is done. */
  async end(): Promise<CrashReport> {
    const bot = this.#start(undefined);
    for (const { user, chat } of this.#rooms) {
      await user.send("/done", chat === user ? {} : { chat: chat as EmulatedGroup });
      await this.#until(chat.nextReply({ timeout: LAST_PATIENCE }));
    }
    await this.#jobsOver();
    bot.stop();
    const code = await bot.exited;
    if (code !== 0) throw new Error(`The bot ended with ${code}:\n${bot.errors.join("\n")}`);
    const kept = this.#look();
    const faults = this.#written.faults(kept);
    const [torn, unreadable] = [this.#torn, this.#unreadable];
    const report = { kills: this.#kills, updates: this.#written.count, runs: 0, ...faults, torn, unreadable };
    if (this.#load === "texts") return report;
    const { lost, twice } = this.#load === "jobs" ? this.#scheduled.faults(kept) : stepFaults(kept);
    const runs = this.#load === "jobs" ? this.#scheduled.count : silences(kept);
    return { ...report, runs, lost: faults.lost + lost, twice: faults.twice + twice };
  }

  /** All is due by now, or within seconds. What is not over by then is lost. */
  async #jobsOver(): Promise<void> {
    const end = performance.now() + LAST_PATIENCE;
    while (this.#load !== "texts" && performance.now() < end) {
      const { jobs, unreadable } = readKeptData(this.#storage, this.#options.file);
      if (unreadable === 0 && jobs.every(({ next }) => next === undefined)) return;
      await sleep(LOOK_PAUSE);
    }
  }

  async clear(): Promise<void> {
    await this.#bot?.kill();
  }

  /** One life of the bot. Answers what it has left. */
  async #kill(place: Place): Promise<KeptData> {
    await this.#write(5 + Math.floor(this.#random() * 15));
    const bot = this.#start(place);
    const isOver = await this.#until(bot.exited, place === "any moment" ? this.#random() * LIFE : PATIENCE, () =>
      this.#write(1),
    );
    await bot.kill();
    const code = await bot.exited;
    if (code !== null) throw new Error(`The bot was to be killed and ended with ${code}:\n${bot.errors.join("\n")}`);
    this.#count(isOver ? place : "any moment", bot);
    return this.#look();
  }

  #count(reached: Place, bot: BotProcess): void {
    if (bot.errors.length > 0) throw new Error(`The bot printed errors:\n${bot.errors.join("\n")}`);
    const hasLeft = bot.hasPrinted(LEFT);
    const place = hasLeft ? (NEXT[reached] ?? reached) : reached;
    if (NEXT[reached] !== undefined) this.#guess *= hasLeft ? 0.7 : 1.2;
    this.#kills.set(place, (this.#kills.get(place) ?? 0) + 1);
  }

  /** What is kept now, with what is wrong about it at any time noted. */
  #look(): KeptData {
    const kept = readKeptData(this.#storage, this.#options.file);
    this.#unreadable += kept.unreadable;
    if (kept.unreadable > 0) return kept;
    this.#torn += this.#written.torn(kept);
    if (this.#load === "jobs") this.#torn += this.#scheduled.torn(kept);
    if (this.#load === "conversations") this.#torn += tornConversations(kept);
    return kept;
  }

  #start(place: Place | undefined): BotProcess {
    const { emulator, file, mode, mutant, deaths = ["watchdog"] } = this.#options;
    this.#starts += 1;
    // There may be only one update to replay, and a poller accepts many at once.
    const mostPasses =
      place !== undefined && NEEDS[place] !== undefined ? 1 : place?.endsWith("accepting") === true ? 2 : 3;
    const death = deaths[this.#integer(deaths.length)] ?? "watchdog";
    const plan: CrashPlan = {
      storage: this.#storage,
      load: this.#load,
      mode,
      token: this.#token,
      apiRoot: emulator.url,
      file,
      // A watchdog needs something that takes its time.
      durability: death === "watchdog" || this.#random() < 0.5 ? "disk" : "os",
      port: this.#port,
      stock: this.#starts % 2 === 0,
      place,
      after: 1 + this.#integer(mostPasses),
      death,
      delay: this.#integer(this.#guess),
      mutant,
    };
    this.#bot = new BotProcess(plan, this.#callToDieAt(plan));
    return this.#bot;
  }

  /** Which of the calls that write, from 1; 0 is the flush after them. */
  #callToDieAt({ storage, place, durability }: CrashPlan): number {
    if (storage === "file") return 1 + this.#integer(CALLS_OF_FILE);
    const calls = (place && CALLS[place]) ?? 1;
    const flushes = place !== undefined && FLUSHED.has(place) && durability === "disk";
    return flushes ? this.#integer(1 + calls) : 1 + this.#integer(calls);
  }

  /**
   * Waits for something, at most so many milliseconds, and answers whether it came. Meanwhile people go on as `often` says, and
   * a webhook's updates go out again at once, not with Telegram's growing delays.
   */
  async #until(awaited: Promise<unknown>, atMost = Infinity, often?: () => Promise<void>): Promise<boolean> {
    let isOver = false;
    const over = awaited.finally(() => (isOver = true));
    const end = performance.now() + atMost;
    for (let times = 0; !isOver; times += 1) {
      const left = end - performance.now();
      if (left <= 0) return false;
      if (times < MANY_TEXTS || times % 10 === 0) await often?.();
      if (this.#options.mode === "webhook") await this.#prod();
      await Promise.race([over, sleep(Math.min(PAUSE, left))]);
    }
    await awaited;
    return true;
  }

  async #prod(): Promise<void> {
    await this.#options.emulator.retryNow(this.#token, { timeout: PAUSE }).catch(() => {});
  }

  async #write(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const { user, chat } = this.#rooms[this.#integer(this.#rooms.length)] as Room;
      const text = this.#written.add({ chat: chat.id, user: user.id });
      const to = chat === user ? {} : { chat: chat as EmulatedGroup };
      await user.send(text, to);
      if (this.#load === "jobs" && this.#integer(10) === 0) await user.send(`/fail ${(this.#failing += 1)}`, to);
    }
  }

  #integer(below: number): number {
    return Math.floor(this.#random() * below);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
