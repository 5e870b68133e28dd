import { LRUCache } from "lru-cache";
import { keyText, type KeptRecord, type RecordChange, type RecordKey } from "../../data/record.ts";
import type { SqliteStatements } from "./sqlite-statements.ts";
import type { SqliteTransactions } from "./sqlite-transactions.ts";

/** How much of what was read is kept in memory. */
export interface CurrentRecordsOptions {
  readonly maxRecords: number;
  readonly maxCharacters: number;
}

/** More than updates read: whoever reads so many at once goes through all of them, and would push out those that are in use. */
const MOST_CACHED_AT_ONCE = 500;

/** A key, and the text that its record is remembered under; `undefined` for the kinds that are not remembered. */
interface Asked {
  readonly key: RecordKey;
  readonly text: string | undefined;
}

/** What stands under a key; that there is nothing is known as well. */
interface Known {
  readonly record: KeptRecord | undefined;
}

/**
 * The records as they are now. The bot's, chats' and users' are remembered as this connection has last read or committed
 * them, the same text again and again, which holds as long as `pragma data_version` says that no other connection has committed.
 *
 * That number and the records are looked at in one transaction, so that what is remembered with a number is of its moment.
 */
export class CurrentRecords {
  readonly #statements: SqliteStatements;
  readonly #transactions: SqliteTransactions;
  readonly #known: LRUCache<string, Known>;
  /** The `data_version` that `#known` is of. */
  #version: number | undefined;

  constructor(
    statements: SqliteStatements,
    transactions: SqliteTransactions,
    { maxRecords, maxCharacters }: CurrentRecordsOptions,
  ) {
    this.#statements = statements;
    this.#transactions = transactions;
    this.#known = new LRUCache({
      max: maxRecords,
      maxSize: maxCharacters,
      sizeCalculation: ({ record }) => Math.max(1, record?.text.length ?? 1),
    });
  }

  /** The records with these keys, all of one moment. */
  read(keys: readonly RecordKey[]): (KeptRecord | undefined)[] {
    // What an open transaction has written is nobody else's to see, and may be rolled back.
    if (this.#transactions.isExclusive || keys.length > MOST_CACHED_AT_ONCE) {
      return this.#transactions.read(() => this.#statements.read(keys));
    }
    const asked = keys.map(askedFor);
    const known = this.#recall(asked);
    if (known !== undefined && this.#statements.dataVersion() === this.#version) {
      return known.map(({ record }) => record);
    }
    return this.#transactions.read(() => this.#readAnew(asked));
  }

  /** Notes what a commit that succeeded has left; a part of an open transaction has not succeeded yet. */
  committed(changes: Iterable<RecordChange>): void {
    if (this.#transactions.isExclusive) return;
    for (const { key, record } of changes) {
      this.#remember(askedFor(key), record && { text: record.text, version: record.version });
    }
  }

  /** Whatever may have happened: everything is read again. */
  forget(): void {
    this.#known.clear();
  }

  /** What is remembered of all of these; `undefined` unless it is all. */
  #recall(keys: readonly Asked[]): Known[] | undefined {
    const known: Known[] = [];
    for (const asked of keys) {
      const one = this.#recallOne(asked);
      if (one === undefined) return undefined;
      known.push(one);
    }
    return known;
  }

  #recallOne({ text }: Asked): Known | undefined {
    return text === undefined ? undefined : this.#known.get(text);
  }

  /** In a transaction, whose moment is settled by the look at the number. */
  #readAnew(keys: readonly Asked[]): (KeptRecord | undefined)[] {
    const version = this.#statements.dataVersion();
    if (version !== this.#version) this.forget();
    this.#version = version;
    return keys.map((asked) => {
      const known = this.#recallOne(asked);
      return known === undefined ? this.#remember(asked, this.#statements.readOne(asked.key)) : known.record;
    });
  }

  #remember({ text }: Asked, record: KeptRecord | undefined): KeptRecord | undefined {
    if (text !== undefined) this.#known.set(text, { record: record && Object.freeze(record) });
    return record;
  }
}

function askedFor(key: RecordKey): Asked {
  const isRemembered = key.kind === "bot" || key.kind === "chat" || key.kind === "user";
  return { key, text: isRemembered ? keyText(key) : undefined };
}
