import { isDeepStrictEqual } from "node:util";
import { Violation } from "../violation.ts";
import type { Kept } from "./kept.ts";
import { ENTRY, valueOf, type UnitModel } from "./unit-model.ts";

/** A listing of entries on its way: what each of them has been since it began. */
export class Listing {
  readonly #seen: Map<string, Set<string | undefined>>;

  constructor({ records }: Kept) {
    const entries = [...records].filter(([key]) => key.startsWith(ENTRY));
    this.#seen = new Map(entries.map(([key, text]) => [key, new Set([text])]));
  }

  /** A record has changed meanwhile. */
  hear(key: string, text: string | undefined): void {
    if (!key.startsWith(ENTRY)) return;
    const seen = this.#seen.get(key) ?? new Set([undefined]);
    this.#seen.set(key, seen.add(text));
  }

  /** An entry is listed with this value, or not at all (`undefined`). A unit of work lists its own as it has them. */
  require(key: string, value: unknown, unit: UnitModel | undefined): void {
    const own = unit?.own(key);
    const possible = own === undefined ? this.#values(key) : [own.value];
    if (possible.some((one) => isDeepStrictEqual(one, value))) return;
    const told = possible.map((one) => JSON.stringify(one) ?? "missing").join(" or ");
    throw new Violation(`${key} is listed as ${JSON.stringify(value) ?? "missing"}, must be ${told}`);
  }

  #values(key: string): unknown[] {
    return [...(this.#seen.get(key) ?? [undefined])].map((text) => valueOf(key, text));
  }
}
