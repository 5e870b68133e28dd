import { PerdureError } from "../../errors.ts";
import type { SqliteClient } from "./sqlite-client.ts";

/** Stands in the file's header (`pragma application_id`), so that no other program's database is taken for ours. */
const APPLICATION_ID = 0x50_72_64_72; // "Prdr"

/** bot_data, chat_data, user_data, inbox, failed, chat_alias, done. */
const FORMAT_1 = `
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

/** A table of every other kind of record. `key` is the id of a conversation as JSON, written as `JSON.stringify` writes it. */
const FORMAT_2 = `
  create table conversation (
    name text not null,
    key text not null check (json_type(key) = 'array' and key = json(key)),
    version integer not null,
    data text not null,
    primary key (name, key)
  ) strict, without rowid;
  create table entry (
    collection text not null,
    id text not null,
    version integer not null,
    data text not null,
    primary key (collection, id)
  ) strict, without rowid;
  create table keyboard (
    id text not null primary key,
    last_used integer,
    version integer not null,
    data text not null
  ) strict, without rowid;
  create index keyboard_last_used on keyboard (last_used) where last_used is not null;
  create table callback_query (
    id text not null primary key,
    answered_at integer,
    version integer not null,
    data text not null
  ) strict, without rowid;
  create index callback_query_answered_at on callback_query (answered_at) where answered_at is not null;
  create table job (
    id text not null primary key,
    due integer,
    version integer not null,
    data text not null
  ) strict, without rowid;
  create index job_due on job (due) where due is not null;
`;

/** Whose a conversation and a job are. */
const FORMAT_3 = `
  alter table conversation add column chat_id integer;
  alter table conversation add column user_id integer;
  create index conversation_chat_id on conversation (chat_id) where chat_id is not null;
  create index conversation_user_id on conversation (user_id) where user_id is not null;
  alter table job add column chat_id integer;
  alter table job add column user_id integer;
  create index job_chat_id on job (chat_id) where chat_id is not null;
  create index job_user_id on job (user_id) where user_id is not null;
`;

/**
 * The inbox is one tree and not two: an update is found by its id, and the few that are open are put in order when they are read. A row
 * there is written and removed with every update of the bot.
 */
const FORMAT_4 = `
  alter table inbox rename to inbox_of_format_3;
  create table inbox (
    bot_id integer not null,
    update_id integer not null,
    arrival integer not null,
    accepted_at integer not null,
    attempts integer not null,
    "update" text not null,
    primary key (bot_id, update_id)
  ) strict, without rowid;
  insert into inbox
    select bot_id, update_id, arrival, accepted_at, attempts, "update" from inbox_of_format_3 order by bot_id, update_id;
  drop table inbox_of_format_3;
`;

/** What leads to each format from the one before: the first to format 1. A new format is one more, at the end. */
const STEPS: readonly string[] = [FORMAT_1, FORMAT_2, FORMAT_3, FORMAT_4];

/** The newest format that this code reads, and the one that it writes (`pragma user_version`). */
const FORMAT = STEPS.length;

/** Lays out a new, empty database. */
export function createFormat(database: SqliteClient): void {
  database.exec(`
    begin;
    pragma application_id = ${APPLICATION_ID};
    ${stepsFrom(0)}
    commit;
    pragma journal_mode = wal;
  `);
}

/** Brings a database that was checked up to the newest format: to the end or, when it fails or is killed, not at all. */
export function upgradeFormat(database: SqliteClient): void {
  if (pragma(database, "user_version") === FORMAT) return;
  database.exec("begin immediate");
  try {
    database.exec(stepsFrom(pragma(database, "user_version")));
    database.exec("commit");
  } catch (error) {
    // What ended the transaction, a full disk for one, is the error to tell; not that there is none to roll back.
    try {
      database.exec("rollback");
    } catch {}
    throw error;
  }
}

function stepsFrom(format: number): string {
  return `${STEPS.slice(format).join("")} pragma user_version = ${FORMAT};`;
}

/** Rejects a database that is not ours, or of a format that this code does not know. Reads only. */
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
  if (format < 1) {
    throw new PerdureError(
      "PERDURE_CORRUPT",
      `${file} says that it has format ${format}, which there is not. It was left as it is. Put back a backup.`,
    );
  }
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
