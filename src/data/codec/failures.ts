import { PerdureError, type PerdureErrorOptions } from "../../errors.ts";
import { maxDepth, readablePath, type Place } from "./place.ts";

/** The error for a part of a value that cannot be kept. `why` says what it is and what to do. */
export function cannotKeep(place: Place, why: string, cause?: unknown): PerdureError {
  return new PerdureError("PERDURE_CANNOT_KEEP", `${readablePath(place)}: ${why}`, options(cause));
}

/** The error for a part of a text that cannot be understood. */
export function cannotDecode(place: Place, why: string, cause?: unknown): PerdureError {
  return new PerdureError("PERDURE_CANNOT_DECODE", `${readablePath(place)}: ${why}`, options(cause));
}

/** The error for a tag whose content is not what the codec writes. */
export function malformed(tag: string, why: string, place: Place, cause?: unknown): PerdureError {
  const content = `the content of the tag ${JSON.stringify(tag)} is not understood: ${why}. `;
  return cannotDecode(place, `${content}It was edited, or a newer version of Perdure wrote it.`, cause);
}

export function tooDeepToDecode(place: Place): PerdureError {
  return cannotDecode(place, `nested deeper than ${maxDepth} levels. The codec never writes that.`);
}

/** What a thrown value says, for the message of the error that has it as `cause`. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Without a cause no property `cause`, which would be printed as `[cause]: undefined`. */
function options(cause: unknown): PerdureErrorOptions | undefined {
  return cause === undefined ? undefined : { cause };
}
