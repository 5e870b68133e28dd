import {
  keyText,
  type FoundBy,
  type KeptRecord,
  type KeyOf,
  type RecordChange,
  type RecordKey,
  type RecordKind,
  type TimedKind,
} from "../../src/data/record.ts";
import { isPerdureError } from "../../src/errors.ts";
import type {
  EarliestOptions,
  KeysOptions,
  TimedRecord,
  UnitCommit,
} from "../../src/persistence/atomic-persistence.ts";
import { broken, type Broken } from "./broken.ts";
import { RemotePersistence } from "./remote-persistence.ts";

class TakesAReadErrorForEmpty extends RemotePersistence {
  override async read(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]> {
    return super.read(keys).catch((error) => {
      if (isPerdureError(error)) throw error;
      return keys.map(() => undefined);
    });
  }
}

/** A class whose faults lie in how it changes a record before it keeps it. */
abstract class ChangesRecords extends RemotePersistence {
  protected abstract changed(record: KeptRecord, key: RecordKey): KeptRecord;

  override commit(units: readonly UnitCommit[]): Promise<void> {
    const change = ({ key, record }: RecordChange): RecordChange => ({
      key,
      record: record && this.changed(record, key),
    });
    return super.commit(units.map((unit) => ({ ...unit, changes: unit.changes.map(change) })));
  }
}

class DropsTheVersion extends ChangesRecords {
  protected override changed(record: KeptRecord): KeptRecord {
    return { ...record, version: 0 };
  }
}

class DropsTheTime extends ChangesRecords {
  protected override changed(record: KeptRecord, { kind }: RecordKey): KeptRecord {
    return kind === "callbackQuery" ? { ...record, time: undefined } : record;
  }
}

class DropsWhoseItIs extends ChangesRecords {
  protected override changed({ text, version, time, chatId }: KeptRecord, { kind }: RecordKey): KeptRecord {
    return kind === "job" ? { text, version, time, chatId } : { text, version, time };
  }
}

class ListsThoseOfEverybody extends RemotePersistence {
  override keys<Kind extends RecordKind>(
    kind: Kind,
    { of: _, ...options }: KeysOptions<Kind>,
  ): Promise<readonly KeyOf<Kind>[]> {
    return super.keys(kind, options);
  }
}

class RemembersWhoseItWas extends ChangesRecords {
  readonly #first = new Map<string, FoundBy>();

