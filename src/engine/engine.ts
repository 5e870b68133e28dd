import type { Update } from "@grammyjs/types";
import type { LiveObjects } from "../data/codec.ts";
import { isPromise, type MaybePromise } from "../data/maybe-promise.ts";
import type { RecordChange, RecordKey } from "../data/record.ts";
import { isPerdureError, PerdureError } from "../errors.ts";
import type { Acceptance, AtomicPersistence, ChatAlias, FailedUpdate } from "../persistence/atomic-persistence.ts";
import { Assignments, type Task, type TransactionKeys } from "./assignments.ts";
import { belongings } from "./belongings.ts";
import { ChatAliases, migrationOf } from "./chat-aliases.ts";
import { ChatMigration, type OnMigrate } from "./chat-migration.ts";
import type { Clock } from "./clock.ts";
import { Committer } from "./committer.ts";
import { Inbox } from "./inbox.ts";
import { RecordListing } from "./record-listing.ts";
import { RecordReader, type Refresh } from "./record-reader.ts";
import type { Reporter } from "./reporter.ts";
import { retry, stopped, wait, type RetryOptions, type StopSignal } from "./retry.ts";
import type { Schema } from "./schema.ts";
import type { UnitOfWork } from "./unit-of-work.ts";
import { UnitRunner, type Assignment, type Passage } from "./unit-runner.ts";
import { TransientRecords } from "./transient-records.ts";
import { Values } from "./values.ts";

/** What an engine is made of. */
export interface EngineOptions {
  readonly persistence: AtomicPersistence;
  readonly schema: Schema;
  readonly live?: LiveObjects | undefined;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** How many units of work may run at the same time. */
  readonly concurrency: number;
  /** What becomes of the changes of a handler that throws. */
  readonly onHandlerError: "rollback" | "keep";
  /** How often an update is run before it is set aside. */
  readonly maxAttempts: number;
  /** Called when an update waits for the open ones of earlier runs, in case nobody replays them. */
  readonly onReplayNeeded: () => void;
  /** Brings values up to date that others write too. */
  readonly refresh?: Refresh | undefined;
  /** Merges the data of a chat that has moved to one that has data already. */
  readonly onMigrate?: OnMigrate | undefined;
  /** Which records are to live in memory only. Default: none. */
  readonly isTransient?: ((key: RecordKey) => boolean) | undefined;
}

/**
 * What became of an update: `"handled"`; `"duplicate"`, it is done or on its way already, and nothing was run; `"left"`,
 * the engine is stopping, and it stays in the inbox; `"set aside"`, it was tried too often; `"going on"`, it has given up its turn and
 * goes on for itself.
 */
export type Outcome = "handled" | "duplicate" | "left" | "set aside" | "going on";

/** Runs the handlers of one update. */
export type Run = (unit: UnitOfWork) => Promise<void>;

/** Makes something durable before a task goes on, whatever becomes of it; only a stop that gives the task up takes it back. */
export type Note = (change: RecordChange) => Promise<void>;

/** An update's way through the queues, and before it that of the migration which it announces. */
interface Way {
  readonly moving: Moving | undefined;
  readonly passage: Passage;
}

interface Moving {
  readonly migration: ChatAlias;
  readonly passage: Passage;
}

/** How many updates are named that a stop has left. */
const MOST_NAMED = 1000;

/** Between two looks at whether everything that was accepted is done, in milliseconds. */
const DRAIN_PAUSE = 20;

/** Runs updates as units of work: each in its turn, with all that it changed and the fact that it is done in one commit. */
export class Engine {
  readonly inbox: Inbox;
  /** What is kept, to go through. */
  readonly records: RecordListing;
  readonly #options: EngineOptions;
  readonly #aliases = new ChatAliases();
  readonly #assignments = new Assignments(this.#aliases);
  readonly #migration: ChatMigration;
  readonly #committer: Committer;
  readonly #runner: UnitRunner;
  readonly #stopped = new AbortController();
  readonly #onFailure: RetryOptions["onFailure"];
  readonly #onCommitted: ((changes: readonly RecordChange[]) => void)[] = [];
  #stopping = false;

