import { keyText, type KeptRecord, type RecordKey } from "../../data/record.ts";

/** That nobody knows what a persistence has: nothing was read, or a writing of it failed or is under way. */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** What a persistence has of a record. */
export type Written = KeptRecord | undefined | typeof UNKNOWN;

interface Entry {
  readonly key: RecordKey;
  readonly written: Written;
  /** Whether the last writing failed, of what the record still is. */
  readonly failed: boolean;
}

/** The records that a persistence does not have as they are now, in the order in which they came to that. */
export class Unwritten {
  /** By the texts of their keys. */
  #entries = new Map<string, Entry>();

  has(key: RecordKey): boolean {
    return this.#entries.has(keyText(key));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether some wait because their writing failed. */
  get hasFailed(): boolean {
    return [...this.#entries.values()].some(({ failed }) => failed);
  }

  /** The keys; with `"changed"` without those whose writing failed and that have not changed since. */
  keys(which: "all" | "changed"): RecordKey[] {
    const entries = [...this.#entries.values()];
    return entries.filter(({ failed }) => which === "all" || !failed).map(({ key }) => key);
  }

  /** A record has changed. */
  changed(key: RecordKey, before: Written, now: KeptRecord | undefined): void {
    const text = keyText(key);
    const entry = this.#entries.get(text);
    const written = entry === undefined ? before : entry.written;
    if (written !== UNKNOWN && isSame(written, now)) this.#entries.delete(text);
    else this.#entries.set(text, { key, written, failed: false });
  }

  /** A writing begins: until it has succeeded, nobody knows what the persistence has. */
  writing(key: RecordKey): void {
    this.#replace(key, { written: UNKNOWN, failed: false });
  }

  /** It succeeded, with this record; the record may have changed meanwhile. */
  written(key: RecordKey, written: KeptRecord | undefined, now: KeptRecord | undefined): void {
    if (isSame(written, now)) this.#entries.delete(keyText(key));
    else this.#replace(key, { written });
  }

  /** It failed, with this record. */
  failed(key: RecordKey, record: KeptRecord | undefined, now: KeptRecord | undefined): void {
    if (isSame(record, now)) this.#replace(key, { failed: true });
  }

  /** Remembers what there is. What is returned brings that back. */
  snapshot(): () => void {
    const entries = new Map(this.#entries);
    return () => (this.#entries = entries);
  }

  #replace(key: RecordKey, by: Partial<Entry>): void {
    const text = keyText(key);
    const entry = this.#entries.get(text);
    if (entry !== undefined) this.#entries.set(text, { ...entry, ...by });
  }
}

/** Versions and whose it is do not count: a class that is not atomic has no place for them. */
function isSame(first: KeptRecord | undefined, second: KeptRecord | undefined): boolean {
  return first?.text === second?.text && first?.time === second?.time;
}
