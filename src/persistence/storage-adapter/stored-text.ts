import { PerdureError } from "../../errors.ts";

/** Of what {@link StoredText} is. Raised when an older version could not read what a newer one writes. */
const FORMAT = 1;

/**
 * What a storage adapter is given: a flat object with a text. Some adapters take objects only, some have limits on what is nested, and
 * all keep this as it is.
 */
export interface StoredText {
  /** The format's number. */
  readonly perdure: number;
  /** The value as the codec wrote it. */
  readonly text: string;
}

export function storedText(text: string): StoredText {
  return { perdure: FORMAT, text };
}

/** The text of what a storage has under a key; `undefined` for nothing. Rejects what is no {@link StoredText}. */
export function textOf(stored: unknown, key: string): string | undefined {
  if (stored === undefined || stored === null) return undefined;
  const { perdure, text } = stored as Partial<Record<keyof StoredText, unknown>>;
  if (typeof perdure === "number" && perdure > FORMAT) {
    throw new PerdureError("PERDURE_NEWER_FORMAT", `What the storage has as "${key}" was written by a newer version.`);
  }
  if (perdure === FORMAT && typeof text === "string") return text;
  throw new PerdureError(
    "PERDURE_CORRUPT",
    `What the storage has as "${key}" was not written by perdure, or is damaged.`,
  );
}
