import { keyName, type ChatKey, type KeptRecord, type RecordKey } from "../data/record.ts";
import type { ChatAlias } from "../persistence/atomic-persistence.ts";
import { belongings } from "./belongings.ts";
import type { ChatAliases } from "./chat-aliases.ts";
import type { KeptValue } from "./kept-value.ts";
import type { RecordListing } from "./record-listing.ts";
import type { Reporter } from "./reporter.ts";
import type { UnitOfWork } from "./unit-of-work.ts";
import type { Values } from "./values.ts";

/** Merges the data of a group with that of the supergroup it has become, where both have some. */
export type OnMigrate = (old: unknown, fresh: unknown) => unknown;

/** What a migration needs of the engine. */
export interface ChatMigrationOptions {
  readonly values: Values;
  readonly records: RecordListing;
  readonly reporter: Reporter;
  readonly aliases: ChatAliases;
  readonly onMigrate: OnMigrate | undefined;
  /** Moves who waits for the old chat's turn to the new chat's. */
  readonly moveTurns: (from: RecordKey, to: RecordKey) => void;
}

/** A record that moves along: from where, and to where. */
interface Belonging {
  readonly old: KeptValue;
  readonly fresh: KeptValue;
}

/** Moves what is kept for a group to the supergroup that it has become. */
export class ChatMigration {
  readonly #options: ChatMigrationOptions;

  constructor(options: ChatMigrationOptions) {
    this.#options = options;
  }

  /** Moves everything that an announced migration is about. Of a chat that has moved already, wherever to, it moves nothing. */
  async announced(unit: UnitOfWork, alias: ChatAlias): Promise<void> {
    if (!this.#options.aliases.has(alias.from)) await this.join(unit, alias);
  }

  /**
   * Moves everything as a part of a unit of work: the chat's data, its conversations and its jobs. Done already, or from an id to
   * itself, it does nothing.
   */
  async join(unit: UnitOfWork, alias: ChatAlias): Promise<void> {
    const { aliases } = this.#options;
    const from = chatKey(aliases.resolve(alias.from));
    const to = chatKey(aliases.resolve(alias.to));
    const isDone = (): boolean => from.id === to.id || (unit.alias?.from === from.id && unit.alias.to === to.id);
    if (isDone()) return;
    const old = await unit.open(from);
    const fresh = await unit.open(to);
    const belonging = await this.#belonging(unit, from, to);
    // Meanwhile this unit may have migrated it, or another one may have migrated either of them.
    if (isDone()) return;
    if (aliases.resolve(from.id) !== from.id || aliases.resolve(to.id) !== to.id) return this.join(unit, alias);
    if (unit.alias !== undefined) throw new TypeError("One unit of work can migrate one chat.");
    const record = old.current;
    if (record !== undefined) {
      fresh.put(this.#merged(to, record, fresh.current));
      old.drop();
    }
    for (const each of belonging) this.#moveBelonging(each, to);
    unit.alias = { from: from.id, to: to.id };
  }

  /** What belongs to a chat, and its new place: conversations have the chat's id in their key, too. */
  async #belonging(unit: UnitOfWork, from: ChatKey, to: ChatKey): Promise<readonly Belonging[]> {
    const found: Belonging[] = [];
    for (const old of await belongings(unit, this.#options.records, from)) {
      const { key } = old;
      const isKeyed = key.kind === "conversation" && key.id[0] === from.id;
      found.push({ old, fresh: isKeyed ? await unit.open({ ...key, id: [to.id, ...key.id.slice(1)] }) : old });
    }
    return found;
  }

  #moveBelonging({ old, fresh }: Belonging, to: ChatKey): void {
    const moved = { ...(old.current as KeptRecord), chatId: to.id };
    if (fresh === old) return old.put(moved);
    if (fresh.current !== undefined) {
      this.#options.reporter.logger.warn(
        `A group has become a supergroup in which ${keyName(fresh.key)} had begun already. The group's conversation stands; ` +
          `this was dropped: ${fresh.current.text}`,
      );
    }
    fresh.put(moved);
    old.drop();
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
