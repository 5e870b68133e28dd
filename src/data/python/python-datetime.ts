import { PythonTimezone } from "./python-timezone.ts";
import { datePartsOf, timePartsOf } from "./wall-clock-text.ts";
import { zoneOffset } from "./zone-offset.ts";

/**
 * A `datetime.datetime` of Python that is no JavaScript `Date`: one without a time zone, in another zone than UTC, or with microseconds. (One in
 * UTC to the millisecond is a `Date`.)
 */
export class PythonDatetime {
  /** What the clock on the wall shows, to the microsecond: `"2024-02-29T12:30:15.123456"`. */
  readonly text: string;
  /** A `PythonTimezone`, or a `PythonObject` of another class; null for a datetime without a zone. */
  readonly zone: object | null;
  /** 1 for the second of two equal times when clocks are set back. */
  readonly fold: 0 | 1;

  /** @throws TypeError for a text that is no datetime. */
  constructor(text: string, zone: object | null = null, fold: 0 | 1 = 0) {
    const [date = "", time = ""] = text.split("T");
    if (datePartsOf(date) === undefined || timePartsOf(time) === undefined)
      throw new TypeError(`PythonDatetime: ${JSON.stringify(text)} is no datetime to the microsecond.`);
    this.text = text;
    this.zone = zone;
    this.fold = fold;
  }

  /**
   * The moment, to the millisecond.
   *
   * @param zone The name of the zone to take where there is none: that of the server on which the Python bot ran.
   * @throws TypeError where neither is known.
   */
  toDate(zone?: string): Date {
    const wall = Date.parse(`${this.text.slice(0, 23)}Z`);
    if (this.zone instanceof PythonTimezone) {
      const { offset, name } = this.zone;
      if (offset !== null) return new Date(wall - offset * 1000);
      if (name !== null) return new Date(wall - zoneOffset(name, wall, this.fold));
    }
    if (this.zone === null && zone !== undefined) return new Date(wall - zoneOffset(zone, wall, this.fold));
    throw new TypeError(`PythonDatetime: the zone of ${this.text} is not known. Give one: toDate("Europe/Berlin").`);
  }

  toString(): string {
    return this.text;
  }
}
