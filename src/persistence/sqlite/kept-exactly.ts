import { isKeptText } from "../../data/kept-text.ts";
import { keyText, type FoundBy, type RecordChange, type RecordKey } from "../../data/record.ts";
import { PerdureError } from "../../errors.ts";
import { TABLES } from "./sqlite-tables.ts";

/** Throws `PERDURE_REFUSED` for a key that would not come back from the file as it went in. */
export function checkKey(key: RecordKey): void {
  if (!comesBack(key))
    throw refused(`The key ${keyText(key)}`, "its numbers have to be safe integers and its texts", TEXT);
}

/** Throws `PERDURE_REFUSED` for a name of a conversation handler or of a collection that would not, likewise. */
export function checkName(name: string): void {
  if (!isKeptText(name)) throw refused(`The name ${JSON.stringify(name)}`, "it has to be", TEXT);
}

/** Throws `PERDURE_REFUSED` for a change that would leave another record than the one that was given. */
export function checkChange({ key, record }: RecordChange): void {
  checkKey(key);
  if (record === undefined) return;
  if (!isKeptText(record.text)) throw refused(`The text of ${keyText(key)}`, "it has to be", TEXT);
  for (const by of FOUND_BY) checkFoundBy(key, by, record[by]);
}

const FOUND_BY = ["time", "chatId", "userId"] as const satisfies readonly (keyof FoundBy)[];

function checkFoundBy(key: RecordKey, by: keyof FoundBy, value: number | undefined): void {
  if (value === undefined) return;
  if (TABLES[key.kind].foundBy[by] === undefined) throw refused(`A ${by} of ${keyText(key)}`, "its kind has none");
  if (!Number.isSafeInteger(value)) throw refused(`The ${by} of ${keyText(key)}`, "it has to be a safe integer");
}

function comesBack(key: RecordKey): boolean {
  switch (key.kind) {
    case "bot":
      return true;
    case "chat":
    case "user":
      return Number.isSafeInteger(key.id);
    case "conversation":
      return isKeptText(key.name) && key.id.every(isKeptPart);
    case "entry":
      return isKeptText(key.collection) && isKeptText(key.id);
    default:
      return isKeptText(key.id);
  }
}

function isKeptPart(part: number | string): boolean {
  return typeof part === "number" ? Number.isSafeInteger(part) : isKeptText(part);
}

const TEXT = "well-formed Unicode without U+0000";

function refused(what: string, ...why: readonly string[]): PerdureError {
  return new PerdureError("PERDURE_REFUSED", `${what} cannot be kept: ${why.join(" ")}.`);
}
