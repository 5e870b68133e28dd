import { BELONGING_KINDS, keyText, type ChatKey, type RecordKey, type UserKey } from "../data/record.ts";
import type { KeptValue } from "./kept-value.ts";
import type { RecordListing } from "./record-listing.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/**
 * What belongs to a chat or to a user, as a unit of work sees it: what it has changed itself counts, and it owns all of them
 * from now on.
 */
export async function belongings(
  unit: UnitOfWork,
  records: RecordListing,
  of: ChatKey | UserKey,
): Promise<readonly KeptValue[]> {
  const opened = BELONGING_KINDS.flatMap((kind) => unit.opened(kind).map(({ key }): RecordKey => key));
  const keys = new Map([...(await records.belonging(of)), ...opened].map((key) => [keyText(key), key]));
  const found: KeptValue[] = [];
  for (const key of keys.values()) {
    const value = await unit.open(key);
    // It may have moved or ended while this waited for it.
    if (value.current?.[`${of.kind}Id`] === of.id) found.push(value);
  }
  return found;
}
