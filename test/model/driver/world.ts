import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { AtomicPersistence } from "../../../src/persistence/atomic-persistence.ts";
import { Model } from "../reference/model.ts";
import { Tally } from "../tally.ts";
import { Faults } from "./faults.ts";
import { Life, type LifeSettings } from "./life.ts";
import { QUIET_TURNS } from "./quiet.ts";
import { Telegram } from "./telegram.ts";

/** Where a history plays. */
export interface WorldOptions {
  /** A folder of its own. */
  readonly folder: string;
  /** A bot's file that is as good as new, to be copied. */
  readonly blank: string;
  /** Where it is counted what happens. */
  readonly tally?: Tally | undefined;
  /** What is put between the engine and its persistence. */
  readonly mutate?: ((persistence: AtomicPersistence) => AtomicPersistence) | undefined;
}

/** The time at which every history begins, in milliseconds since 1970. */
const BEGINNING = 1_700_000_000_000;

/** Telegram, the bot's file, the bot while it lives, and the model of it all. */
export class World {
  readonly telegram: Telegram = new Telegram();
  readonly tally: Tally;
  readonly model: Model;
  readonly faults: Faults = new Faults();
  readonly options: WorldOptions;
  life: Life | undefined;
  path: string;
  /** The first thing that the library did and may not do. */
  violation: unknown;
  #tokens = 1_000_000;
  #signs = 0;
  #lives = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.tally = options.tally ?? new Tally();
    this.model = new Model(this.tally);
    this.path = join(options.folder, "life-0.sqlite");
    copyFileSync(options.blank, this.path);
    this.model.now = BEGINNING;
  }

  /** A number that is in what one unit of work writes, and in nothing that another, or an update, writes. */
  nextToken(): number {
    this.#tokens += 1;
    return this.#tokens;
  }

  /** Before each step: what was a moment ago is over. */
  beginStep(): void {
    if (this.life === undefined) this.model.forgetRecent();
    else this.life.beginStep();
  }

  /** Starts the bot, if it does not run. */
  async start(settings: LifeSettings): Promise<void> {
    if (this.life !== undefined) return;
    this.life = new Life(this, settings);
    this.model.beginLife(settings);
    await this.life.begin();
  }

  /** The process is gone, and this is the file that it leaves. */
  kill(): void {
    const { life } = this;
    if (life === undefined) return;
    this.life = undefined;
    this.#lives += 1;
    this.tally.count("the process is killed");
    const path = join(this.options.folder, `life-${this.#lives}.sqlite`);
    copyFileSync(this.path, path);
    if (existsSync(`${this.path}-wal`)) copyFileSync(`${this.path}-wal`, `${path}-wal`);
    life.end();
    for (const suffix of ["", "-wal", "-shm", "-lock"]) rmSync(this.path + suffix, { force: true });
    this.path = path;
    this.#forgetLife();
  }

  /** The process has ended in an orderly way. */
  ended(): void {
    this.life?.end();
    this.life = undefined;
    this.#forgetLife();
  }

  /** Nobody looks at it any more. */
  abandon(): void {
    this.life?.end();
    this.life = undefined;
  }

  /** Runs what is to be right; what is not ends the history. */
  check(what: () => void): void {
    try {
      what();
    } catch (error) {
      this.violation ??= error;
    }
  }

  /** Something has happened: it is not quiet yet. */
  sign(): void {
    this.#signs += 1;
  }

  /** Lets everything run until all wait for the history. */
  async quiet(): Promise<void> {
    for (let [turns, seen] = [0, -1]; turns < QUIET_TURNS; turns += 1) {
      if (seen !== this.#signs) [turns, seen] = [0, this.#signs];
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.violation !== undefined) throw this.violation;
  }

  async pass(milliseconds: number): Promise<void> {
    if (this.life !== undefined) await this.life.pass(milliseconds);
    else this.model.now += milliseconds;
  }

  /** What must be so whenever all is quiet. */
  requireProgress(): void {
    const { life } = this;
    if (life === undefined || !this.faults.isCalm(this.model.now) || !life.isFree || this.model.isReplaying) return;
    this.model.requireProgress();
  }

  #forgetLife(): void {
    this.faults.clear();
    this.model.endLife();
  }
}
