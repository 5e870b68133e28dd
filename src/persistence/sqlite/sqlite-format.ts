import { PerdureError } from "../../errors.ts";
import type { SqliteClient } from "./sqlite-client.ts";

/** Stands in the file's header (`pragma application_id`), so that no other program's database is taken for ours. */
const APPLICATION_ID = 0x50_72_64_72; // "Prdr"

/** The newest format that this code reads, and the one that it writes (`pragma user_version`). */
// 1: bot_data, chat_data, user_data, chat_alias, inbox, failed, done.
const FORMAT = 1;

const TABLES = `
  create table bot_data (
    id integer primary key check (id = 1),
    version integer not null,
    data text not null
  ) strict;
  create table chat_data (id integer primary key, version integer not null, data text not null) strict;
  create table user_data (id integer primary key, version integer not null, data text not null) strict;
  create table inbox (
    arrival integer primary key,
    bot_id integer not null,
    update_id integer not null,
    accepted_at integer not null,
    attempts integer not null,
    "update" text not null,
    unique (bot_id, update_id)
  ) strict;
  create table failed (
    bot_id integer not null,
    update_id integer not null,
    attempts integer not null,
    failed_at integer not null,
    "update" text not null
  ) strict;
  create table chat_alias (old_id integer primary key, new_id integer not null) strict;
  create table done (
    bot_id integer not null,
    first_id integer not null,
    last_id integer not null,
    since integer not null,
    until integer not null,
    primary key (bot_id, first_id)
  ) strict, without rowid;
`;

/** Lays out a new, empty database. */
export function createFormat(database: SqliteClient): void {
  database.exec(`
    begin;
    pragma application_id = ${APPLICATION_ID};
    pragma user_version = ${FORMAT};
    ${TABLES}
    commit;
    pragma journal_mode = wal;
  `);
}

/** Rejects a database that is not ours, or of a newer format. Reads only. */
export function checkFormat(database: SqliteClient, file: string): void {
  const applicationId = pragma(database, "application_id");
  if (applicationId !== APPLICATION_ID) {
    throw new PerdureError(
      "PERDURE_FOREIGN_FILE",
      `${file} is an SQLite database of another program (application_id ${applicationId}). It was left as it is. ` +
        "Give SqlitePersistence a path of its own.",
    );
  }
  const format = pragma(database, "user_version");
  if (format > FORMAT) {
    throw new PerdureError(
      "PERDURE_NEWER_FORMAT",
      `${file} has format ${format}, this version of perdure reads up to ${FORMAT}. It was left as it is. ` +
        "Update perdure, or go back to the file's backup of before the update.",
    );
  }
}

function pragma(database: SqliteClient, name: string): number {
  const row = database.prepare(`pragma ${name}`).get();
  return Number(row?.[name]);
}
