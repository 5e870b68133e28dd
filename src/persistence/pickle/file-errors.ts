import { basename } from "node:path";
import { isPerdureError, PerdureError, type ErrorCode } from "../../errors.ts";
import { PickleDataError } from "./pickle-data-error.ts";

const ADVICE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EACCES: ["PERDURE_READ_ONLY", "Give the process the right; the folder must be writable too."],
  EPERM: ["PERDURE_READ_ONLY", "Give the process the right; the folder must be writable too."],
  EROFS: ["PERDURE_READ_ONLY", "The disk is read-only."],
  EISDIR: ["PERDURE_CANNOT_OPEN", "It is a folder. Give the path of the file."],
  ENOENT: ["PERDURE_CANNOT_OPEN", "The folder is missing. Make it."],
  ENOTDIR: ["PERDURE_CANNOT_OPEN", "A part of the path is no folder."],
  EDQUOT: ["PERDURE_DISK_FULL", "The disk is full. What was kept before is unharmed. Make room."],
  ENOSPC: ["PERDURE_DISK_FULL", "The disk is full. What was kept before is unharmed. Make room."],
};

/** What went wrong with a file, as one of our errors. `doing` reads as "cannot {doing}". The file is as it was. */
export function fileError(error: unknown, file: string, doing: "read" | "write"): PerdureError {
  if (isPerdureError(error)) return error;
  if (error instanceof PickleDataError) return damaged(error, file);
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const [ours, advice] = ADVICE[code ?? ""] ?? ["PERDURE_IO", "Check the disk and the system's log."];
  const message = error instanceof Error ? error.message : String(error);
  return new PerdureError(ours, `Cannot ${doing} ${file}: ${message}. ${advice}`, { cause: error });
}

/** In python-telegram-bot's words (PTB statements 30 to 32). */
function damaged(error: PickleDataError, file: string): PerdureError {
  const name = basename(file);
  const words =
    error.fault === "no pickle"
      ? `File ${name} does not contain valid pickle data`
      : `Something went wrong unpickling ${name}`;
  const advice = "The file was left as it is. Put back a backup, or another path.";
  return new PerdureError("PERDURE_CORRUPT", `${words}: ${error.message}. ${advice}`, { cause: error });
}
