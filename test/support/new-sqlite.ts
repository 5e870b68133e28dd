import { join } from "node:path";
import { SqlitePersistence, type SqlitePersistenceOptions } from "../../src/persistence/sqlite/sqlite-persistence.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A persistence that is not open yet, on this file, by default one of the running test's own. It waits neither for a disk nor for an owner. */
export function newSqlite(
  path: string = join(temporaryFolder(), "bot.sqlite"),
  options: Partial<SqlitePersistenceOptions> = {},
): SqlitePersistence {
  return new SqlitePersistence({ path, ownerTimeout: 0, durability: "os", ...options });
}
