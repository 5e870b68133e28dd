import { Entries, type EntriesHost } from "../collection/entries.ts";
import { isKeptText } from "../data/kept-text.ts";
import { isInternal } from "../jobs/internal.ts";

/** The collections of an application, by their names. */
export class Collections {
  readonly #host: EntriesHost;
  readonly #entries = new Map<string, Entries>();

  constructor(host: EntriesHost) {
    this.#host = host;
  }

  /** The entries with this name; asked for again, the same. Throws a `TypeError` for what cannot be a name. */
  get(name: string): Entries {
    if (!isKeptText(name) || name === "" || isInternal(name)) {
      throw new TypeError(
        `A collection's name is a text that does not begin with "perdure:", not ${JSON.stringify(name)}.`,
      );
    }
    const entries = this.#entries.get(name) ?? new Entries(name, this.#host);
    this.#entries.set(name, entries);
    return entries;
  }
}
