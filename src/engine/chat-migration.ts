import { keyName, type ChatKey, type KeptRecord, type RecordChange, type RecordKey } from "../data/record.ts";
import type { ChatAlias } from "../persistence/atomic-persistence.ts";
import type { ChatAliases } from "./chat-aliases.ts";
import type { Committer } from "./committer.ts";
import type { Reporter } from "./reporter.ts";
import type { UnitOfWork } from "./unit-of-work.ts";
import type { Values } from "./values.ts";

/** Merges the data of a group with that of the supergroup it has become, where both have some. */
export type OnMigrate = (old: unknown, fresh: unknown) => unknown;

/** What a migration needs of the engine. */
export interface ChatMigrationOptions {
  readonly values: Values;
  readonly committer: Committer;
  readonly reporter: Reporter;
  readonly read: (keys: readonly RecordKey[]) => Promise<readonly (KeptRecord | undefined)[]>;
  readonly aliases: ChatAliases;
  readonly onMigrate: OnMigrate | undefined;
  /** Moves who waits for the old chat's turn to the new chat's. */
  readonly moveTurns: (from: RecordKey, to: RecordKey) => void;
}

/** Moves what is kept for a group to the supergroup that it has become. */
export class ChatMigration {
  readonly #options: ChatMigrationOptions;

  constructor(options: ChatMigrationOptions) {
    this.#options = options;
  }

  /**
   * Moves everything in one commit of its own, before the handlers of the update that announces it: it has happened,
   * whatever they do. The caller has the turns of both chats. Done already, it does nothing.
   */
  async perform(alias: ChatAlias): Promise<void> {
    const { committer, read, aliases } = this.#options;
    const from = chatKey(alias.from);
    const to = chatKey(aliases.resolve(alias.to));
    if (aliases.has(alias.from) || from.id === to.id) return;
    const [old, fresh] = await read([from, to]);
    const changes: RecordChange[] = [];
    if (old !== undefined) {
      changes.push({ key: to, record: this.#merged(to, old, fresh) }, { key: from, record: undefined });
    }
    await committer.commit({ changes, alias });
    this.complete(alias);
  }

  /** Moves everything as a part of a unit of work. Done already, or from an id to itself, it does nothing. */
  async join(unit: UnitOfWork, alias: ChatAlias): Promise<void> {
    const { aliases } = this.#options;
    const from = chatKey(aliases.resolve(alias.from));
    const to = chatKey(aliases.resolve(alias.to));
    const isDone = (): boolean => from.id === to.id || (unit.alias?.from === from.id && unit.alias.to === to.id);
    if (isDone()) return;
    const old = await unit.open(from);
    const fresh = await unit.open(to);
    // Meanwhile this unit may have migrated it, or another one may have migrated either of them.
    if (isDone()) return;
    if (aliases.resolve(from.id) !== from.id || aliases.resolve(to.id) !== to.id) return this.join(unit, alias);
    if (unit.alias !== undefined) throw new TypeError("One unit of work can migrate one chat.");
    const record = old.current;
    if (record !== undefined) {
      fresh.put(this.#merged(to, record, fresh.current));
      old.drop();
    }
    unit.alias = { from: from.id, to: to.id };
  }

  /** From now on the old id stands for the new one. To be called once a migration is durable, with the turns of both chats. */
  complete(alias: ChatAlias): void {
    const { aliases, moveTurns } = this.#options;
    aliases.add(alias);
    moveTurns(chatKey(alias.from), chatKey(aliases.resolve(alias.to)));
  }

  #merged(to: RecordKey, old: KeptRecord, fresh: KeptRecord | undefined): KeptRecord {
    if (fresh === undefined) return old;
    const { values, onMigrate, reporter } = this.#options;
    if (onMigrate !== undefined) {
      try {
        const value = onMigrate(values.load(to, old).value, values.load(to, fresh).value);
        const merged = value === undefined ? undefined : values.encode(to, value);
        if (merged !== undefined) return merged;
        throw new TypeError("onMigrate returned nothing. It must return the merged data.");
      } catch (error) {
        // The migration has happened, and is not announced for ever: it goes on as if there were no function.
        reporter.report(error);
      }
    }
    reporter.logger.warn(
      `A group has become a supergroup that had data already. The group's data stands; this was dropped from ${keyName(to)}: ` +
        `${fresh.text} (option onMigrate merges)`,
    );
    return old;
  }
}

function chatKey(id: number): ChatKey {
  return { kind: "chat", id };
}
