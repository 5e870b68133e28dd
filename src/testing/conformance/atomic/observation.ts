import { keyText, RECORD_KINDS, type KeptRecord, type KeyOf, type RecordKind } from "../../../data/record.ts";
import type { AtomicPersistence, KeysOptions } from "../../../persistence/atomic-persistence.ts";
import { plain } from "./samples.ts";

/** All that an atomic persistence keeps, as its methods tell it. What is the same is equal. */
export interface Observation {
  readonly records: ReadonlyMap<string, KeptRecord | undefined>;
  /** The open updates in order of arrival: their ids and attempts. */
  readonly inbox: readonly (readonly [updateId: number, attempts: number])[];
  readonly done: readonly number[];
  readonly failed: readonly (readonly [updateId: number, attempts: number, failedAt: number])[];
  readonly aliases: readonly (readonly [from: number, to: number])[];
}

const PAGE = 100;

export async function observe(persistence: AtomicPersistence): Promise<Observation> {
  const records = new Map<string, KeptRecord | undefined>();
  for (const kind of RECORD_KINDS) {
    const keys = await allKeys(persistence, kind, PAGE);
    for (const [index, record] of (await persistence.read(keys)).entries()) {
      records.set(keyText(keys[index] as KeyOf<RecordKind>), record && plain(record));
    }
  }
  const inbox = await persistence.openUpdates({ limit: PAGE });
  const done = (await persistence.doneUpdates()).flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
  const failed = await persistence.failedUpdates();
  const aliases = (await persistence.chatAliases()).map(({ from, to }) => [from, to] as const);
  return {
    records,
    inbox: inbox.map(({ updateId, attempts }) => [updateId, attempts]),
    done: done.sort((a, b) => a - b),
    failed: failed.map(({ update, attempts, failedAt }) => [update.update_id, attempts, failedAt]),
    aliases: aliases.sort(([a], [b]) => a - b),
  };
}

/** All keys of a kind, got in pages of this size. Ends also when the pages do not. */
export async function allKeys<Kind extends RecordKind>(
  persistence: AtomicPersistence,
  kind: Kind,
  limit: number,
  which: Pick<KeysOptions<Kind>, "within" | "of"> = {},
): Promise<KeyOf<Kind>[]> {
  const all: KeyOf<Kind>[] = [];
  for (let after: KeyOf<Kind> | undefined; ;) {
    const page: readonly KeyOf<Kind>[] = await persistence.keys(kind, { ...which, after, limit });
    if (page.length > limit) throw new Error(`keys("${kind}", { limit: ${limit} }) gives ${page.length} keys`);
    all.push(...page);
    after = page.at(-1);
    if (after === undefined) return all;
    if (all.length > 10_000) throw new Error(`keys("${kind}", { limit: ${limit} }), page by page, does not end`);
  }
}
