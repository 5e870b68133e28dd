import type { MaybePromise } from "../data/maybe-promise.ts";
import type { KeptRecord, RecordKey } from "../data/record.ts";
import { KeptValue } from "./kept-value.ts";
import { SharedRead } from "./shared-read.ts";
import type { Values } from "./values.ts";

/**
 * Brings values up to date that others write too, in place (PTB's `refresh_*`). `undefined` for a record that nobody
 * refreshes.
 */
export type Refresh = (key: RecordKey) => ((value: unknown) => MaybePromise<void>) | undefined;

/** What a reader needs of the engine. */
export interface RecordReaderOptions {
  readonly values: Values;
  /** The records of these keys, of one moment. */
  readonly read: (keys: readonly RecordKey[]) => MaybePromise<readonly (KeptRecord | undefined)[]>;
  /** Missing where nobody refreshes anything. */
  readonly refresh?: Refresh | undefined;
  /** Tries again what fails for now. */
  readonly retry: <T>(task: () => MaybePromise<T>) => Promise<T>;
}

/** Reads records for units of work, waiting as long as they can't be read. */
export class RecordReader {
  readonly #options: RecordReaderOptions;
  readonly #shared: SharedRead;

  constructor(options: RecordReaderOptions) {
    this.#options = options;
    this.#shared = new SharedRead(options);
  }

  /** The records as they are kept. */
  records(keys: readonly RecordKey[]): Promise<readonly (KeptRecord | undefined)[]> {
    return this.#shared.records(keys);
  }

  /** The records as values. */
  async read(keys: readonly RecordKey[]): Promise<KeptValue[]> {
    const records = await this.records(keys);
    return keys.map((key, index) => new KeptValue(key, records[index], this.#options.values));
  }

  /** The records as values that others have brought up to date, one after the other in the order of the keys. */
  readRefreshed(keys: readonly RecordKey[]): Promise<KeptValue[]> {
    const read = this.read(keys);
    return this.#options.refresh === undefined ? read : this.#refreshAll(read, this.#options.refresh);
  }

  async #refreshAll(read: Promise<KeptValue[]>, refresh: Refresh): Promise<KeptValue[]> {
    const kept = await read;
    for (const value of kept) {
      const bringUp = refresh(value.key);
      // A record that cannot be read is an error for whoever touches it, and no failure of refreshing.
      if (bringUp !== undefined && value.isReadable) value.refresh(await this.#refreshed(value, bringUp));
    }
    return kept;
  }

  /** A fresh value for each attempt: what a failed one has changed is gone. */
  #refreshed(value: KeptValue, bringUp: (data: unknown) => MaybePromise<void>): Promise<unknown> {
    return this.#options.retry(async () => {
      const data = value.fresh();
      await bringUp(data);
      return data;
    });
  }
}
