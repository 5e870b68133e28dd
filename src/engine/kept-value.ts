import {
  isFoundAlike,
  isSameRecord,
  type FoundBy,
  type KeptRecord,
  type RecordChange,
  type RecordKey,
} from "../data/record.ts";
import { isScope, type Values } from "./values.ts";

/** One record in one unit of work: decoded when it is first touched, and found changed by encoding it at the end. */
export class KeptValue {
  readonly key: RecordKey;
  /** What was kept when the unit began. */
  readonly loaded: KeptRecord | undefined;
  readonly #values: Values;
  /** What the value is decoded from: `loaded`, until the record is dropped or another one is put in its place. */
  #base: KeptRecord | undefined;
  /** What others have brought it up to. They may keep it where it is kept, so that going back to `loaded` is a change. */
  #refreshed: { readonly record: KeptRecord | undefined } | undefined;
  #isPut = false;
  /** Set where it is to be found by something else than `#base` says. */
  #foundBy: FoundBy | undefined;
  #touched: { value: unknown; unchanged: KeptRecord | undefined } | undefined;

  constructor(key: RecordKey, loaded: KeptRecord | undefined, values: Values) {
    this.key = key;
    this.loaded = loaded;
    this.#base = loaded;
    this.#values = values;
  }

  get(): unknown {
    return this.#touch().value;
  }

  set(value: unknown): void {
    // An entry's old value is not needed, be it readable or not. A scope's may be of a newer version, which is not overwritten.
    if (isScope(this.key)) this.#touch().value = value;
    else this.#touched = { value, unchanged: this.#base };
  }

  /** Removes the record. What is set later, or changed in the value that a later `get` gives, counts. */
  drop(): void {
    this.put(undefined);
  }

  /** Puts another record in its place, as it is. */
  put(record: KeptRecord | undefined): void {
    this.#isPut = true;
    this.#base = record;
    this.#foundBy = undefined;
    this.#touched = undefined;
  }

  /** What the record is found by, beside its key. It is kept with the value, and nothing where there is no value. */
  get foundBy(): FoundBy {
    const { time, chatId, userId } = this.#foundBy ?? this.#base ?? {};
    return { time, chatId, userId };
  }

  set foundBy(foundBy: FoundBy) {
    this.#foundBy = foundBy;
  }

  /** Keeps the value as it is now: later changes of it do not count. */
  putCopy(value: unknown): void {
    this.put(this.#values.encode(this.key, value));
  }

  /** The value as it would be kept now, to itself. */
  copy(): unknown {
    return this.#values.load(this.key, this.current).value;
  }

  /** The value as the unit has found it, to itself: whatever has become of it since. */
  found(): unknown {
    return this.#values.load(this.key, this.loaded).value;
  }

  /** The value as it was loaded, to be brought up to date by others and given to {@link KeptValue.refresh}. */
  fresh(): unknown {
    return this.#values.load(this.key, this.#base).value;
  }

  /** Begins with a value that others have brought up to date. That alone is no change of this unit. */
  refresh(value: unknown): void {
    // Decoded anew: what it was given may be shared with its giver, and with other units.
    const unchanged = this.#values.encode(this.key, value);
    this.#touched = { ...this.#values.load(this.key, unchanged), unchanged };
    this.#refreshed = { record: unchanged };
  }

  /** Whether the record can be read; if not, `get` throws why. */
  get isReadable(): boolean {
    try {
      this.#touch();
      return true;
    } catch {
      return false;
    }
  }

  /** The record as this unit has read it: what others have refreshed included, what the unit changed not. */
  get asRead(): KeptRecord | undefined {
    return this.#touched === undefined ? this.#base : this.#touched.unchanged;
  }

  /** Whether it was decoded, or anything was put in its place. */
  get isTouched(): boolean {
    return this.#touched !== undefined || this.#isPut;
  }

  /** Whether there is anything to be kept now, be it possible or not. */
  get isThere(): boolean {
    const { value } = this.#touched ?? { value: this.#base };
    return value !== undefined;
  }

  /** The record as it would be kept now. */
  get current(): KeptRecord | undefined {
    const change = this.change();
    return change === undefined ? this.loaded : change.record;
  }

  /**
   * What is to be kept anew, if anything. A value that was only read is no change: neither the initial value of a record
   * that does not exist nor a migrated one is written for its own sake.
   */
  change(): RecordChange | undefined {
    const { key } = this;
    if (this.#touched !== undefined) {
      const record = this.#values.encode(key, this.#touched.value);
      if (record?.text !== this.#touched.unchanged?.text) return { key, record: this.#found(record) };
    }
    const base = this.#found(this.#base);
    return this.#isKept(base) ? undefined : { key, record: base };
  }

  #found(record: KeptRecord | undefined): KeptRecord | undefined {
    const { foundBy } = this;
    return record === undefined || isFoundAlike(record, foundBy) ? record : { ...record, ...foundBy };
  }

  #isKept(base: KeptRecord | undefined): boolean {
    const isAsRefreshed = this.#refreshed === undefined || isSameRecord(base, this.#refreshed.record);
    return isSameRecord(base, this.loaded) && (!this.#isPut || isAsRefreshed);
  }

  #touch(): { value: unknown; unchanged: KeptRecord | undefined } {
    this.#touched ??= { ...this.#values.load(this.key, this.#base) };
    return this.#touched;
  }
}
