import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { PerdureError } from "../../errors.ts";
import { openSqlite, type SqliteClient } from "./sqlite-client.ts";
import { sqliteError } from "./sqlite-errors.ts";
import { checkFormat, createFormat } from "./sqlite-format.ts";

/** One page of the smallest size, in bytes. SQLite takes a file that is shorter than its header for a new database. */
const SMALLEST_DATABASE = 512;

/** The file's real path, so that a lock beside it is the same whichever link leads to it. */
export function realFile(path: string): string {
  const file = resolve(path);
  if (existsSync(file)) return realpathSync(file);
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    throw new PerdureError(
      "PERDURE_CANNOT_OPEN",
      `${file} is a link to a file that does not exist. Mend or remove the link.`,
    );
  }
  const folder = dirname(file);
  if (!existsSync(folder)) {
    throw new PerdureError(
      "PERDURE_CANNOT_OPEN",
      `Cannot create ${file}: the folder ${folder} does not exist. Create it.`,
    );
  }
  return join(realpathSync(folder), basename(file));
}

/** Rejects, without touching anything, what SQLite would answer with an error that does not say why. */
export function checkAccess(file: string): void {
  requireAccess(dirname(file), constants.R_OK | constants.W_OK | constants.X_OK);
  if (!existsSync(file)) return requireNoOrphan(file);
  const found = statSync(file);
  if (!found.isFile()) {
    throw new PerdureError("PERDURE_CANNOT_OPEN", `Cannot open ${file}: it is not a file. Give the path of a file.`);
  }
  requireAccess(file, constants.R_OK | constants.W_OK);
  if (found.size >= SMALLEST_DATABASE) return;
  throw new PerdureError(
    found.size === 0 ? "PERDURE_EMPTY_FILE" : "PERDURE_CORRUPT",
    `${file} exists and has ${found.size} bytes, less than the smallest database. A new one would hide that something ` +
      "has emptied it. Put back a backup, or delete the file to begin anew.",
  );
}

/** Opens the database, after it was laid out if there was none. Only the owner may call this. */
export function openFile(file: string): SqliteClient {
  try {
    if (existsSync(file)) checkFile(file);
    else createFile(file);
    return openSqlite(file);
  } catch (error) {
    throw sqliteError(error, file, "open");
  }
}

/** On a connection that cannot write: closing one that can would fold the log into a file that is not for us. */
function checkFile(file: string): void {
  const database = openSqlite(file, { readOnly: true });
  try {
    checkFormat(database, file);
  } finally {
    database.close();
  }
}

/**
 * Lays the database out under another name and renames it: whoever is killed on the way leaves no half-made file, which
 * the next start would refuse.
 */
function createFile(file: string): void {
  const draft = `${file}-new`;
  removeDraft(draft);
  try {
    const database = openSqlite(draft);
    try {
      createFormat(database);
    } finally {
      database.close();
    }
    sync(draft);
    renameSync(draft, file);
    sync(dirname(file));
  } catch (error) {
    removeDraft(draft);
    throw error;
  }
}

function removeDraft(draft: string): void {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(draft + suffix, { force: true });
}

function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** SQLite would play an old log into the new database. */
function requireNoOrphan(file: string): void {
  if (!existsSync(`${file}-wal`) || statSync(`${file}-wal`).size === 0) return;
  throw new PerdureError(
    "PERDURE_CANNOT_OPEN",
    `${file} does not exist, but its log ${file}-wal does. Put the file back beside it, or remove the log to begin anew.`,
  );
}

function requireAccess(path: string, mode: number): void {
  try {
    accessSync(path, mode);
  } catch (cause) {
    throw new PerdureError(
      "PERDURE_READ_ONLY",
      `${path} is not readable and writable for this process. SQLite writes the file and its companions in the same ` +
        "folder (-wal, -shm, -lock). Give this process's user the right to write there.",
      { cause },
    );
  }
}
