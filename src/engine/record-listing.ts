import type { MaybePromise } from "../data/maybe-promise.ts";
import {
  BELONGING_KINDS,
  type BelongingKind,
  type ChatKey,
  type KeptRecord,
  type KeyOf,
  type RecordKey,
  type RecordKind,
  type TimedKind,
  type UserKey,
} from "../data/record.ts";
import type { AtomicPersistence, EarliestOptions, KeysOptions } from "../persistence/atomic-persistence.ts";
import { keyPages } from "../persistence/key-pages.ts";
import type { ChatAliases } from "./chat-aliases.ts";
import { KeptValue } from "./kept-value.ts";
import type { TransientRecords } from "./transient-records.ts";
import type { Values } from "./values.ts";

/** So many keys are listed, and so many records read, at once. */
const PAGE = 1000;

/** What a listing needs of the engine. */
export interface RecordListingOptions {
  readonly persistence: AtomicPersistence;
  readonly transient: TransientRecords;
  readonly aliases: ChatAliases;
  readonly values: Values;
  /** Tries again what fails for now. */
  readonly retry: <T>(task: () => MaybePromise<T>) => Promise<T>;
}

/** What is kept, as of the last commit; all records of one kind are read page by page. What comes or goes meanwhile may be missing or there. */
export class RecordListing {
  readonly #options: RecordListingOptions;

  constructor(options: RecordListingOptions) {
    this.#options = options;
  }

  /** The keys of one kind, or of those with one name, in a fixed order. */
  async *keys<Kind extends RecordKind>(kind: Kind, within?: string): AsyncGenerator<KeyOf<Kind>> {
    for await (const page of this.#pages(kind, { within })) yield* page;
  }

  /** The keys of what belongs to a chat or to a user. */
  async belonging(of: ChatKey | UserKey): Promise<KeyOf<BelongingKind>[]> {
    const keys = this.#owners(of).flatMap((owner) => this.#options.transient.belonging(owner));
    for (const kind of BELONGING_KINDS) {
      for await (const page of this.#pages<BelongingKind>(kind, { of })) keys.push(...page);
    }
    return keys;
  }

  /** Likewise, with copies of the values. */
  async *values<Kind extends RecordKind>(
    kind: Kind,
    within?: string,
  ): AsyncGenerator<{ readonly key: KeyOf<Kind>; readonly value: unknown }> {
    for await (const kept of this.kept(kind, { within })) yield { key: kept.key, value: kept.get() };
  }

  /** Copies of the records. */
  async *kept<Kind extends RecordKind>(
    kind: Kind,
    which: Pick<KeysOptions<Kind>, "within" | "of">,
  ): AsyncGenerator<KeptValue & { readonly key: KeyOf<Kind> }> {
    const { values } = this.#options;
    for await (const page of this.#pages(kind, which)) {
      const records = await this.#read(page);
      for (const [index, key] of page.entries()) {
        const record = records[index];
        // It may have been removed since its key was listed.
        if (record !== undefined) yield new KeptValue(key, record, values) as KeptValue & { readonly key: KeyOf<Kind> };
      }
    }
  }

  /** Copies of the records of one kind whose time is not after `until`, the earliest first. */
  async earliest<Kind extends TimedKind>(
    kind: Kind,
    options: EarliestOptions,
  ): Promise<readonly (KeptValue & { readonly key: KeyOf<Kind> })[]> {
    const { persistence, aliases, values, retry } = this.#options;
    const found = await retry(() => persistence.earliest(kind, options));
    const records = aliases.current(found.map(({ record }) => record));
    return found.map(
      ({ key }, index) => new KeptValue(key, records[index], values) as KeptValue & { readonly key: KeyOf<Kind> },
    );
  }

  /** Copies of the values of these records; `undefined` where there is none. */
  async copies(keys: readonly RecordKey[]): Promise<readonly unknown[]> {
    const records = await this.#read(keys);
    return keys.map((key, index) => this.#options.values.load(key, records[index]).value);
  }

  async #read(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]> {
    const { persistence, aliases, retry } = this.#options;
    return aliases.current(await retry(() => persistence.read(keys)));
  }

  async *#pages<Kind extends RecordKind>(
    kind: Kind,
    which: Pick<KeysOptions<Kind>, "within" | "of">,
  ): AsyncGenerator<readonly KeyOf<Kind>[]> {
    const { persistence, retry } = this.#options;
    const owners = which.of === undefined ? [undefined] : this.#owners(which.of);
    for (const owner of owners) {
      const list = (options: KeysOptions<Kind>): Promise<readonly KeyOf<Kind>[]> =>
        retry(() => persistence.keys(kind, options));
      yield* keyPages(list, { ...which, of: owner, limit: PAGE });
    }
  }

  /** Whom a record may name that belongs to this chat or this user. */
  #owners(of: ChatKey | UserKey): readonly (ChatKey | UserKey)[] {
    return of.kind === "user" ? [of] : this.#options.aliases.idsOf(of.id).map((id) => ({ kind: "chat", id }));
  }
}
