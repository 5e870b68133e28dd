import {
  keyText,
  type KeptRecord,
  type KeyOf,
  type RecordKey,
  type RecordKind,
  type TimedKind,
} from "../../data/record.ts";
import type { EarliestOptions, KeysOptions, TimedRecord } from "../atomic-persistence.ts";
import { SortedKeys } from "./sorted-keys.ts";

/** A record and its key. */
export interface KeyedRecord {
  readonly key: RecordKey;
  readonly record: KeptRecord;
}

/** Records in memory. */
export class MemoryRecords {
  readonly #byKind = new Map<RecordKind, KindRecords>();

  get(key: RecordKey): KeptRecord | undefined {
    return this.#byKind.get(key.kind)?.records.get(keyText(key))?.record;
  }

  /** Keeps a record, or removes it. */
  change(key: RecordKey, record: KeptRecord | undefined): void {
    const { records, sorted } = this.#of(key.kind);
    const text = keyText(key);
    const wasThere = records.has(text);
    if (record === undefined) {
      records.delete(text);
      if (wasThere) sorted.removed(key);
    } else {
      records.set(text, { key, record });
      if (!wasThere) sorted.added(key);
    }
  }

  /** All records of a kind. */
  all(kind: RecordKind): Iterable<KeyedRecord> {
    return this.#of(kind).records.values();
  }

  keys<Kind extends RecordKind>(kind: Kind, options: KeysOptions<Kind>): readonly KeyOf<Kind>[] {
    const { of } = options;
    const isWanted = of && ((key: RecordKey): boolean => this.get(key)?.[`${of.kind}Id`] === of.id);
    return this.#of(kind).sorted.page(options, isWanted) as readonly RecordKey[] as readonly KeyOf<Kind>[];
  }

  earliest(kind: TimedKind, { until, limit }: EarliestOptions): readonly TimedRecord[] {
    const due: TimedRecord[] = [];
    for (const { key, record } of this.all(kind)) {
      if (record.time !== undefined && record.time <= until) due.push({ key, record } as TimedRecord);
    }
    return due.sort((first, second) => first.record.time - second.record.time).slice(0, limit);
  }

  /** Remembers what there is. What is returned brings that back. */
  snapshot(): () => void {
    const kinds = Array.from(this.#byKind, ([kind, { records }]) => [kind, new Map(records)] as const);
    return () => {
      this.#byKind.clear();
      for (const [kind, records] of kinds) this.#byKind.set(kind, new KindRecords(records));
    };
  }

  #of(kind: RecordKind): KindRecords {
    let records = this.#byKind.get(kind);
    if (records === undefined) this.#byKind.set(kind, (records = new KindRecords(new Map())));
    return records;
  }
}

class KindRecords {
  /** By the texts of their keys. */
  readonly records: Map<string, KeyedRecord>;
  readonly sorted: SortedKeys;

  constructor(records: Map<string, KeyedRecord>) {
    this.records = records;
    this.sorted = new SortedKeys(() => Array.from(records.values(), ({ key }) => key));
  }
}
