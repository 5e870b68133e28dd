import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Update } from "@grammyjs/types";
import type { TelegramStub } from "../telegram-stub.ts";
import type { StartFigures } from "../processes/job.ts";
import { newRecord, type Contender, type Counted, type Setting } from "./contender.ts";
import { fillSqlite, sqliteCounts, sqlitePath } from "./sqlite-store.ts";

/**
 * The engine's limit: the rows that Perdure writes, written in the same file, and nothing else. One commit accepts what was
 * delivered, one makes it done; without a change there is no second commit, and all are marked done at the end.
 */
export function rawSqlite(setting: Setting, synchronous: "full" | "normal"): Contender {
  let close = (): void => {};
  return {
    fill: () => fillSqlite(setting),
    counts: async (ids) => sqliteCounts(setting, ids),
    async run(stub) {
      const database = open(setting);
      close = () => database.close();
      database.exec(
        `pragma journal_mode = wal; pragma synchronous = ${synchronous}; pragma wal_autocheckpoint = 1000; pragma trusted_schema = off`,
      );
      new RawBot(database, setting, countersOf(stub, setting)).run(stub);
    },
    close: async () => close(),
  };
}

interface Counters {
  readonly chats: Map<number, Counted>;
  readonly users: Map<number, Counted>;
}

/** What a bot knows that has read the records. Read before the measuring: here, only writing counts. */
function countersOf(stub: TelegramStub, setting: Setting): Counters {
  const ids = [...stub.chatIds];
  const { chats, users } = sqliteCounts(setting, ids);
  const known = (counts: readonly number[]): Map<number, Counted> =>
    new Map(ids.map((id, index) => [id, { ...newRecord(), n: counts[index] ?? 0 }]));
  return { chats: known(chats), users: known(users) };
}

class RawBot {
  readonly #setting: Setting;
  readonly #counters: Counters;
  readonly #accept: StatementSync;
  readonly #chat: StatementSync;
  readonly #user: StatementSync;
  readonly #remove: StatementSync;
  readonly #done: StatementSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  #arrivals = 0;

  constructor(database: DatabaseSync, setting: Setting, counters: Counters) {
    this.#setting = setting;
    this.#counters = counters;
    this.#accept = database.prepare(
      `insert into inbox (bot_id, update_id, arrival, accepted_at, attempts, "update") values (1, ?, ?, ?, 1, ?)`,
    );
    this.#chat = database.prepare(upsert("chat_data"));
    this.#user = database.prepare(upsert("user_data"));
    this.#remove = database.prepare("delete from inbox where bot_id = 1 and update_id between ? and ?");
    this.#done = database.prepare(
      "insert or replace into done (bot_id, first_id, last_id, since, until) values (1, ?, ?, ?, ?)",
    );
    this.#begin = database.prepare("begin immediate");
    this.#commit = database.prepare("commit");
  }

  run(stub: TelegramStub): void {
    const changes = this.#setting.touch === "both" || this.#setting.touch === "chat";
    const open: Update[] = [];
    let firstId: number | undefined;
    for (let batch = stub.take(); batch.length > 0; batch = stub.take()) {
      firstId ??= batch[0]?.update_id ?? 0;
      this.#acceptAll(batch);
      if (changes) this.#finish(batch, firstId);
      else open.push(...batch);
      for (const { update_id: id } of batch) stub.handled(id);
    }
    if (open.length > 0) this.#finish(open, firstId ?? 0);
  }

  #acceptAll(batch: readonly Update[]): void {
    this.#begin.run();
    for (const update of batch) {
      this.#arrivals += 1;
      this.#accept.run(update.update_id, this.#arrivals, Date.now(), JSON.stringify(update));
    }
    this.#commit.run();
  }

  #finish(batch: readonly Update[], firstId: number): void {
    this.#begin.run();
    for (const { message } of batch) this.#write(message?.chat.id ?? 0);
    const lastId = batch.at(-1)?.update_id ?? 0;
    this.#remove.run(batch[0]?.update_id ?? 0, lastId);
    this.#done.run(firstId, lastId, Date.now(), Date.now());
    this.#commit.run();
  }

  #write(id: number): void {
    const { touch } = this.#setting;
    if (touch !== "both" && touch !== "chat") return;
    this.#chat.run(id, counted(this.#counters.chats, id));
    if (touch === "both") this.#user.run(id, counted(this.#counters.users, id));
  }
}

function counted(counters: Map<number, Counted>, id: number): string {
  const record = counters.get(id) as Counted;
  record.n += 1;
  return JSON.stringify(record);
}

/** Asks for the module here, as the library does, so that both can be counted in the same way. */
function open(setting: Setting): DatabaseSync {
  return new (process.getBuiltinModule("node:sqlite").DatabaseSync)(sqlitePath(setting));
}

function upsert(table: string): string {
  return `insert into ${table} (id, version, data) values (?, 0, ?) on conflict (id) do update set data = excluded.data`;
}

/** What SQLite alone needs to open the file and to read and change one record. */
export function rawSelect(setting: Setting): StartFigures {
  const begin = performance.now();
  const database = open(setting);
  database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma schema_version");
  const opened = performance.now();
  const text = database.prepare("select data from chat_data where id = ?").get(1)?.["data"];
  database.prepare(upsert("chat_data")).run(1, String(text ?? JSON.stringify(newRecord())));
  const first = performance.now();
  globalThis.gc?.();
  const memory = process.memoryUsage.rss() / 2 ** 20;
  database.close();
  return { open: opened - begin, first: first - begin, memory };
}
