import { PsqlAdapter } from "@grammyjs/storage-psql";
import type { StorageAdapter } from "grammy";
import pg from "pg";
import { newRecord, type Contender, type Counted, type Setting } from "./contender.ts";
import { runSessions } from "./grammy-bot.ts";
import { storedCounts } from "./stored-counts.ts";

/** So many connections, where it may have several: about the best for this storage. */
const CONNECTIONS = 16;

/** grammY's official PostgreSQL storage, on a pool of node-postgres, whose `query` is all that it uses. */
export async function sessionPostgres(setting: Setting): Promise<Contender> {
  const pool = new pg.Pool({ connectionString: setting.server ?? "", max: CONNECTIONS });
  const tableName = `perdure_bench_${setting.chats}`;
  const storage = (await PsqlAdapter.create({ client: pool as never, tableName })) as StorageAdapter<Counted>;
  return {
    async fill() {
      await pool.query(
        `insert into ${tableName}
         select kind || '-' || id, $1 from generate_series(1, $2::int) as id, unnest(array['chat', 'user']) as kind
         on conflict (key) do update set value = excluded.value`,
        [JSON.stringify(newRecord()), setting.chats],
      );
      await pool.query(`vacuum analyze ${tableName}`);
    },
    counts: (ids) => storedCounts(storage, ids),
    run: (stub) => runSessions(stub, setting, storage),
    async close() {
      await pool.end();
    },
  };
}
