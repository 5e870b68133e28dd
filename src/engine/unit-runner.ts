import { AsyncLocalStorage } from "node:async_hooks";
import type { Update } from "@grammyjs/types";
import { isPromise, type MaybePromise } from "../data/maybe-promise.ts";
import { BOT_KEY, keyName, keyText, type RecordChange, type RecordKey } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import { BotData } from "./bot-data.ts";
import { BotView } from "./bot-view.ts";
import type { Clock } from "./clock.ts";
import type { Committer } from "./committer.ts";
import type { KeptValue } from "./kept-value.ts";
import { LargeRecords } from "./large-records.ts";
import type { RecordReader } from "./record-reader.ts";
import type { JobOrigin, Reporter } from "./reporter.ts";
import { stopped } from "./retry.ts";
import { SERVICE_ACCOUNTS } from "./scopes-of-update.ts";
import { Slots, type Slot } from "./slots.ts";
import type { TransientRecords } from "./transient-records.ts";
import { Turns, type Turn } from "./turns.ts";
import { UnderWay, type Ticket } from "./under-way.ts";
import { UnitOfWork, type UnitSubject } from "./unit-of-work.ts";
import type { Values } from "./values.ts";

/** What is to be done as one unit of work. */
export interface Assignment extends UnitSubject {
  /** The records that it begins with, and takes its turn for. Asked again when the turn comes: a chat may have moved. */
  keys(): readonly RecordKey[];
  /** The update that is done with it, if it is one. */
  readonly update?: Update | undefined;
  /** Whether others bring its values up to date before it runs. */
  readonly refreshes: boolean;
  /** The job whose run it is, if it is one. */
  readonly job?: (() => JobOrigin | undefined) | undefined;
}

/** A unit of work on its way, from entering the queues of its records to leaving them. */
export interface Passage {
  readonly assignment: Assignment;
  /** There as long as it is on its way. */
  ticket?: Ticket<Passage> | undefined;
  keys: readonly RecordKey[];
  turn: Turn;
  slot?: Slot | undefined;
  /** Whether it has all slots, so that nothing runs beside it. */
  isAlone?: boolean;
  /** The unit of work that waits for this one, having given up its turn. */
  readonly parent?: Passage | undefined;
  /** Called when it gives up its turn for a while. */
  onAside?: (() => void) | undefined;
  unit?: UnitOfWork | undefined;
  /** When its handlers began, in milliseconds since 1970. */
  began?: number | undefined;
  reported?: boolean;
  /** How often its update was run, this run included, if that was noted. */
  attempt?: number | undefined;
  /** Takes back what was noted before its work, in case a stop gives it up. */
  takeBack?: RecordChange | undefined;
  /** Whether its changes are on their way to the persistence: whether they arrive cannot be known. */
  isCommitting?: boolean;
  /** Whether what is to be durable of it is, or will be without it. */
  concluded?: boolean;
  /** The done mark that is not durable yet. */
  mark?: Promise<void> | undefined;
}

/** What the runner needs of the engine. */
export interface UnitRunnerOptions {
  readonly values: Values;
  readonly transient: TransientRecords;
  readonly committer: Committer;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly concurrency: number;
  readonly onHandlerError: "rollback" | "keep";
  readonly reader: RecordReader;
  /** Called when a unit is durable, while it still has its turn. */
  readonly onCommitted: (unit: UnitOfWork, changes: readonly RecordChange[]) => void;
  /** Aborted when whatever still runs is given up. */
  readonly stopped: AbortSignal;
}

/** A unit of work that runs longer is reported, in milliseconds. */
const LONG = 60_000;

/** Runs units of work: turn, slot, records, handlers, commit. */
export class UnitRunner {
  readonly #options: UnitRunnerOptions;
  readonly #botView: BotView;
  readonly #turns = new Turns();
  readonly #slots: Slots;
  readonly #passages = new UnderWay<Passage>();
  readonly #current = new AsyncLocalStorage<Passage>();
  readonly #largeRecords: LargeRecords;
  #onIdle: (() => void) | undefined;
  #cancelWatch: (() => void) | undefined;

