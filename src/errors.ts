/**
 * Every error that a user of Perdure may want to tell apart has a `code`. Codes do not change between major versions,
 * messages may. docs/errors.md describes each with its situation and its remedy.
 *
 * Arguments that can only be a programming mistake are plain `TypeError`s without a code.
 */
export type ErrorCode =
  | "PERDURE_BUSY"
  | "PERDURE_CANNOT_DECODE"
  | "PERDURE_CANNOT_KEEP"
  | "PERDURE_CANNOT_OPEN"
  | "PERDURE_CLOSED"
  | "PERDURE_CONFLICT"
  | "PERDURE_CORRUPT"
  | "PERDURE_DEADLOCK"
  | "PERDURE_DISK_FULL"
  | "PERDURE_EMPTY_FILE"
  | "PERDURE_FOREIGN_FILE"
  | "PERDURE_HAS_MIDDLEWARE"
  | "PERDURE_INVALID_CALLBACK_DATA"
  | "PERDURE_INVALID_OPTION"
  | "PERDURE_IO"
  | "PERDURE_LIFE_CYCLE"
  | "PERDURE_MIGRATION"
  | "PERDURE_NEWER_FORMAT"
  | "PERDURE_NEWER_RECORD"
  | "PERDURE_NODE_VERSION"
  | "PERDURE_NESTED"
  | "PERDURE_NOT_COPIED"
  | "PERDURE_NOT_EMPTY"
  | "PERDURE_NO_CHAT"
  | "PERDURE_NO_JOB"
  | "PERDURE_NO_TURN"
  | "PERDURE_NO_USER"
  | "PERDURE_OWNED"
  | "PERDURE_READ_ONLY"
  | "PERDURE_REFUSED"
  | "PERDURE_SET_ASIDE"
  | "PERDURE_STOPPED"
  | "PERDURE_UNIT_OVER"
  | "PERDURE_UNKNOWN_DEFINITION"
  | "PERDURE_UNSUPPORTED";

/** Survives two copies of the package in one process, where `instanceof` does not. */
const brand = Symbol.for("perdure.error");

/** What {@link PerdureError} takes beside its code and message. */
export interface PerdureErrorOptions {
  /** The error that led here, kept as `error.cause`. */
  cause?: unknown;
}

/** An error of this library. Tell errors apart by {@link PerdureError.code}, not by class or message. */
export class PerdureError extends Error {
  /** Stable between major versions. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: PerdureErrorOptions) {
    super(message, options);
    this.name = "PerdureError";
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `error` is a {@link PerdureError}, optionally one of this `code`, also from another copy of the package. */
export function isPerdureError(error: unknown, code?: ErrorCode): error is PerdureError {
  return (
    error instanceof Error && brand in error && (code === undefined || (error as Partial<PerdureError>).code === code)
  );
}
