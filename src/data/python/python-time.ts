import { timePartsOf } from "./wall-clock-text.ts";

/** A `datetime.time` of Python: a time of day, with or without a time zone. */
export class PythonTime {
  /** `"23:59:59.999999"`, to the microsecond. */
  readonly text: string;
  /** A `PythonTimezone`, or a `PythonObject` of another class; null without a zone. */
  readonly zone: object | null;
  /** 1 for the second of two equal times when clocks are set back. */
  readonly fold: 0 | 1;

  /** @throws TypeError for a text that is no time. */
  constructor(text: string, zone: object | null = null, fold: 0 | 1 = 0) {
    if (timePartsOf(text) === undefined) throw new TypeError(`PythonTime: ${JSON.stringify(text)} is no time.`);
    this.text = text;
    this.zone = zone;
    this.fold = fold;
  }

  toString(): string {
    return this.text;
  }
}
