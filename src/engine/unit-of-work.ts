import type { MaybePromise } from "../data/maybe-promise.ts";
import { BOT_KEY, keyText, type KeptRecord, type RecordChange, type RecordKey } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import type { BotView } from "./bot-view.ts";
import { KeptValue } from "./kept-value.ts";
import type { UpdateScopes } from "./scopes-of-update.ts";
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

/** The records that a unit begins with. */
export interface UnitRecords {
  readonly bot: KeptRecord | undefined;
  readonly chat: KeptRecord | undefined;
  readonly user: KeptRecord | undefined;
}

/** Everything that one update reads and changes. Its values live as long as it does. */
export class UnitOfWork {
  readonly #scopes: UpdateScopes;
  readonly #services: UnitServices;
  readonly #chat: KeptValue | undefined;
  readonly #user: KeptValue | undefined;
  #bot: KeptRecord | undefined;
  #botChange: RecordChange | undefined;
  readonly #afterCommit: (() => MaybePromise<void>)[] = [];
  #pending = 0;
  #failed: unknown;
  #over = false;

  constructor(scopes: UpdateScopes, records: UnitRecords, services: UnitServices) {
    const { chatId, userId } = scopes;
    const { values } = services;
    this.#scopes = scopes;
    this.#services = services;
    this.#bot = records.bot;
    this.#chat = chatId === undefined ? undefined : new KeptValue({ kind: "chat", id: chatId }, records.chat, values);
    this.#user = userId === undefined ? undefined : new KeptValue({ kind: "user", id: userId }, records.user, values);
  }

  get chatData(): unknown {
    return this.#value("chat").get();
  }

  set chatData(value: unknown) {
    this.#value("chat").set(value);
  }

  get userData(): unknown {
    return this.#value("user").get();
  }

  set userData(value: unknown) {
    this.#value("user").set(value);
  }

  /** The bot's data as this unit sees it, frozen. */
  get botData(): unknown {
    this.#requireAlive("botData");
    return this.#services.botView.of(this.#bot);
  }

  /** Changes the bot's data: owns the record until the commit, and gives `change` the newest value, to change in place. */
  async updateBotData<T>(change: (data: unknown) => T): Promise<T> {
    this.#requireAlive("updateBotData");
    this.#pending += 1;
    try {
      await this.#ownBot();
      this.#requireAlive("updateBotData");
      return this.#changeBot(change);
    } finally {
      this.#pending -= 1;
    }
  }

  /** Runs `call` once what this unit changed is durable. Not at all if it rolls back. */
  afterCommit(call: () => MaybePromise<void>): void {
    this.#requireAlive("afterCommit");
    this.#afterCommit.push(call);
  }

  /** Ends the unit: what it changed. Throws when it may not be committed. From here on its values can't be touched. */
  finish(): RecordChange[] {
    const left = this.#pending;
    try {
      if (this.#failed !== undefined) throw this.#failed;
      if (left > 0) {
        throw new PerdureError(
          "PERDURE_UNIT_OVER",
          "The handler ended while updateBotData was still under way: missing await? Its update was rolled back.",
        );
      }
      return [this.#chat?.change(), this.#user?.change(), this.#botChange].filter((change) => change !== undefined);
    } finally {
      this.#over = true;
    }
  }

  /** Ends the unit without keeping anything. */
  abandon(): void {
    this.#over = true;
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#over;
  }

  /** What {@link UnitOfWork.afterCommit} was given, in order. */
  get calls(): readonly (() => MaybePromise<void>)[] {
    return this.#afterCommit;
  }

  /** What this unit found under a key when it began. */
  loaded(key: RecordKey): KeptRecord | undefined {
    return [this.#chat, this.#user].find((kept) => kept !== undefined && keyText(kept.key) === keyText(key))?.loaded;
  }

  async #ownBot(): Promise<void> {
    try {
      await this.#services.own(BOT_KEY);
    } catch (error) {
      // Also for a handler that catches it: whoever closes a cycle of waits is rolled back.
      this.#failed = error;
      throw error;
    }
    if (this.#botChange === undefined) [this.#bot] = await this.#services.read([BOT_KEY]);
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

  #value(scope: "chat" | "user"): KeptValue {
    this.#requireAlive(`${scope}Data`);
    const kept = scope === "chat" ? this.#chat : this.#user;
    if (kept !== undefined) return kept;
    throw new PerdureError(
      scope === "chat" ? "PERDURE_NO_CHAT" : "PERDURE_NO_USER",
      `ctx.${scope}Data: this update (${this.#scopes.type}) belongs to no ${scope}, so there is no ${scope} data. ` +
        `Register the handler for updates that have a ${scope}, or keep what it needs elsewhere.`,
    );
  }

  #requireAlive(name: string): void {
    if (!this.#over) return;
    throw new PerdureError(
      "PERDURE_UNIT_OVER",
      `ctx.${name} was used after the handling of its update (${this.#scopes.type}) had ended: missing await?`,
    );
  }
}