  protected override changed(record: KeptRecord, key: RecordKey): KeptRecord {
    const text = keyText(key);
    if (!this.#first.has(text)) this.#first.set(text, record);
    return key.kind === "job" ? { ...record, chatId: this.#first.get(text)?.chatId } : record;
  }
}

class SortsTheTextAsJsonbDoes extends ChangesRecords {
  protected override changed(record: KeptRecord): KeptRecord {
    return { ...record, text: JSON.stringify(sorted(JSON.parse(record.text))) };
  }
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

class KeepsARemovedRecordAsNull extends RemotePersistence {
  override commit(units: readonly UnitCommit[]): Promise<void> {
    const change = ({ key, record }: RecordChange): RecordChange => ({
      key,
      record: record ?? { text: "null", version: 0 },
    });
    return super.commit(units.map((unit) => ({ ...unit, changes: unit.changes.map(change) })));
  }
}

class IgnoresCase extends RemotePersistence {
  override read(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]> {
    return super.read(keys.map(lower));
  }

  override commit(units: readonly UnitCommit[]): Promise<void> {
    const change = ({ key, record }: RecordChange): RecordChange => ({ key: lower(key), record });
    return super.commit(units.map((unit) => ({ ...unit, changes: unit.changes.map(change) })));
  }
}

function lower(key: RecordKey): RecordKey {
  return key.kind === "job" ? { kind: "job", id: key.id.toLowerCase() } : key;
}

/** `select ... where id in (...)` and nothing after it. */
class ReadsInItsOwnOrder extends RemotePersistence {
  override async read(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]> {
    const records = await super.read(keys);
    return [...records].sort((a, b) => (a?.text ?? "~").localeCompare(b?.text ?? "~"));
  }
}

class RemembersWhatItRead extends RemotePersistence {
  readonly #known = new Map<string, KeptRecord | undefined>();

  override async read(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]> {
    for (const [index, record] of (await super.read(keys)).entries()) {
      const text = JSON.stringify(keys[index]);
      if (!this.#known.has(text)) this.#known.set(text, record);
    }
    return keys.map((key) => this.#known.get(JSON.stringify(key)));
  }

  override async commit(units: readonly UnitCommit[]): Promise<void> {
    await super.commit(units);
    for (const { changes } of units)
      for (const { key, record } of changes) this.#known.set(JSON.stringify(key), record);
  }
}

/** A class whose faults lie in how it lists keys, all of which it has. */
abstract class ListsKeys extends RemotePersistence {
  protected listed<Kind extends RecordKind>(
    all: readonly KeyOf<Kind>[],
    _options: KeysOptions<Kind>,
  ): readonly KeyOf<Kind>[] {
    return all;
  }

  override async keys<Kind extends RecordKind>(
    kind: Kind,
    options: KeysOptions<Kind>,
  ): Promise<readonly KeyOf<Kind>[]> {
    const all = this.listed(await super.keys(kind, { limit: Infinity }), options);
    const after = options.after === undefined ? 0 : all.findIndex((key) => same(key, options.after)) + 1;
    return all.filter((key, index) => index >= after && this.within(key, options.within)).slice(0, options.limit);
  }

  protected within(key: RecordKey, name: string | undefined): boolean {
    return name === undefined || nameOf(key) === name;
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function nameOf(key: RecordKey): string {
  if (key.kind === "conversation") return key.name;
  return key.kind === "entry" ? key.collection : "";
}

class SortsNumbersAsTexts extends ListsKeys {
  protected override listed<Kind extends RecordKind>(all: readonly KeyOf<Kind>[]): readonly KeyOf<Kind>[] {
    return [...all].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
}

class SortsBySomethingElse extends ListsKeys {
  protected override listed<Kind extends RecordKind>(all: readonly KeyOf<Kind>[]): readonly KeyOf<Kind>[] {
    const place = (key: RecordKey): string => ("id" in key ? JSON.stringify(key.id) : "");
    const isNumbered = all.some((key) => key.kind === "chat" || key.kind === "user");
    return isNumbered ? all : [...all].sort((a, b) => (place(a) < place(b) ? -1 : 1));
  }
}

class TakesAllNamesThatBeginSo extends ListsKeys {
  protected override within(key: RecordKey, name: string | undefined): boolean {
    return name === undefined || nameOf(key).startsWith(name);
  }
}

/** What is not found has index -1, after which comes the first. */
class BeginsAnewAfterAKeyThatIsGone extends ListsKeys {}

class LeavesOutTheFirstOfAPage extends RemotePersistence {
  override async keys<Kind extends RecordKind>(
    kind: Kind,
    options: KeysOptions<Kind>,
  ): Promise<readonly KeyOf<Kind>[]> {
    if (options.after === undefined) return super.keys(kind, options);
    return (await super.keys(kind, { ...options, limit: options.limit + 1 })).slice(1);
  }
}

class StopsBeforeTheTime extends RemotePersistence {
  override earliest(kind: TimedKind, { until, limit }: EarliestOptions): Promise<readonly TimedRecord[]> {
    return super.earliest(kind, { until: until - 1, limit });
  }
}

class TakesTheEarliestOfAnyPage extends RemotePersistence {
  override async earliest(kind: TimedKind, { until, limit }: EarliestOptions): Promise<readonly TimedRecord[]> {
    const all = await super.earliest(kind, { until, limit: Infinity });
    const byId = [...all].sort((a, b) => (a.key.id < b.key.id ? -1 : 1)).slice(0, limit);
    return byId.sort((a, b) => a.record.time - b.record.time);
  }
}

/** Asynchronous backends with one fault each, in records, keys and times. */
export const BROKEN_RECORDS: readonly Broken[] = [
  broken(TakesAReadErrorForEmpty, ["a failed read is an error, not an absent record, an empty list or a new update"]),
  broken(DropsTheVersion, ["job records: the version is kept"]),
  broken(DropsTheTime, ["callbackQuery records: the time is kept, replaced and taken away"]),
  broken(DropsWhoseItIs, ["job records: the chat and the user are kept, replaced and taken away"]),
  broken(ListsThoseOfEverybody, [
    "keys: of a chat or of a user are those of records that belong to it, in the same order",
  ]),
  broken(RemembersWhoseItWas, [
    "keys: what belongs to another chat now, or to none, or is gone, is not listed for the old one",
  ]),
  broken(SortsTheTextAsJsonbDoes, ["records: the text is kept to the letter"]),
  broken(KeepsARemovedRecordAsNull, ["chat records: read, written, replaced, removed and written again"]),
  broken(IgnoresCase, [
    "records: keys that differ only by case, spaces, accents, types or separators are different records",
  ]),
  broken(ReadsInItsOwnOrder, [
    "records: read gives them in the order of the keys, a key given twice is answered twice",
  ]),
  broken(RemembersWhatItRead, [
    "several may be open on one place, and each sees what the other has done, where it is shared",
  ]),
  broken(SortsNumbersAsTexts, ["keys: ids of the kind chat ascend as numbers"]),
  broken(SortsBySomethingElse, ["keys: those of one name stand together"]),
  broken(TakesAllNamesThatBeginSo, ["keys: within a name are those of exactly this name, in the same order"]),
  broken(BeginsAnewAfterAKeyThatIsGone, ["keys: they go on after a key that is gone by now"]),
  broken(LeavesOutTheFirstOfAPage, ["keys: pages of any size give each key once, in one order"]),
  broken(StopsBeforeTheTime, ["earliest: records of the kind job by their time, up to a time and including it"]),
  broken(TakesTheEarliestOfAnyPage, [
    "earliest: records of the kind keyboard by their time, up to a time and including it",
  ]),
];
