import type { DatabaseSync, StatementSync } from "node:sqlite";
import { PerdureError } from "../../errors.ts";

/** The slice of `node:sqlite` that is used. */
export type SqliteClient = DatabaseSync;
export type SqliteStatement = StatementSync;

/**
 * Opens a database with Node's own SQLite. The module is asked for here and not imported, so that an older Node gives
 * this error and not a failing import.
 */
export function openSqlite(file: string, options: { readOnly?: boolean } = {}): SqliteClient {
  const sqlite = process.getBuiltinModule?.("node:sqlite");
  if (sqlite === undefined) {
    throw new PerdureError(
      "PERDURE_NODE_VERSION",
      `SqlitePersistence needs node:sqlite, which Node ${process.versions.node} does not have. Use Node 22.13 or newer.`,
    );
  }
  return new sqlite.DatabaseSync(file, { readOnly: options.readOnly ?? false });
}
