import { PerdureError, isPerdureError, type ErrorCode } from "../../errors.ts";

/** SQLite's primary result codes (https://sqlite.org/rescode.html): ours, and what to do about it. */
const MEANINGS: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  5: ["PERDURE_BUSY", "Another program is writing to it. It will work when that one has finished."],
  6: ["PERDURE_BUSY", "Another part of this program is using the table. It will work when that one has finished."],
  8: [
    "PERDURE_READ_ONLY",
    "The file, its -wal and -shm companions and their folder must be writable for this process.",
  ],
  10: ["PERDURE_IO", "The operating system reported a read or write error. Check the disk and the system's log."],
  11: ["PERDURE_CORRUPT", "The file is damaged. Put back a backup, or save what is left with SQLite's `.recover`."],
  13: ["PERDURE_DISK_FULL", "The disk is full. What was kept before is unharmed. Make room."],
  14: ["PERDURE_CANNOT_OPEN", "The file cannot be opened. Check that it and its folder exist and may be used."],
  18: ["PERDURE_REFUSED", "The value is larger than SQLite's limit of 1 000 000 000 bytes."],
  19: ["PERDURE_REFUSED", "The value breaks a rule of the database's tables."],
  20: ["PERDURE_REFUSED", "The value has a type that its column does not take."],
  26: [
    "PERDURE_CORRUPT",
    "It is no SQLite database, or its beginning is damaged. Check the path, or put back a backup.",
  ],
};

/** An error of `node:sqlite`, or of the system while its log was flushed, as one of ours. `doing` reads as "cannot {doing}". */
export function sqliteError(error: unknown, file: string, doing: string): PerdureError {
  if (isPerdureError(error)) return error;
  const [code, advice] = MEANINGS[resultCode(error)] ?? unexpected(error);
  const message = error instanceof Error ? error.message : String(error);
  return new PerdureError(code, `Cannot ${doing} ${file}: ${message}. ${advice}`, { cause: error });
}

/** What does not come from SQLite is a value that it cannot take, and will not take the next time either. */
function unexpected(error: unknown): readonly [ErrorCode, string] {
  if (resultCode(error) === 0) return ["PERDURE_REFUSED", "It was not tried again."];
  return ["PERDURE_IO", "SQLite reported an error that is not expected."];
}

/** SQLITE_IOERR_SHMSIZE: what a full disk looks like when the file beside the log has to grow. */
const SHM_CANNOT_GROW = 4874;

/** What the system calls a full disk. */
const NO_ROOM: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);

/**
 * SQLite's primary result code: `errcode` is the extended one, whose low byte it is. For an error of the system the one that SQLite has for it, 0 for
 * any other.
 */
export function resultCode(error: unknown): number {
  const { errcode, code, syscall } = (error ?? {}) as { errcode?: unknown; code?: unknown; syscall?: unknown };
  if (errcode === SHM_CANNOT_GROW || NO_ROOM.has(code)) return 13;
  if (typeof syscall === "string") return 10;
  return typeof errcode === "number" ? errcode & 0xff : 0;
}
