import type { MaybePromise } from "../data/maybe-promise.ts";
import {
  BOT_KEY,
  keyName,
  keyText,
  type KeptRecord,
  type KeyOf,
  type RecordChange,
  type RecordKey,
} from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import type { ChatAlias } from "../persistence/atomic-persistence.ts";
import type { BotData } from "./bot-data.ts";
import type { KeptValue } from "./kept-value.ts";

/** What a unit of work needs of the engine. */
export interface UnitServices {
  /** Reads a record, brought up to date by others, waiting as long as it can't be read. */
  read(key: RecordKey): Promise<KeptValue>;
  /** Owns one more record until the unit's commit. Throws `PERDURE_DEADLOCK`. */
  own(key: RecordKey): Promise<void>;
  /** Whether it could own one more record without waiting. */
  isFree(key: RecordKey): boolean;
  /** Gives up the unit's turn and all that it owns, but for these records. */
  giveUpTurn(kept: readonly RecordKey[]): void;
  /** Waits for the turn again, and reads what it begins with anew. Throws `PERDURE_DEADLOCK`. */
  takeTurnBack(): Promise<{ readonly kept: readonly KeptValue[]; readonly bot: BotData }>;
}

/** What a unit of work is about. */
export interface UnitSubject {
  /** What messages call it: `update 5 (message)`, `transaction`. */
  readonly name: string;
  /** Whose data `chatData` and `userData` are. */
  readonly chatId?: number | undefined;
  readonly userId?: number | undefined;
}

/**
 * Stands for a unit of work where something may be in memory for much longer than that lives, with all that it refers to. It lets go of the unit
 * when that ends.
 */
export class UnitReference {
  #unit: UnitOfWork | undefined;

  constructor(unit: UnitOfWork) {
    this.#unit = unit;
  }

  /** The unit until it ends. */
  get unit(): UnitOfWork | undefined {
    return this.#unit;
  }

  /** Lets go of it. */
  end(): void {
    this.#unit = undefined;
  }
}

/** Everything that one update, or one transaction, reads and changes. Its values live as long as it does. */
export class UnitOfWork {
  readonly reference: UnitReference = new UnitReference(this);
  readonly #subject: UnitSubject;
  readonly #services: UnitServices;
  #kept: Map<string, KeptValue>;
  readonly #opening = new Map<string, Promise<KeptValue>>();
  readonly #afterCommit: (() => MaybePromise<void>)[] = [];
  #bot: BotData;
  #botOwned: Promise<void> | undefined;
  #alias: ChatAlias | undefined;
  readonly #pending = new Set<{ readonly name: string }>();
  #failed: { readonly error: unknown } | undefined;
  #end: "over" | "rolled back" | undefined;
  /** Whether it has given up its turn. */
  #isAside = false;
  /** What it had touched, not changed, and given up with its turn: objects of these values may still be held. */
  readonly #givenUp: KeptValue[] = [];

  /** `kept` are the records that it begins with, beside the bot's data. */
  constructor(subject: UnitSubject, kept: readonly KeptValue[], bot: BotData, services: UnitServices) {
    this.#subject = subject;
    this.#services = services;
    this.#bot = bot;
    this.#kept = new Map(kept.map((value) => [keyText(value.key), value]));
  }

  get chatData(): unknown {
    return this.#own("chat").get();
  }

  set chatData(value: unknown) {
    this.#own("chat").set(value);
  }

  get userData(): unknown {
    return this.#own("user").get();
  }

  set userData(value: unknown) {
    this.#own("user").set(value);
  }

  /** The value of a chat or a user that this unit has its turn for. */
  valueOf(scope: "chat" | "user", id: number): KeptValue {
    this.#requireAlive(`${scope}Data`);
    const kept = this.#kept.get(keyText({ kind: scope, id: this.#idNow(scope, id) }));
    if (kept !== undefined) return kept;
    throw new PerdureError(
      "PERDURE_NO_TURN",
      `${scope}Data(${id}): this ${this.#subject.name} has no turn for that ${scope}. Name it at the beginning: ` +
        `app.transaction({ ${scope}s: [${id}] }, ...).`,
    );
  }

  /**
   * Does what the handlers have to wait for, and what is a part of this unit: if it is still under way when they end, the unit is rolled
   * back.
   */
  perform<T>(name: string, work: () => Promise<T>): Promise<T> {
    const result = this.#counted(name, work);
    // Nobody may be waiting: that is found by `finish`, and must not end the process as an unhandled rejection.
    result.catch(() => {});
    return result;
  }

