import type { MaybePromise } from "../data/maybe-promise.ts";
import {
  BELONGING_KINDS,
  keyText,
  type BelongingKind,
  type ChatKey,
  type KeptRecord,
  type KeyOf,
  type RecordChange,
  type RecordKey,
  type UserKey,
} from "../data/record.ts";

type Read = (keys: readonly RecordKey[]) => MaybePromise<readonly (KeptRecord | undefined)[]>;

/**
 * Records that live in memory only, as long as the engine. Everything else about them is as with others: units of work own them, and change
 * them together with everything else or not at all.
 */
export class TransientRecords {
  readonly #isTransient: (key: RecordKey) => boolean;
  readonly #records = new Map<string, RecordChange>();

  constructor(isTransient: (key: RecordKey) => boolean) {
    this.#isTransient = isTransient;
  }

  /** Reads, from memory or by `read`, whatever is to be read from there. */
  read(keys: readonly RecordKey[], read: Read): MaybePromise<readonly (KeptRecord | undefined)[]> {
    if (!keys.some(this.#isTransient)) return read(keys);
    return keys.every(this.#isTransient) ? keys.map((key) => this.#get(key)) : this.#readBoth(keys, read);
  }

  /** The changes that a persistence is to keep. */
  durable(changes: readonly RecordChange[]): readonly RecordChange[] {
    return changes.some(({ key }) => this.#isTransient(key))
      ? changes.filter(({ key }) => !this.#isTransient(key))
      : changes;
  }

  /** Takes in the others, once all of the unit of work is committed. */
  apply(changes: readonly RecordChange[]): void {
    for (const change of changes) {
      if (!this.#isTransient(change.key)) continue;
      if (change.record === undefined) this.#records.delete(keyText(change.key));
      else this.#records.set(keyText(change.key), change);
    }
  }

  /** The keys of those that belong to a chat or to a user. */
  belonging(of: ChatKey | UserKey): KeyOf<BelongingKind>[] {
    const isBelonging = (key: RecordKey): key is KeyOf<BelongingKind> =>
      (BELONGING_KINDS as readonly string[]).includes(key.kind);
    return Array.from(this.#records.values())
      .filter(({ record }) => record?.[`${of.kind}Id`] === of.id)
      .map(({ key }) => key)
      .filter(isBelonging);
  }

  async #readBoth(keys: readonly RecordKey[], read: Read): Promise<readonly (KeptRecord | undefined)[]> {
    const others = keys.filter((key) => !this.#isTransient(key));
    const records = await read(others);
    return keys.map((key) => (this.#isTransient(key) ? this.#get(key) : records[others.indexOf(key)]));
  }

  #get(key: RecordKey): KeptRecord | undefined {
    return this.#records.get(keyText(key))?.record;
  }
}