  constructor(options: UnitRunnerOptions) {
    this.#options = options;
    this.#botView = new BotView(options.values);
    this.#slots = new Slots(options.concurrency);
    this.#largeRecords = new LargeRecords(options.reporter.logger);
  }

  /** Whether the caller is a handler of a unit of work. */
  get isInUnit(): boolean {
    return this.current !== undefined;
  }

  /** The unit of work that the caller is a handler of. */
  get current(): UnitOfWork | undefined {
    const unit = this.#current.getStore()?.unit;
    return unit?.isOver === false && !unit.isAside ? unit : undefined;
  }

  /** Whether the caller is a handler of a unit of work that has given up its turn. */
  get isAside(): boolean {
    return this.#aside !== undefined;
  }

  get #aside(): Passage | undefined {
    const passage = this.#current.getStore();
    return passage?.unit?.isOver === false && passage.unit.isAside ? passage : undefined;
  }

  /** Whether the caller is a handler of a unit of work, or a call after its commit. */
  get isInPassage(): boolean {
    return this.#current.getStore()?.ticket !== undefined;
  }

  /**
   * Enters the queues now: the order of these calls is the order of the turns. To be followed by {@link UnitRunner.leave}. Throws
   * `PERDURE_DEADLOCK` where the caller has given up its turn, and waiting for what it still owns would never end.
   */
  enter(assignment: Assignment): Passage {
    const keys = assignment.keys();
    const parent = this.#aside;
    const turn = this.#turns.take(turnKeys(keys), parent?.turn.isEmpty === false ? parent.turn : undefined);
    const passage: Passage = { assignment, keys, turn, parent };
    passage.ticket = this.#passages.add(passage);
    return passage;
  }

  /** Waits for the turn and for a slot, or for all slots, to run alone. */
  async admit(passage: Passage, alone: boolean): Promise<void> {
    for (;;) {
      const waiting = passage.turn.wait();
      if (waiting !== undefined) await lending(passage, waiting);
      this.#options.stopped.throwIfAborted();
      const keys = passage.assignment.keys();
      if (sameKeys(keys, passage.keys)) break;
      // Its chat has moved while it waited, and its place with it.
      passage.keys = keys;
    }
    passage.isAlone = alone;
    // Where the unit that waits for it runs alone, it does so too.
    if (passage.slot === undefined && passage.parent?.slot === undefined) {
      const slot = this.#slots.take(alone);
      passage.slot = isPromise(slot) ? await slot : slot;
    }
    this.#options.stopped.throwIfAborted();
  }

  /** Reads the records, runs the handlers, and makes what they changed durable. See `Engine.handle` for how it rejects. */
  async run<T>(passage: Passage, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    const unit = await this.#begin(passage);
    let outcome: { readonly value: T } | { readonly error: unknown };
    let changes: readonly RecordChange[] | undefined;
    try {
      outcome = { value: await this.#current.run(passage, () => work(unit)) };
      const made = this.#changes(passage, unit);
      changes = isPromise(made) ? await made : made;
    } catch (error) {
      outcome = { error };
      changes = await this.#changesInSpite(passage, unit, error);
    }
    await this.#conclude(passage, unit, changes);
    passage.concluded = true;
    passage.turn.release();
    // What comes after the commit may wait for another unit of work, which needs a slot.
    passage.slot?.give();
    if (changes !== undefined && unit.calls.length > 0)
      await this.#current.run(passage, () => this.#callAfterCommit(passage, unit));
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Gives up everything that the passage has. */
  leave(passage: Passage): void {
    passage.turn.release();
    passage.slot?.give();
    if (passage.ticket !== undefined) this.#passages.remove(passage.ticket);
    passage.ticket = undefined;
    if (this.#passages.size > 0) return;
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
    this.#onIdle?.();
  }

  /** Moves who waits for one record's turn to another's, in order of arrival. The caller has both. */
  moveTurns(from: RecordKey, to: RecordKey): void {
    this.#turns.move(keyText(from), keyText(to));
  }

  /** Whether exactly one unit of work is on its way. */
  get hasOne(): boolean {
    return this.#passages.size === 1;
  }

  /** Resolves when no unit of work is on its way. */
  async idle(): Promise<void> {
    if (this.#passages.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  /** Gives up whatever is on its way, which it answers. The signal `stopped` is to be aborted before. */
  giveUp(): readonly Passage[] {
    const left = [...this.#passages].filter(({ concluded }) => concluded !== true);
    for (const { unit, turn, slot } of left) {
      unit?.abandon();
      turn.release();
      slot?.give();
    }
    return left;
  }

  async #begin(passage: Passage): Promise<UnitOfWork> {
    const { reader } = this.#options;
    const { kept, bot } = await this.#read(passage);
    const unit = new UnitOfWork(passage.assignment, kept, bot, {
      read: async (key) =>
        (await (key.kind === "bot" ? this.#readValues(passage, [key]) : reader.read([key])))[0] as KeptValue,
      own: (key) => own(passage, key),
      isFree: (key) => passage.turn.isFree(keyText(key)),
      giveUpTurn: (keys) => this.#giveUpTurn(passage, keys),
      takeTurnBack: () => this.#takeTurnBack(passage),
    });
    passage.unit = unit;
    this.#noteBeginning(passage);
    return unit;
  }

  #noteBeginning(passage: Passage): void {
    const { clock } = this.#options;
    passage.began = clock.now();
    this.#cancelWatch ??= clock.after(LONG, () => this.#watch());
  }

  /** What a unit begins with. */
  async #read(passage: Passage): Promise<{ readonly kept: readonly KeptValue[]; readonly bot: BotData }> {
    const [bot, ...kept] = await this.#readValues(passage, [BOT_KEY, ...passage.keys]);
    return { kept, bot: new BotData(bot?.asRead, this.#options.values, this.#botView) };
  }

  #readValues({ assignment }: Passage, keys: readonly RecordKey[]): Promise<KeptValue[]> {
    const { reader } = this.#options;
    return assignment.refreshes ? reader.readRefreshed(keys) : reader.read(keys);
  }

  #giveUpTurn(passage: Passage, kept: readonly RecordKey[]): void {
    passage.turn.keep(new Set(kept.map(keyText)));
    // What may have ended the process before goes on running alone.
    if (passage.isAlone !== true) {
      passage.slot?.give();
      passage.slot = undefined;
    }
    passage.onAside?.();
  }

  async #takeTurnBack(passage: Passage): Promise<{ readonly kept: readonly KeptValue[]; readonly bot: BotData }> {
    if (passage.turn.isEmpty) this.#enterAgain(passage);
    else await this.#ownAgain(passage);
    await this.admit(passage, passage.isAlone === true);
    if (passage.unit?.isOver !== false) {
      // Nobody waits for it any more, who would give this up.
      passage.turn.release();
      passage.slot?.give();
      throw stopped();
    }
    this.#noteBeginning(passage);
    return this.#read(passage);
  }

  #enterAgain(passage: Passage): void {
    passage.keys = passage.assignment.keys();
    passage.turn = this.#turns.take(turnKeys(passage.keys));
  }

  /** Beside what it has kept, one after the other: it runs, and goes before those that do not. */
  async #ownAgain(passage: Passage): Promise<void> {
    do {
      passage.keys = passage.assignment.keys();
      for (const key of passage.keys) if (hasTurn(key)) await own(passage, key);
      // A chat may have moved meanwhile.
    } while (!sameKeys(passage.keys, passage.assignment.keys()));
  }

  /** Makes the changes durable, and the update done. */
  async #conclude(passage: Passage, unit: UnitOfWork, changes: readonly RecordChange[] | undefined): Promise<void> {
    const { committer, stopped, transient } = this.#options;
    const done = passage.assignment.update?.update_id;
    stopped.throwIfAborted();
    const alias = changes === undefined ? undefined : unit.alias;
    const durable = changes && transient.durable(changes);
    if (changes !== undefined && durable?.length === 0 && unit.calls.length === 0 && alias === undefined) {
      transient.apply(changes);
      if (done !== undefined) passage.mark = committer.markDone(done);
      return;
    }
    passage.isCommitting = true;
    try {
      if (changes !== undefined || done !== undefined) await committer.commit({ changes: durable ?? [], done, alias });
      if (changes === undefined) return;
      transient.apply(changes);
      this.#largeRecords.report(changes);
      this.#options.onCommitted(unit, changes);
    } catch (error) {
      // It can never be kept. Then at least it must not come again.
      if (!stopped.aborted && done !== undefined) await committer.commit({ changes: [], done });
      throw error;
    }
  }

  /** What the unit changed. Where it had no turn, only if nobody else has changed the same meanwhile. */
  #changes(passage: Passage, unit: UnitOfWork): MaybePromise<readonly RecordChange[]> {
    const changes = unit.finish();
    const turnless = changes.filter(({ key }) => !hasTurn(key));
    return turnless.length === 0 ? changes : this.#unlessInConflict(passage, unit, turnless).then(() => changes);
  }

  async #unlessInConflict(passage: Passage, unit: UnitOfWork, changes: readonly RecordChange[]): Promise<void> {
    for (const { key } of changes) {
      await own(passage, key);
      const [now] = await this.#options.reader.records([key]);
      if (now?.text !== unit.loaded(key)?.text) throw conflict(key);
    }
  }

  /** What is kept of a unit that failed: nothing (`undefined`), unless `onHandlerError` says otherwise. */
  async #changesInSpite(
    passage: Passage,
    unit: UnitOfWork,
    failure: unknown,
  ): Promise<readonly RecordChange[] | undefined> {
    const { onHandlerError, reporter, stopped } = this.#options;
    const { update } = passage.assignment;
    if (onHandlerError === "rollback" || update === undefined || unit.isOver || stopped.aborted) {
      unit.abandon();
      return undefined;
    }
    try {
      return await this.#changes(passage, unit);
    } catch (error) {
      if (error !== failure) reporter.report(error, { update });
      return undefined;
    }
  }

  async #callAfterCommit({ assignment: { update, job } }: Passage, unit: UnitOfWork): Promise<void> {
    for (const call of unit.calls) {
      try {
        await call();
      } catch (error) {
        this.#options.reporter.report(error, { update, job: job?.() });
      }
    }
  }

  #watch(): void {
    const { clock, reporter } = this.#options;
    for (const passage of this.#passages) {
      if (passage.began === undefined || passage.reported === true || clock.now() - passage.began < LONG) continue;
      // If it was to run alone: not for ever.
      passage.slot?.shrink();
      // What has given up its turn may take long.
      if (passage.unit?.isAside === true && passage.turn.isEmpty) continue;
      passage.reported = true;
      const seconds = Math.round((clock.now() - passage.began) / 1000);
      const records = passage.keys.map(keyName).join(", ");
      reporter.logger.warn(
        `${passage.assignment.name} has been running for ${seconds} s. What comes for the same ${records} waits for it.`,
      );
    }
    this.#cancelWatch = clock.after(LONG / 4, () => this.#watch());
  }
}