  /**
   * Any other record, owned from the first call until the commit. What becomes of the value is kept with the unit. Rejects with
   * `PERDURE_DEADLOCK` when waiting for its owner would never end. To be called in {@link UnitOfWork.perform}.
   */
  async open(wanted: RecordKey): Promise<KeptValue> {
    const key = wanted.kind === "chat" ? { ...wanted, id: this.#idNow("chat", wanted.id) } : wanted;
    const text = keyText(key);
    const known = this.#kept.get(text);
    if (known !== undefined) return known;
    const opening = this.#opening.get(text) ?? this.#readOwned(key);
    this.#opening.set(text, opening);
    const value = await opening;
    this.#kept.set(text, value);
    return value;
  }

  /** The same without waiting for another unit: `undefined` where one owns the record. */
  async openFree(key: RecordKey): Promise<KeptValue | undefined> {
    const text = keyText(key);
    const isOwn = this.#kept.has(text) || this.#opening.has(text);
    return isOwn || this.#services.isFree(key) ? this.open(key) : undefined;
  }

  /**
   * Gives up the unit's turn while `work` runs, which may take long: other units go on, and `work` may be a unit's caller itself. Then
   * waits for the turn again, and reads anew. What the unit had changed before stays its own all the time: it is committed with the
   * rest, and not before. Meanwhile its values can't be touched (`PERDURE_NO_TURN`). Rejects with what `work` throws, with
   * `PERDURE_DEADLOCK`, or when the unit has ended.
   */
  async withoutTurn<T>(work: () => MaybePromise<T>): Promise<T> {
    this.#requireNothingUnderWay();
    return this.perform("a callback that does not block", async () => {
      this.#giveUpTurn();
      try {
        return await work();
      } finally {
        await this.#takeTurnBack();
      }
    });
  }

  /** Whether it has given up its turn for now. */
  get isAside(): boolean {
    return this.#isAside;
  }

  /** A record that this unit has. */
  known(key: RecordKey): KeptValue | undefined {
    this.#requireAlive(keyName(key));
    return this.#kept.get(keyText(key));
  }

  /** Those of the records of one kind that this unit has. */
  opened<Kind extends RecordKey["kind"]>(kind: Kind): readonly (KeptValue & { readonly key: KeyOf<Kind> })[] {
    this.#requireAlive(kind);
    const isWanted = (value: KeptValue): value is KeptValue & { readonly key: KeyOf<Kind> } => value.key.kind === kind;
    return [...this.#kept.values()].filter(isWanted);
  }

  /** A chat that has another id once this unit is committed. Its data under the new id is this unit's from now on. */
  get alias(): ChatAlias | undefined {
    return this.#alias;
  }

  set alias(alias: ChatAlias) {
    if (this.#alias !== undefined) throw new TypeError("One unit of work can migrate one chat.");
    this.#alias = alias;
  }

  /** The bot's data as this unit sees it, frozen. */
  get botData(): unknown {
    this.#requireAlive("botData");
    return this.#bot.get();
  }

  /** Changes the bot's data: owns the record until the commit, and gives `change` the newest value, to change in place. */
  updateBotData<T>(change: (data: unknown) => T): Promise<T> {
    return this.perform("updateBotData", async () => {
      await (this.#botOwned ??= this.#ownBot());
      this.#requireAlive("updateBotData");
      return this.#bot.update(change);
    });
  }

  /** Runs `call` once what this unit changed is durable. Not at all if it rolls back. */
  afterCommit(call: () => MaybePromise<void>): void {
    this.#requireNotOver("afterCommit");
    this.#afterCommit.push(call);
  }

  /** Ends the unit: what it changed. Throws when it may not be committed. From here on its values can't be touched. */
  finish(): RecordChange[] {
    try {
      if (this.#failed !== undefined) throw this.#failed.error;
      this.#requireNothingUnderWay();
      for (const value of this.#givenUp) if (value.change() !== undefined) throw changedTooLate(value.key);
      const changes = [...this.#kept.values()].map((kept) => kept.change()).concat(this.#bot.change);
      return changes.filter((change) => change !== undefined);
    } finally {
      this.#endAs("over");
    }
  }

  /** Ends the unit without keeping anything. */
  abandon(): void {
    this.#endAs("rolled back");
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** What {@link UnitOfWork.afterCommit} was given, in order. */
  get calls(): readonly (() => MaybePromise<void>)[] {
    return this.#afterCommit;
  }

  /** What this unit found under a key when it began. */
  loaded(key: RecordKey): KeptRecord | undefined {
    return this.#kept.get(keyText(key))?.loaded;
  }

  #endAs(end: "over" | "rolled back"): void {
    this.#end ??= end;
    this.reference.end();
  }

  async #counted<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.#requireAlive(name);
    const pending = { name };
    this.#pending.add(pending);
    try {
      const result = await work();
      this.#requireAlive(name);
      return result;
    } finally {
      this.#pending.delete(pending);
    }
  }

  /** Once per unit: what its first call has changed, a later read must not bring back. */
  async #ownBot(): Promise<void> {
    this.#bot.begin((await this.#readOwned(BOT_KEY)).asRead);
  }

  async #readOwned(key: RecordKey): Promise<KeptValue> {
    // What outlives the unit must own nothing more: nobody would give it up.
    this.#requireAlive(keyName(key));
    try {
      await this.#services.own(key);
      this.#requireAlive(keyName(key));
      return await this.#services.read(key);
    } catch (error) {
      // Also for a handler that catches it: whoever closes a cycle of waits, or cannot read what it changes, is rolled back.
      this.#failed = { error };
      throw error;
    }
  }

  #requireNothingUnderWay(): void {
    if (this.#pending.size === 0) return;
    const names = Array.from(this.#pending, ({ name }) => name).join(", ");
    throw new PerdureError(
      "PERDURE_UNIT_OVER",
      `The ${this.#subject.name} ended, or gave up its turn, while ${names} was still under way: missing await? It was rolled back.`,
    );
  }

  #giveUpTurn(): void {
    const values = [...this.#kept.values()];
    const held = values.filter((value) => value.change() !== undefined || this.#isMigrating(value.key));
    const keys: RecordKey[] = held.map(({ key }) => key);
    if (this.#bot.change === undefined) this.#botOwned = undefined;
    else keys.push(BOT_KEY);
    this.#givenUp.push(...values.filter((value) => value.isTouched && !held.includes(value)));
    this.#kept = new Map(held.map((value) => [keyText(value.key), value]));
    this.#opening.clear();
    this.#isAside = true;
    this.#services.giveUpTurn(keys);
  }

  async #takeTurnBack(): Promise<void> {
    this.#requireNotOver("its turn");
    try {
      const { kept, bot } = await this.#services.takeTurnBack();
      this.#requireNotOver("its turn");
      for (const value of kept) if (!this.#kept.has(keyText(value.key))) this.#kept.set(keyText(value.key), value);
      if (this.#bot.change === undefined) this.#bot = bot;
      this.#isAside = false;
    } catch (error) {
      this.#failed = { error };
      throw error;
    }
  }

  #own(scope: "chat" | "user"): KeptValue {
    const id = scope === "chat" ? this.#subject.chatId : this.#subject.userId;
    if (id !== undefined) return this.valueOf(scope, id);
    this.#requireAlive(`${scope}Data`);
    throw new PerdureError(
      scope === "chat" ? "PERDURE_NO_CHAT" : "PERDURE_NO_USER",
      `ctx.${scope}Data: ${this.#subject.name} belongs to no ${scope}, so there is no ${scope} data. ` +
        `Register the handler for updates that have a ${scope}, schedule the job with a ${scope}Id, or keep what it needs elsewhere.`,
    );
  }

  /** Whether it is a chat's data that has another id once this unit is committed, or will have this one. */
  #isMigrating(key: RecordKey): boolean {
    return key.kind === "chat" && (key.id === this.#alias?.from || key.id === this.#alias?.to);
  }

  #idNow(scope: "chat" | "user", id: number): number {
    return scope === "chat" && id === this.#alias?.from ? this.#alias.to : id;
  }

  #requireAlive(name: string): void {
    this.#requireNotOver(name);
    if (!this.#isAside) return;
    throw new PerdureError(
      "PERDURE_NO_TURN",
      `${name} was used in a callback with block: false. It has no turn, so that others can go on: use app.transaction(...) there.`,
    );
  }

  #requireNotOver(name: string): void {
    if (this.#end === undefined) return;
    const reason =
      this.#end === "over"
        ? "had ended: missing await?"
        : "had failed and was rolled back. In bot.catch there is no kept data; note there what was not handled elsewhere.";
    throw new PerdureError("PERDURE_UNIT_OVER", `${name} was used after ${this.#subject.name} ${reason}`);
  }
}

function changedTooLate(key: RecordKey): PerdureError {
  return new PerdureError(
    "PERDURE_NO_TURN",
    `${keyName(key)} was changed through an object from before a callback with block: false, which others may have changed since. ` +
      "The update was rolled back. Take the value from the context anew after next().",
  );
}
