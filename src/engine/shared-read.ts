import { isPerdureError } from "../errors.ts";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type { KeptRecord, RecordKey } from "../data/record.ts";

type Records = readonly (KeptRecord | undefined)[];

/** One of those who share a read. */
interface Asking {
  readonly keys: readonly RecordKey[];
  readonly resolve: (records: Records) => void;
  readonly reject: (error: unknown) => void;
}

/** No read is shared by more: a persistence remembers what updates read, and not what goes through everything. */
const MOST_TOGETHER = 100;

/** What a shared read needs of the engine. */
export interface SharedReadOptions {
  /** The records of these keys, of one moment. */
  readonly read: (keys: readonly RecordKey[]) => MaybePromise<Records>;
  /** Tries again what fails for now. */
  readonly retry: <T>(task: () => MaybePromise<T>) => Promise<T>;
}

/**
 * Reads records, for those who ask at the same time together: updates that were delivered together begin together, and a backend
 * that is asked once has one transaction, or one way to a server and back.
 */
export class SharedRead {
  readonly #options: SharedReadOptions;
  #asking: Asking[] = [];

  constructor(options: SharedReadOptions) {
    this.#options = options;
  }

  /** The records of these keys, of one moment. Rejects with what can never be read, and with nothing that may work later. */
  records(keys: readonly RecordKey[]): Promise<Records> {
    return new Promise((resolve, reject) => {
      if (this.#asking.push({ keys, resolve, reject }) === 1) queueMicrotask(() => this.#start());
    });
  }

  #start(): void {
    const asking = this.#asking;
    this.#asking = [];
    for (let begin = 0; begin < asking.length; begin += MOST_TOGETHER) {
      void this.#readFor(asking.slice(begin, begin + MOST_TOGETHER));
    }
  }

  async #readFor(asking: readonly Asking[]): Promise<void> {
    const { retry, read } = this.#options;
    // The bot's key is one object, and everybody asks for it.
    const keys = [...new Set(asking.flatMap((one) => one.keys))];
    try {
      const records = await retry(() => read(keys));
      const byKey = new Map(keys.map((key, index) => [key, records[index]]));
      for (const one of asking) one.resolve(one.keys.map((key) => byKey.get(key)));
    } catch (error) {
      // One that can't be read must take no other with it.
      if (asking.length > 1 && isPerdureError(error, "PERDURE_REFUSED"))
        for (const one of asking) void this.#readFor([one]);
      else for (const { reject } of asking) reject(error);
    }
  }
}
