import type { MaybePromise } from "../data/maybe-promise.ts";
import { keyText, type KeyOf, type RecordKind } from "../data/record.ts";
import type { KeysOptions } from "./atomic-persistence.ts";

/** All that `list` gives, page by page, none of them empty. `list` is a persistence's `keys` of one kind. */
export async function* keyPages<Kind extends RecordKind>(
  list: (options: KeysOptions<Kind>) => MaybePromise<readonly KeyOf<Kind>[]>,
  { within, of, limit }: Omit<KeysOptions<Kind>, "after">,
): AsyncGenerator<readonly KeyOf<Kind>[]> {
  for (let after: KeyOf<Kind> | undefined; ;) {
    const page: readonly KeyOf<Kind>[] = await list({ within, of, after, limit });
    const last = page.at(-1);
    if (last === undefined) return;
    if (after !== undefined && keyText(last) === keyText(after)) {
      throw new TypeError(`The persistence's keys() gave ${keyText(last)} again, and was to give what comes after it.`);
    }
    yield page;
    after = last;
  }
}
