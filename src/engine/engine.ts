import type { Update } from "@grammyjs/types";
import type { LiveObjects } from "../data/codec.ts";
import type { MaybePromise } from "../data/maybe-promise.ts";
import { BOT_KEY, keyName, keyText, type KeptRecord, type RecordChange, type RecordKey } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import type { AtomicPersistence } from "../persistence/atomic-persistence.ts";
import { BotView } from "./bot-view.ts";
import type { Clock } from "./clock.ts";
import { Committer } from "./committer.ts";
import { Inbox } from "./inbox.ts";
import type { Reporter } from "./reporter.ts";
import { retry } from "./retry.ts";
import type { Schema } from "./schema.ts";
import { SERVICE_ACCOUNTS, scopesOf, type UpdateScopes } from "./scopes-of-update.ts";
import { Slots, type Slot } from "./slots.ts";
import { Turns, type Turn } from "./turns.ts";
import { UnitOfWork } from "./unit-of-work.ts";
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
}

/**
 * What became of an update: `"handled"`; `"duplicate"`, it is done or on its way already, and nothing was run; `"left"`,
 * the engine is stopping, and it stays in the inbox.
 */
export type Outcome = "handled" | "duplicate" | "left";

/** Runs the handlers of one update. */
export type Run = (unit: UnitOfWork) => Promise<void>;

/** An update on its way, with the turn and the slot that it has. */
interface Passage {
  readonly update: Update;
  readonly scopes: UpdateScopes;
  readonly turn: Turn;
  readonly slot: Slot;
}

/** Runs updates as units of work: each in its turn, with all that it changed and the fact that it is done in one commit. */
export class Engine {
  readonly inbox: Inbox;
  readonly #options: EngineOptions;
  readonly #values: Values;
  readonly #botView: BotView;
  readonly #turns = new Turns();
  readonly #slots: Slots;
  readonly #committer: Committer;
  readonly #stopped = new AbortController();
  readonly #running = new Map<Update, UnitOfWork | undefined>();
  #stopping = false;
  #onIdle: (() => void) | undefined;
  /** The bot's data as of the last commit, once a unit has read it. */
  #bot: { readonly record: KeptRecord | undefined } | undefined;

