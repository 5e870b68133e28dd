import { keyName, keyText, type RecordChange } from "../data/record.ts";
import type { Logger } from "./logger.ts";
import { isScope } from "./values.ts";

/** A scope's data is read and written as a whole with every update that changes it, in characters of its text. */
const LARGE = 256 * 1024;

/** Tells once of each record of a scope that has grown large. */
export class LargeRecords {
  readonly #logger: Logger;
  readonly #reported = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  report(changes: readonly RecordChange[]): void {
    for (const { key, record } of changes) {
      if (!isScope(key) || record === undefined || record.text.length <= LARGE || this.#reported.has(keyText(key)))
        continue;
      this.#reported.add(keyText(key));
      this.#logger.warn(
        `${keyName(key)} has grown to ${Math.round(record.text.length / 1024)} KB, and is written as a whole with each change. ` +
          "Keep what grows in app.collection(name), one entry each.",
      );
    }
  }
}
