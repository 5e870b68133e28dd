import { keyName, type KeptRecord, type RecordKey, type RecordKind } from "../../data/record.ts";
import type { Contents } from "./contents.ts";
import type { KeyedRecord } from "./memory-records.ts";
import type { OneAtATime } from "./one-at-a-time.ts";
import type { PlainRecords } from "./plain-records.ts";

/** What a {@link Writer} works on. */
export interface WriterOptions {
  readonly contents: Contents;
  readonly plain: PlainRecords;
  readonly calls: OneAtATime;
  /** Hears each call that failed, once the others have been made. Must not throw. */
  readonly onError: (error: unknown) => void;
}

/** One call of a plain persistence. */
interface Call {
  /** The records that it writes, as they were when the writing began. */
  readonly records: readonly (readonly [key: RecordKey, record: KeptRecord | undefined])[];
  readonly perform: () => Promise<void>;
}

/** What is written, in this order (PTB statement 111): new contents of a kind before its removals. */
const ORDER = ["bot", "chat", "user", "conversation"] as const;

/**
 * Writes what a plain persistence does not have yet.
 *
 * A writing takes all of one moment, its beginning. It makes one call after the other and lets those of others in between. A call that
 * fails leaves its record unwritten, and the rest goes on.
 */
export class Writer {
  readonly #options: WriterOptions;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #nextWrites: "all" | "changed" = "changed";
  #errors: readonly unknown[] = [];

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when everything that is unwritten now was tried; with `"changed"`, everything but what has failed and has not changed
   * since. While another writing runs, it waits for that, and shares the following one.
   */
  write(which: "all" | "changed"): Promise<void> {
    if (this.#running === undefined) return this.#start(which);
    if (which === "all") this.#nextWrites = "all";
    this.#next ??= this.#running.then(() => {
      const writes = this.#nextWrites;
      this.#next = undefined;
      this.#nextWrites = "changed";
      return this.#start(writes);
    });
    return this.#next;
  }

  /** What the last writing failed with. */
  get errors(): readonly unknown[] {
    return this.#errors;
  }

  /** Resolves when no writing runs. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #start(which: "all" | "changed"): Promise<void> {
    // Until what waits for its end has begun, it counts as running: nobody begins in between.
    const running: Promise<void> = this.#run(which).finally(() => {
      if (this.#running === running && this.#next === undefined) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #run(which: "all" | "changed"): Promise<void> {
    const { contents, plain, onError } = this.#options;
    const all = this.#calls(contents.unwritten.keys(which));
    for (const [key] of all.flatMap((call) => call.records)) contents.unwritten.writing(key);
    this.#errors = plain.writesTogether ? await this.#performTogether(all) : await this.#perform(all, succeeded);
    for (const error of this.#errors) onError(error);

    function succeeded(call: Call): void {
      for (const [key, record] of call.records) contents.written(key, record);
    }
  }

  /** Makes the calls, and lets those of others in between. Answers with what failed. */
  async #perform(all: readonly Call[], succeeded: (call: Call) => void): Promise<readonly unknown[]> {
    const errors: unknown[] = [];
    for (const call of all) {
      try {
        await this.#options.calls.run(call.perform);
        succeeded(call);
      } catch (error) {
        errors.push(error);
        this.#failed(call);
      }
    }
    return errors;
  }

  /** For a class that writes what it was given at the end: nothing is written before that. */
  async #performTogether(all: readonly Call[]): Promise<readonly unknown[]> {
    const { contents, plain } = this.#options;
    if (all.length === 0) return [];
    const made: Call[] = [];
    let errors: readonly unknown[] = [];
    try {
      await plain.together(async () => void (errors = await this.#perform(all, (call) => made.push(call))));
    } catch (error) {
      for (const call of made) this.#failed(call);
      return [...errors, error];
    }
    for (const [key, record] of made.flatMap(({ records }) => records)) contents.written(key, record);
    return errors;
  }

  #failed({ records }: Call): void {
    for (const [key, record] of records) this.#options.contents.failed(key, record);
  }

  #calls(keys: readonly RecordKey[]): readonly Call[] {
    const { contents, plain } = this.#options;
    const calls: Call[] = keys.some(isCallbackData) ? [this.#callbackDataCall()] : [];
    for (const kind of ORDER) {
      const records = keys.filter((key) => key.kind === kind).map((key) => [key, contents.get(key)] as const);
      const kept = records.filter(([, record]) => record !== undefined);
      const removed = records.filter(([, record]) => record === undefined);
      for (const [key, record] of [...kept, ...removed]) {
        calls.push({ records: [[key, record]], perform: () => plain.write(key, record) });
      }
    }
    return calls;
  }

  /** All keyboards and queries go in one call: it has all that are unwritten. */
  #callbackDataCall(): Call {
    const { contents, plain } = this.#options;
    const all = (kind: RecordKind): KeyedRecord[] => [...contents.memory.all(kind)];
    const [keyboards, queries] = [all("keyboard"), all("callbackQuery")];
    const keys = contents.unwritten.keys("all").filter(isCallbackData);
    return {
      records: keys.map((key) => [key, contents.get(key)] as const),
      perform: () => plain.writeCallbackData(keyboards, queries),
    };
  }
}

function isCallbackData({ kind }: RecordKey): boolean {
  return kind === "keyboard" || kind === "callbackQuery";
}

/** What unwritten records are called: the callback data is one thing, and of many some are named. */
export function namesOf(keys: readonly RecordKey[]): string {
  const names = [...new Set(keys.map((key) => (isCallbackData(key) ? "callbackData" : keyName(key))))];
  return names.length <= 5 ? names.join(", ") : `${names.slice(0, 4).join(", ")} and ${names.length - 4} more`;
}
