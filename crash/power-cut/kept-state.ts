import type { Update } from "@grammyjs/types";
import { BOT_KEY, keyText, type RecordKey } from "../../src/data/record.ts";
import { SqlitePersistence } from "../../src/index.ts";
import type { PersistenceCall } from "./recorded-plan.ts";

/** What a persistence keeps at one moment: records, inbox and done marks. */
export class KeptState {
  readonly #records: Map<string, string>;
  readonly #inbox: Map<number, number>;
  readonly #done: Set<number>;

  constructor(
    records: Iterable<[string, string]> = [],
    inbox: Iterable<[number, number]> = [],
    done: Iterable<number> = [],
  ) {
    this.#records = new Map(records);
    this.#inbox = new Map(inbox);
    this.#done = new Set(done);
  }

  /** The state after a call that was carried out. */
  after(call: PersistenceCall): KeptState {
    const next = new KeptState(this.#records, this.#inbox, this.#done);
    next.#carryOut(call);
    return next;
  }

  /** The same text for the same state. */
  text(): string {
    return JSON.stringify({
      records: [...this.#records].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      inbox: [...this.#inbox],
      done: [...this.#done].toSorted((a, b) => a - b),
    });
  }

  #carryOut(call: PersistenceCall): void {
    if (call.name === "accept") {
      for (const id of call.ids) if (!this.#done.has(id) && !this.#inbox.has(id)) this.#inbox.set(id, 1);
    } else if (call.name === "noteAttempts") {
      if (this.#inbox.has(call.id)) this.#inbox.set(call.id, call.attempts);
    } else {
      for (const { changes, done } of call.units) {
        for (const { key, record } of changes) {
          if (record === undefined) this.#records.delete(keyText(key));
          else this.#records.set(keyText(key), record.text);
        }
        if (done === undefined) continue;
        this.#inbox.delete(done);
        this.#done.add(done);
      }
    }
  }
}

/** Opens a file as a bot would, and reads what is in it. Of `updates` it says which are done. The file is written to. */
export async function readState(path: string, botId: number, updates: readonly number[]): Promise<KeptState> {
  const persistence = new SqlitePersistence({ path, ownerTimeout: 0 });
  await persistence.open({ botId, now: Date.now });
  try {
    const limit = Number.MAX_SAFE_INTEGER;
    const keys: RecordKey[] = [BOT_KEY];
    for (const kind of ["chat", "user"] as const) {
      keys.push(...persistence.keys(kind, { limit }));
    }
    const records = persistence.read(keys).flatMap((record, index): [string, string][] => {
      const key = keys[index];
      return key === undefined || record === undefined ? [] : [[keyText(key), record.text]];
    });
    const inbox = persistence
      .openUpdates({ limit })
      .map(({ updateId, attempts }): [number, number] => [updateId, attempts]);
    const acceptances = persistence.accept(updates.map((update_id): Update => ({ update_id })));
    const done = updates.filter((_, index) => acceptances[index] === "done");
    return new KeptState(records, inbox, done);
  } finally {
    persistence.close();
  }
}