async function own(passage: Passage, key: RecordKey): Promise<void> {
  const waiting = passage.turn.own(keyText(key));
  if (waiting !== undefined) await lending(passage, waiting);
}

/** Waits, and lends what it has of the slots meanwhile, or what the unit has that waits for it: whoever is ahead may need one. */
async function lending({ slot, parent }: Passage, waiting: Promise<unknown>): Promise<void> {
  await ((slot ?? parent?.slot)?.lendWhile(waiting) ?? waiting);
}

/** Accounts that stand for everybody have data and no turn: unrelated chats would wait for each other. */
function hasTurn(key: RecordKey): boolean {
  return key.kind !== "user" || !SERVICE_ACCOUNTS.has(key.id);
}

function turnKeys(keys: readonly RecordKey[]): string[] {
  return keys.filter(hasTurn).map(keyText);
}

function sameKeys(a: readonly RecordKey[], b: readonly RecordKey[]): boolean {
  return a.length === b.length && a.every((key, index) => keyText(key) === keyText(b[index] as RecordKey));
}

function conflict(key: RecordKey): PerdureError {
  return new PerdureError(
    "PERDURE_CONFLICT",
    `${keyName(key)} stands for everybody, and another update has changed it at the same time. This one was rolled back. ` +
      "Keep such things in the chat's data.",
  );
}
