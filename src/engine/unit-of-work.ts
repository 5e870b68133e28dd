import type { MaybePromise } from "../data/maybe-promise.ts";
import { BOT_KEY, keyText, type KeptRecord, type RecordChange, type RecordKey } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import type { BotView } from "./bot-view.ts";
import { KeptValue } from "./kept-value.ts";
import type { Values } from "./values.ts";

/** What a unit of work needs of the engine. */
export interface UnitServices {
  readonly values: Values;
  readonly botView: BotView;
  /** Reads records, waiting as long as they can't be read. */
  read(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]>;
  /** Owns one more record until the unit's commit. Throws `PERDURE_DEADLOCK`. */
  own(key: RecordKey): Promise<void>;
}

/** What a unit of work is about. */
export interface UnitSubject {
  /** What messages call it: `update 5 (message)`, `transaction`. */
  readonly name: string;
  /** Whose data `chatData` and `userData` are. */
  readonly chatId?: number | undefined;
  readonly userId?: number | undefined;
}

/** Everything that one update, or one transaction, reads and changes. Its values live as long as it does. */
export class UnitOfWork {
  readonly #subject: UnitSubject;
  readonly #services: UnitServices;
  readonly #kept: ReadonlyMap<string, KeptValue>;
  readonly #afterCommit: (() => MaybePromise<void>)[] = [];
  #bot: KeptRecord | undefined;
  #botOwned: Promise<void> | undefined;
  #botChange: RecordChange | undefined;
  #botValue: { readonly of: KeptRecord | undefined; readonly value: unknown } | undefined;
  #pending = 0;
  #failed: { readonly error: unknown } | undefined;
  #end: "over" | "rolled back" | undefined;

  /** `records` are those that it begins with, in the order of `keys`; `bot` is the bot's data as of the last commit. */
  constructor(
    subject: UnitSubject,
    keys: readonly RecordKey[],
    records: readonly (KeptRecord | undefined)[],
    bot: KeptRecord | undefined,
    services: UnitServices,
  ) {
    this.#subject = subject;
    this.#services = services;
    this.#bot = bot;
    this.#kept = new Map(keys.map((key, index) => [keyText(key), new KeptValue(key, records[index], services.values)]));
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
    const kept = this.#kept.get(keyText({ kind: scope, id }));
    if (kept !== undefined) return kept;
    throw new PerdureError(
      "PERDURE_NO_TURN",
      `${scope}Data(${id}): this ${this.#subject.name} has no turn for that ${scope}. Name it at the beginning: ` +
        `app.transaction({ ${scope}s: [${id}] }, ...).`,
    );
  }

  /** The bot's data as this unit sees it, frozen. */
  get botData(): unknown {
    this.#requireAlive("botData");
    if (this.#botValue === undefined || this.#botValue.of !== this.#bot) {
      this.#botValue = { of: this.#bot, value: this.#services.botView.of(this.#bot) };
    }
    return this.#botValue.value;
  }

  /** Changes the bot's data: owns the record until the commit, and gives `change` the newest value, to change in place. */
  updateBotData<T>(change: (data: unknown) => T): Promise<T> {
    const result = this.#updateBotData(change);
    // Nobody may be waiting: a missing await is found by `finish`, and must not end the process as an unhandled rejection.
    result.catch(() => {});
    return result;
  }

  /** Runs `call` once what this unit changed is durable. Not at all if it rolls back. */
  afterCommit(call: () => MaybePromise<void>): void {
    this.#requireAlive("afterCommit");
    this.#afterCommit.push(call);
  }

  /** Ends the unit: what it changed. Throws when it may not be committed. From here on its values can't be touched. */
  finish(): RecordChange[] {
    try {
      if (this.#failed !== undefined) throw this.#failed.error;
      if (this.#pending > 0) {
        throw new PerdureError(
          "PERDURE_UNIT_OVER",
          `The ${this.#subject.name} ended while updateBotData was still under way: missing await? It was rolled back.`,
        );
      }
      const changes = [...this.#kept.values()].map((kept) => kept.change()).concat(this.#botChange);
      return changes.filter((change) => change !== undefined);
    } finally {
      this.#end ??= "over";
    }
  }

  /** Ends the unit without keeping anything. */
  abandon(): void {
    this.#end ??= "rolled back";
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

  async #updateBotData<T>(change: (data: unknown) => T): Promise<T> {
    this.#requireAlive("updateBotData");
    this.#pending += 1;
    try {
      await (this.#botOwned ??= this.#ownBot());
      this.#requireAlive("updateBotData");
      return this.#changeBot(change);
    } finally {
      this.#pending -= 1;
    }
  }

  /** Once per unit: what its first call has changed, a later read must not bring back. */
  async #ownBot(): Promise<void> {
    try {
      await this.#services.own(BOT_KEY);
      [this.#bot] = await this.#services.read([BOT_KEY]);
    } catch (error) {
      // Also for a handler that catches it: whoever closes a cycle of waits is rolled back.
      this.#failed = { error };
      throw error;
    }
  }

  #changeBot<T>(change: (data: unknown) => T): T {
    const { values } = this.#services;
    const { value, unchanged } = values.load(BOT_KEY, this.#bot);
    const result = change(value);
    if (result instanceof Promise) {
      // Its own failure would otherwise be reported as unhandled, and hide this error.
      result.catch(() => {});
      throw new TypeError(
        "The function given to updateBotData is asynchronous. Wait for things before it: other chats' updates wait for it.",
      );
    }
    const record = values.encode(BOT_KEY, value);
    if (record.text !== unchanged.text) {
      this.#bot = record;
      this.#botChange = { key: BOT_KEY, record };
    }
    return result;
  }

  #own(scope: "chat" | "user"): KeptValue {
    const id = scope === "chat" ? this.#subject.chatId : this.#subject.userId;
    if (id !== undefined) return this.valueOf(scope, id);
    this.#requireAlive(`${scope}Data`);
    throw new PerdureError(
      scope === "chat" ? "PERDURE_NO_CHAT" : "PERDURE_NO_USER",
      `ctx.${scope}Data: ${this.#subject.name} belongs to no ${scope}, so there is no ${scope} data. ` +
        `Register the handler for updates that have a ${scope}, or keep what it needs elsewhere.`,
    );
  }

  #requireAlive(name: string): void {
    if (this.#end === undefined) return;
    const reason =
      this.#end === "over"
        ? "had ended: missing await?"
        : "had failed and was rolled back. In bot.catch there is no kept data; note there what was not handled elsewhere.";
    throw new PerdureError("PERDURE_UNIT_OVER", `${name} was used after ${this.#subject.name} ${reason}`);
  }
}