  constructor(options: EngineOptions) {
    const { persistence, clock, schema, live, reporter, concurrency, onHandlerError, onMigrate, refresh } = options;
    const transient = new TransientRecords(options.isTransient ?? (() => false));
    this.#options = options;
    this.#onFailure = (error, attempt, pause) => {
      if (attempt === 1) reporter.report(error);
      else reporter.logger.warn(`Failed ${attempt} times, next try in ${pause} ms.`, error);
    };
    const values = new Values(persistence.codec, schema, live);
    const aliases = this.#aliases;
    this.records = new RecordListing({ persistence, transient, aliases, values, retry: (task) => this.#retry(task) });
    const reader = new RecordReader({
      values,
      read: async (keys) => aliases.current(await transient.read(keys, (others) => persistence.read(others))),
      refresh,
      retry: (task) => this.#retry(task),
    });
    this.#committer = new Committer({
      persistence,
      clock,
      retry: (task) => this.#retry(task),
      isAlone: () => this.#runner.hasOne,
    });
    const committer = this.#committer;
    this.#runner = new UnitRunner({
      values,
      transient,
      committer,
      clock,
      reporter,
      concurrency,
      onHandlerError,
      reader,
      onCommitted: ({ alias }, changes) => {
        if (alias !== undefined) this.#migration.complete(alias);
        for (const listener of this.#onCommitted) listener(changes);
      },
      stopped: this.#stopped.signal,
    });
    this.#migration = new ChatMigration({
      values,
      records: this.records,
      reporter,
      onMigrate,
      aliases: this.#aliases,
      moveTurns: (from, to) => this.#runner.moveTurns(from, to),
    });
    this.inbox = new Inbox({ persistence, reporter, retry: (task, signals) => this.#retry(task, signals) });
  }

  /**
   * Loads what must be in memory: which chats have moved, and whether an earlier run has left updates. To be called once,
   * before the first update.
   */
  async load(signals: readonly StopSignal[] = []): Promise<void> {
    await this.inbox.load(signals);
    const aliases = await this.#retry(() => this.#options.persistence.chatAliases(), signals);
    for (const alias of aliases) this.#aliases.add(alias);
  }

  /**
   * Runs one update as a unit of work. Resolves when its changes are durable, or when there are none; with `"duplicate"`
   * when it is durable, at least in the inbox, and runs or has run elsewhere.
   *
   * Rejects with what `run` threw, with what made a change impossible to keep, or with what made the commit fail for good;
   * the update is done then too, without its changes. Rejects also when an update cannot be accepted, or its records can
   * never be read; then nothing was run, and what is in the inbox stays there. Throws in a unit of work.
   *
   * With `fail`, a poller does not wait for what gives up its turn: then it resolves with `"going on"`, and what it would have rejected with later
   * goes there. For what was not handed out, a webhook's request, it waits all the same.
   */
  async handle(update: Update, run: Run, fail?: (error: unknown) => void): Promise<Outcome> {
    if (this.isInUnit || this.#runner.isAside) throw nested("bot.handleUpdate");
    if (this.inbox.isReplaying && !this.inbox.isHandedOut(update)) return this.#leaveToReplay(update, run);
    const claim = this.inbox.claim(update);
    if (claim === undefined) {
      await this.inbox.accepted(update);
      return "duplicate";
    }
    // The turn is taken before anything is waited for: the order of arrival is the order of these calls.
    const way = this.#enter(update);
    if (claim.kind === "unknown") {
      const { acceptance, durable } = this.inbox.acceptClaimed(update);
      return withDurable(durable, this.#handleClaimed(way, update, acceptance.then(attemptsAfter), run));
    }
    const attempts = claim.kind === "fresh" ? 0 : claim.attempts;
    if (fail === undefined) return this.#handleClaimed(way, update, attempts, run);
    return new Promise((resolve, reject) => {
      let fails = reject;
      const onAside = (): void => {
        resolve("going on");
        fails = fail;
      };
      this.#handleClaimed(way, update, attempts, run, onAside).then(resolve, (error: unknown) => fails(error));
    });
  }

  /** `accepted` is how often it was run, 0 for a new one; `undefined` when it is done. */
  async #handleClaimed(
    first: Way,
    update: Update,
    accepted: MaybePromise<number | undefined>,
    run: Run,
    onAside?: () => void,
  ): Promise<Outcome> {
    let way = first;
    try {
      const attempts = isPromise(accepted) ? await accepted : accepted;
      if (attempts === undefined) return "duplicate";
      while (way.moving !== undefined && !(await this.#migrate(way.moving))) {
        // Whoever it waited for wants one of the chats, and goes first.
        this.#leave(way);
        way = this.#enter(update);
      }
      way.passage.onAside = onAside;
      return await this.#handleAccepted(way.passage, update, attempts, run);
    } finally {
      this.#leave(way);
      // Until the done mark is durable, the persistence would take the update for open.
      if (way.passage.mark === undefined) this.inbox.unclaim(update);
      else void this.#unclaimAfter(way.passage.mark, update);
    }
  }

  async #unclaimAfter(mark: Promise<void>, update: Update): Promise<void> {
    try {
      await mark;
    } catch (error) {
      // It stays in the inbox until the next start, and whoever brought it has gone.
      if (!this.isStopped) this.#options.reporter.report(error, { update });
    }
    this.inbox.unclaim(update);
  }

  /** The unit of work that the caller is a handler of. */
  get current(): UnitOfWork | undefined {
    return this.#runner.current;
  }

  /** Runs something else as a unit of work, with the turns of these chats and users. Throws in a unit of work. */
  async transaction<T>(keys: TransactionKeys, run: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    if (this.isInUnit) throw nested("app.transaction");
    return this.#run(this.#assignments.ofTransaction("transaction", keys, true), false, run);
  }

  /**
   * Runs a task as a unit of work: with the turns of its chat and its user, whose values are brought up to date before it, and the records
   * that it names. Resolves when what it changed is durable, and rejects as {@link Engine.handle} does. Once the engine stops, no task begins: it
   * rejects with `PERDURE_STOPPED`. Throws in a unit of work.
   */
  async run<T>(task: Task, work: (unit: UnitOfWork, note: Note) => Promise<T>): Promise<T> {
    if (this.isInUnit) throw nested(task.name);
    return this.#run(this.#assignments.ofTask(task), task.alone, (unit, passage) => {
      if (this.#stopping) throw stopped();
      return work(unit, async (change) => {
        passage.takeBack = { key: change.key, record: unit.loaded(change.key) };
        await this.#committer.commit({ changes: [change] });
      });
    });
  }

  /** Hears, at once, what has become durable of each unit of work, except of updates that changed nothing. */
  onCommitted(listener: (changes: readonly RecordChange[]) => void): void {
    this.#onCommitted.push(listener);
  }

  async #run<T>(
    assignment: Assignment,
    alone: boolean,
    work: (unit: UnitOfWork, passage: Passage) => Promise<T>,
  ): Promise<T> {
    // What a unit of work that runs waits for is a part of it, and what is called after its commit is waited for as well.
    if (this.#stopping && !this.#runner.isAside && !this.isInPassage) throw stopped();
    const passage = this.#runner.enter(assignment);
    try {
      await this.#runner.admit(passage, alone);
      return await this.#runner.run(passage, (unit) => work(unit, passage));
    } finally {
      this.#runner.leave(passage);
    }
  }

  /** Whether it has given up whatever was still running. */
  get isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** Whether the caller is a handler of a unit of work, or a call after its commit: a stop must not wait for those. */
  get isInPassage(): boolean {
    return this.#runner.isInPassage;
  }

  /** Whether the caller is a handler of a unit of work. */
  get isInUnit(): boolean {
    return this.#runner.isInUnit;
  }

  /** The id under which a chat's data is kept. */
  chatId(id: number): number {
    return this.#aliases.resolve(id);
  }

  /**
   * Runs `work` in the unit of work that the caller is a handler of, where what it changes is kept with everything else; or
   * elsewhere, as a unit of work of its own with these turns. `name` is what a missing await calls it.
   */
  join<T>(name: string, keys: TransactionKeys, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    const unit = this.#runner.current;
    return unit === undefined
      ? this.#run(this.#assignments.ofTransaction(name, keys, false), false, work)
      : unit.perform(name, () => work(unit));
  }

  /** Removes a chat's or a user's data; what is changed later in the same unit of work counts. */
  drop(scope: "chat" | "user", id: number): Promise<void> {
    const keys = scope === "chat" ? { chats: [id] } : { users: [id] };
    return this.join(`dropping ${scope} ${id}`, keys, (unit) => this.#drop(unit, scope, id));
  }

  /**
   * Removes all that is keyed by a user: the data of the user and of the private chat, which has the user's id, and the conversations and jobs
   * of both.
   */
  forgetUser(id: number): Promise<void> {
    return this.join(`forgetting user ${id}`, { chats: [id], users: [id] }, async (unit) => {
      const scopes = ["chat", "user"] as const;
      for (const kind of scopes) await this.#drop(unit, kind, id);
      // Once it has both: whoever had one of them until then may have left something that belongs to the other.
      for (const kind of scopes) {
        for (const value of await belongings(unit, this.records, { kind, id })) value.drop();
      }
    });
  }

  /** Moves what is kept for one chat to another id, for which the old one stands from then on. */
  migrateChat(alias: ChatAlias): Promise<void> {
    return this.join(`migrating chat ${alias.from}`, { chats: [alias.from, alias.to] }, (unit) =>
      this.#migration.join(unit, alias),
    );
  }

  /** Makes durable what waits for the next commit. */
  async flush(): Promise<void> {
    await this.#committer.flush();
  }

  /** The updates that were set aside. */
  async failedUpdates(): Promise<readonly FailedUpdate[]> {
    return this.#retry(() => this.#options.persistence.failedUpdates());
  }

  /**
   * Starts no more units of work, waits up to `timeout` milliseconds for those that run, commits what is complete, and
   * gives up the rest: their updates, which it resolves with, stay in the inbox.
   */
  async stop(timeout: number): Promise<readonly Update[]> {
    this.#stopping = true;
    void this.#committer.flush();
    await this.#within(timeout, this.#drain());
    this.#stopped.abort(stopped());
    this.inbox.endReplay();
    const left = this.#runner.giveUp();
    await Promise.all(left.map((passage) => this.#takeAttemptBack(passage)));
    if (this.#endsWithInbox) return this.#openUpdates();
    return left.map(({ assignment }) => assignment.update).filter((update) => update !== undefined);
  }

  /** Marks the updates that wait in the inbox as done without running them, as `drop_pending_updates` asks for. */
  async dropPending(): Promise<void> {
    for await (const ids of this.inbox.unclaimed()) {
      await Promise.all(ids.map((done) => this.#committer.commit({ changes: [], done })));
    }
    this.inbox.restart();
    await this.inbox.sync();
  }

  #enter(update: Update): Way {
    const migration = migrationOf(update);
    // Before the update itself: it has happened, whatever the handlers do.
    const moving = migration && {
      migration,
      passage: this.#runner.enter(this.#assignments.ofMigration(update, migration)),
    };
    return { moving, passage: this.#runner.enter(this.#assignments.ofUpdate(update)) };
  }

  #leave({ moving, passage }: Way): void {
    if (moving !== undefined) this.#runner.leave(moving.passage);
    this.#runner.leave(passage);
  }

  /** Performs the migration that an update announces. Answers whether it could: if not, somebody waits for the update's turn. */
  async #migrate({ passage, migration }: Moving): Promise<boolean> {
    if (this.#leaves) return true;
    try {
      await this.#runner.admit(passage, false);
      await this.#runner.run(passage, (unit) =>
        unit.perform(passage.assignment.name, () => this.#migration.announced(unit, migration)),
      );
      return true;
    } catch (error) {
      if (isPerdureError(error, "PERDURE_DEADLOCK")) return false;
      if (!this.#stopped.signal.aborted) throw error;
      return true;
    } finally {
      this.#runner.leave(passage);
    }
  }

  async #drop(unit: UnitOfWork, scope: "chat" | "user", id: number): Promise<void> {
    const current = (): number => (scope === "chat" ? this.chatId(id) : id);
    for (;;) {
      const now = current();
      const value = await unit.open({ kind: scope, id: now });
      // A chat may have moved while this waited for it.
      if (current() === now) return value.drop();
    }
  }

  async #leaveToReplay(update: Update, run: Run): Promise<Outcome> {
    const [free] = await this.inbox.accept([update]);
    const durable = this.inbox.sync();
    // Accepting has taken longer than the replay, which has not seen it.
    if (free !== undefined) return withDurable(durable, this.handle(free, run));
    await durable;
    if (!this.#stopping) this.#options.onReplayNeeded();
    return "duplicate";
  }

  async #handleAccepted(passage: Passage, update: Update, attempts: number, run: Run): Promise<Outcome> {
    try {
      if (this.#leaves) return "left";
      await this.#runner.admit(passage, attempts > 0);
      if (this.#leaves) return "left";
      const verdict = attempts > 0 ? await this.#judge(passage, update, attempts) : "run";
      if (verdict !== "run") return verdict;
      await this.#runner.run(passage, run);
      return "handled";
    } catch (error) {
      // Whatever fails after the engine was stopped fails because of it.
      if (this.#stopped.signal.aborted) return "left";
      throw error;
    }
  }

  /** Whether what has not begun is left to the next run. */
  get #leaves(): boolean {
    return this.#stopping && !this.#endsWithInbox;
  }

  /** Whether there is no next run for what is open: then a stop waits for all that was accepted. */
  get #endsWithInbox(): boolean {
    return this.#options.persistence.abilities.durable === "no";
  }

  async #openUpdates(): Promise<Update[]> {
    const entries = await this.#options.persistence.openUpdates({ limit: MOST_NAMED });
    return entries.map(({ update }) => update).filter((update) => update !== undefined);
  }

  /** Whether an update that was run before may be run once more. The attempt is noted before it is made. */
  async #judge(passage: Passage, update: Update, attempts: number): Promise<"run" | Outcome> {
    const { maxAttempts, persistence, reporter } = this.#options;
    const id = update.update_id;
    if (attempts < maxAttempts) {
      passage.attempt = attempts + 1;
      return (await this.#retry(() => persistence.noteAttempts(id, attempts + 1))) ? "run" : "duplicate";
    }
    await this.#committer.commit({ changes: [], done: id, setAside: true });
    reporter.report(setAside(update, maxAttempts), { update });
    return "set aside";
  }

  /** An orderly stop is no failure of what it interrupts. */
  async #takeAttemptBack({ attempt, takeBack, isCommitting, assignment: { update } }: Passage): Promise<void> {
    const { persistence } = this.#options;
    try {
      if (takeBack !== undefined && isCommitting !== true) await persistence.commit([{ changes: [takeBack] }]);
      if (attempt !== undefined && update !== undefined) await persistence.noteAttempts(update.update_id, attempt - 1);
    } catch (error) {
      this.#options.reporter.logger.debug("An attempt could not be taken back.", error);
    }
  }

  #retry<T>(task: () => MaybePromise<T>, signals: readonly StopSignal[] = []): Promise<T> {
    return retry(task, {
      clock: this.#options.clock,
      signals: [this.#stopped.signal, ...signals],
      onFailure: this.#onFailure,
    });
  }

  async #drain(): Promise<void> {
    await this.#runner.idle();
    await this.#committer.flush();
    if (!this.#endsWithInbox) return;
    // A poller may hand out one update after the other.
    while (!this.#stopped.signal.aborted && (await this.#openUpdates()).length > 0) {
      await wait(DRAIN_PAUSE, this.#options.clock, [this.#stopped.signal]);
      await this.#runner.idle();
      await this.#committer.flush();
    }
  }

  async #within(timeout: number, work: Promise<void>): Promise<void> {
    let cancel = (): void => {};
    const expired = new Promise<void>((resolve) => (cancel = this.#options.clock.after(timeout, resolve)));
    await Promise.race([work, expired]);
    cancel();
  }
}

/** How often an update was run that has just been accepted; `undefined` when it is done. */
function attemptsAfter(acceptance: Acceptance): number | undefined {
  if (acceptance === "done") return undefined;
  return acceptance === "accepted" ? 0 : 1;
}

/** What comes of `work`, once the update is durable: then whoever has brought it may acknowledge it, also after an error. */
async function withDurable<T>(durable: Promise<void>, work: Promise<T>): Promise<T> {
  const [outcome] = await Promise.allSettled([work, durable]);
  await durable;
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}

function nested(what: string): PerdureError {
  return new PerdureError(
    "PERDURE_NESTED",
    `${what} was called in a handler, whose update is a transaction already. Use what is on its context, or call it in ` +
      "ctx.afterCommit(...).",
  );
}

function setAside(update: Update, attempts: number): PerdureError {
  return new PerdureError(
    "PERDURE_SET_ASIDE",
    `Update ${update.update_id} was run ${attempts} times and never finished, for instance because it ended the process. ` +
      "It was set aside: app.failedUpdates() lists it. What comes after it goes on.",
  );
}
