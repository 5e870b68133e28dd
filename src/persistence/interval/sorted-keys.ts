import { keyText, type RecordKey, type RecordKind } from "../../data/record.ts";
import type { KeysOptions } from "../atomic-persistence.ts";

/** Numbers for chats and users, text for the others: of one kind they are all of one sort. */
type Position = number | string;

/** Which keys, of whatever kind these are. */
interface PageOptions extends Omit<KeysOptions, "after"> {
  readonly after?: RecordKey | undefined;
}

/** The keys of one kind in the order of `AtomicPersistence.keys`. Sorted when they are first asked for, and kept in order from then on. */
export class SortedKeys {
  readonly #source: () => Iterable<RecordKey>;
  #sorted: (readonly [position: Position, key: RecordKey])[] | undefined;

  constructor(source: () => Iterable<RecordKey>) {
    this.#source = source;
  }

  /** To be called when a key has come. */
  added(key: RecordKey): void {
    const position = positionOf(key);
    this.#sorted?.splice(
      firstWhere(this.#sorted, (other) => other > position),
      0,
      [position, key],
    );
  }

  /** To be called when a key has gone. */
  removed(key: RecordKey): void {
    const position = positionOf(key);
    this.#sorted?.splice(
      firstWhere(this.#sorted, (other) => other >= position),
      1,
    );
  }

  page({ within, after, limit }: PageOptions, isWanted: (key: RecordKey) => boolean = () => true): RecordKey[] {
    const sorted = (this.#sorted ??= this.#sort());
    const page: RecordKey[] = [];
    for (let index = this.#start(sorted, within, after); index < sorted.length && page.length < limit; index += 1) {
      const key = sorted[index]?.[1] as RecordKey;
      if (within !== undefined && nameIn(key) !== within) break;
      if (isWanted(key)) page.push(key);
    }
    return page;
  }

  #sort(): (readonly [Position, RecordKey])[] {
    const pairs = Array.from(this.#source(), (key) => [positionOf(key), key] as const);
    return pairs.sort(([first], [second]) => (first < second ? -1 : 1));
  }

  #start(
    sorted: readonly (readonly [Position, RecordKey])[],
    within: string | undefined,
    after: RecordKey | undefined,
  ): number {
    const afterIt = after === undefined ? 0 : firstWhere(sorted, (position) => position > positionOf(after));
    const kind = sorted[0]?.[1].kind;
    if (within === undefined || kind === undefined) return afterIt;
    return Math.max(
      afterIt,
      firstWhere(sorted, (position) => position >= beginningOf(kind, within)),
    );
  }
}

function positionOf(key: RecordKey): Position {
  return key.kind === "chat" || key.kind === "user" ? key.id : keyText(key);
}

/** Texts of keys with one name all begin with this, and no other does: what follows in them is a comma or a bracket. */
function beginningOf(kind: RecordKind, name: string): string {
  return `${kind}:${JSON.stringify([name]).slice(0, -1)}`;
}

function nameIn(key: RecordKey): string | undefined {
  if (key.kind === "conversation") return key.name;
  return key.kind === "entry" ? key.collection : undefined;
}

function firstWhere(
  sorted: readonly (readonly [Position, unknown])[],
  isThere: (position: Position) => boolean,
): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isThere(sorted[middle]?.[0] as Position)) high = middle;
    else low = middle + 1;
  }
  return low;
}
