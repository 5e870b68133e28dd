import { readablePath, type Place } from "../data/codec/place.ts";

/** What became of the values of a file in another language's form. */
export interface MappingReport {
  /** How many values of which kind became what: `"datetime -> PythonDatetime": 12`. */
  readonly became: Readonly<Record<string, number>>;
  /** Values of which something is lost when they are written back from somewhere else, at most a thousand of them. */
  readonly inexact: readonly InexactValue[];
  /** How many these are. */
  readonly inexactCount: number;
}

/** A value that is not exactly what it was. */
export interface InexactValue {
  /** `userData.42.cart[3]`. */
  readonly path: string;
  /** What is lost. */
  readonly what: string;
}

/** So many are listed one by one. */
const MOST_LISTED = 1000;

/** Takes down what becomes of values. */
export class MappingNotes {
  readonly #became = new Map<string, number>();
  readonly #inexact: InexactValue[] = [];
  #inexactCount = 0;

  became(from: string, to: string): void {
    const change = `${from} -> ${to}`;
    this.#became.set(change, (this.#became.get(change) ?? 0) + 1);
  }

  inexact(place: Place, what: string): void {
    this.#inexactCount += 1;
    if (this.#inexact.length < MOST_LISTED) this.#inexact.push({ path: readablePath(place), what });
  }

  get report(): MappingReport {
    return {
      became: Object.fromEntries([...this.#became].sort(([first], [second]) => (first < second ? -1 : 1))),
      inexact: [...this.#inexact],
      inexactCount: this.#inexactCount,
    };
  }
}
