/**
 * A float of Python whose value JavaScript cannot tell from an int: 1.0, and -0.0, which a Map would take for 0 as a key. All other floats are
 * numbers that are no safe integers.
 */
export class WholeFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A float as it stands in a description: a plain number where that is enough. */
export function exactFloat(value: number): number | WholeFloat {
  return Number.isSafeInteger(value) ? new WholeFloat(value) : value;
}