  constructor(options: EngineOptions) {
    const { persistence, clock, schema, live } = options;
    this.#options = options;
    this.#values = new Values(persistence.codec, schema, live);
    this.#botView = new BotView(this.#values);
    this.#slots = new Slots(options.concurrency);
    this.#committer = new Committer({ persistence, clock, retry: (task) => this.#retry(task) });
    this.inbox = new Inbox({ persistence, retry: (task) => this.#retry(task) });
  }

  /**
   * Runs one update as a unit of work. Resolves when its changes are durable, or when there are none. Rejects with what
   * `run` threw, with what made a change impossible to keep, or with what made the commit fail for good; the update is
   * done then too, without its changes.
   */
  async handle(update: Update, run: Run): Promise<Outcome> {
    // Also while stopping: a webhook's update is accepted by this, and must be before it is left.
    const claimed = this.inbox.claim(update);
    if (!(typeof claimed === "boolean" ? claimed : await claimed)) return "duplicate";
    if (this.#stopping) return this.#leave(update);
    this.#running.set(update, undefined);
    const scopes = scopesOf(update);
    const turn = this.#turns.take(turnKeys(scopes));
    try {
      await turn.wait();
      return await this.#handleInTurn(update, scopes, turn, run);
    } finally {
      turn.release();
      this.#running.delete(update);
      if (this.#running.size === 0) this.#onIdle?.();
    }
  }

  /**
   * Starts no more units of work, waits up to `timeout` milliseconds for those that run, commits what is complete, and
   * gives up the rest: their updates, which it resolves with, stay in the inbox.
   */
  async stop(timeout: number): Promise<readonly Update[]> {
    this.#stopping = true;
    await this.#within(timeout, this.#drain());
    for (const unit of this.#running.values()) unit?.abandon();
    this.#stopped.abort(
      new PerdureError("PERDURE_STOPPED", "The application was stopped. The update stays in the inbox."),
    );
    return [...this.#running.keys()];
  }

  /** Marks the updates that wait in the inbox as done without running them, as `drop_pending_updates` asks for. */
  async dropPending(): Promise<void> {
    for await (const ids of this.inbox.unclaimed()) {
      await Promise.all(ids.map((done) => this.#committer.commit({ changes: [], done })));
    }
    this.inbox.restart();
  }

  async #handleInTurn(update: Update, scopes: UpdateScopes, turn: Turn, run: Run): Promise<Outcome> {
    const slot = await this.#slots.take();
    try {
      if (this.#stopping) return this.#leave(update);
      const passage = { update, scopes, turn, slot };
      const unit = await this.#begin(passage);
      this.#running.set(update, unit);
      return await this.#runAndCommit(passage, unit, run);
    } catch (error) {
      this.inbox.unclaim(update);
      // Whatever fails after the engine was stopped fails because of it.
      if (this.#stopped.signal.aborted) return "left";
      throw error;
    } finally {
      slot.give();
    }
  }

  async #begin({ scopes, turn, slot }: Passage): Promise<UnitOfWork> {
    const chat: RecordKey | undefined = scopes.chatId === undefined ? undefined : { kind: "chat", id: scopes.chatId };
    const user: RecordKey | undefined = scopes.userId === undefined ? undefined : { kind: "user", id: scopes.userId };
    const keys = [chat, user, this.#bot === undefined ? BOT_KEY : undefined].filter((key) => key !== undefined);
    const records = await this.#read(keys);
    const of = (key: RecordKey | undefined): KeptRecord | undefined =>
      key === undefined ? undefined : records[keys.indexOf(key)];
    // A commit may have been quicker than this read.
    this.#bot ??= { record: of(BOT_KEY) };
    return new UnitOfWork(
      scopes,
      { bot: this.#bot.record, chat: of(chat), user: of(user) },
      {
        values: this.#values,
        botView: this.#botView,
        read: (wanted) => this.#read(wanted),
        own: (key) => this.#own(turn, slot, key),
      },
    );
  }

  async #runAndCommit(passage: Passage, unit: UnitOfWork, run: Run): Promise<Outcome> {
    let changes: readonly RecordChange[] | undefined;
    let failure: { readonly error: unknown } | undefined;
    try {
      await run(unit);
      changes = await this.#changes(passage, unit);
    } catch (error) {
      failure = { error };
      changes = await this.#changesInSpite(passage, unit, error);
    }
    await this.#conclude(passage, unit, changes);
    if (changes !== undefined) await this.#callAfterCommit(passage, unit);
    if (failure !== undefined) throw failure.error;
    return "handled";
  }

  /** Makes the changes durable, and the update done. */
  async #conclude(
    { update, turn }: Passage,
    unit: UnitOfWork,
    changes: readonly RecordChange[] | undefined,
  ): Promise<void> {
    const done = update.update_id;
    this.#stopped.signal.throwIfAborted();
    if (changes?.length === 0 && unit.calls.length === 0) {
      void this.#committer.markDone(done).then(
        () => this.inbox.unclaim(update),
        () => this.inbox.unclaim(update),
      );
      return;
    }
    try {
      await this.#committer.commit({ changes: changes ?? [], done });
      this.#remember(changes ?? []);
    } catch (error) {
      if (this.#stopped.signal.aborted) throw error;
      // It can never be kept. Then at least it must not come again.
      await this.#committer.commit({ changes: [], done });
      throw error;
    } finally {
      this.inbox.unclaim(update);
      turn.release();
    }
  }

  /** What the unit changed. Where it had no turn, only if nobody else has changed the same meanwhile. */
  async #changes({ turn, slot }: Passage, unit: UnitOfWork): Promise<readonly RecordChange[]> {
    const changes = unit.finish();
    for (const { key } of changes) {
      if (key.kind !== "user" || !SERVICE_ACCOUNTS.has(key.id)) continue;
      await this.#own(turn, slot, key);
      const [now] = await this.#read([key]);
      if (now?.text !== unit.loaded(key)?.text) throw conflict(key);
    }
    return changes;
  }

  /** What is kept of a unit that failed: nothing (`undefined`), unless `onHandlerError` says otherwise. */
  async #changesInSpite(
    passage: Passage,
    unit: UnitOfWork,
    failure: unknown,
  ): Promise<readonly RecordChange[] | undefined> {
    if (this.#options.onHandlerError === "rollback" || unit.isOver) {
      unit.abandon();
      return undefined;
    }
    try {
      return await this.#changes(passage, unit);
    } catch (error) {
      if (error !== failure) this.#options.reporter.report(error, { update: passage.update });
      return undefined;
    }
  }

  #remember(changes: readonly RecordChange[]): void {
    for (const { key, record } of changes) if (key.kind === "bot") this.#bot = { record };
  }

  async #callAfterCommit({ update }: Passage, unit: UnitOfWork): Promise<void> {
    for (const call of unit.calls) {
      try {
        await call();
      } catch (error) {
        this.#options.reporter.report(error, { update });
      }
    }
  }

  #leave(update: Update): Outcome {
    this.inbox.unclaim(update);
    return "left";
  }

  #read(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]> {
    return this.#retry(() => this.#options.persistence.read(keys));
  }

  async #own(turn: Turn, slot: Slot, key: RecordKey): Promise<void> {
    const waiting = turn.own(keyText(key));
    if (waiting !== undefined) await slot.lendWhile(waiting);
  }

  #retry<T>(task: () => MaybePromise<T>): Promise<T> {
    const { clock, reporter } = this.#options;
    return retry(task, {
      clock,
      signal: this.#stopped.signal,
      onFailure: (error, attempt, pause) => {
        if (attempt === 1) reporter.report(error);
        else reporter.logger.warn(`Failed ${attempt} times, next try in ${pause} ms.`, error);
      },
    });
  }

  async #drain(): Promise<void> {
    if (this.#running.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#committer.flush();
  }

  async #within(timeout: number, work: Promise<void>): Promise<void> {
    let cancel = (): void => {};
    const expired = new Promise<void>((resolve) => (cancel = this.#options.clock.after(timeout, resolve)));
    await Promise.race([work, expired]);
    cancel();
  }
}

/** What an update takes its turn for. */
function turnKeys({ chatId, userId }: UpdateScopes): string[] {
  const keys: string[] = [];
  if (chatId !== undefined) keys.push(keyText({ kind: "chat", id: chatId }));
  if (userId !== undefined && !SERVICE_ACCOUNTS.has(userId)) keys.push(keyText({ kind: "user", id: userId }));
  return keys;
}

function conflict(key: RecordKey): PerdureError {
  return new PerdureError(
    "PERDURE_CONFLICT",
    `${keyName(key)} stands for everybody, and another update has changed it at the same time. This one was rolled back. ` +
      "Keep such things in the chat's data.",
  );
}
