/** A `datetime.timedelta` of Python: a duration to the microsecond, in Python's normal form. */
export class PythonTimedelta {
  /** From -999999999 to 999999999; below 0 for a negative duration. */
  readonly days: number;
  /** From 0 to 86399. */
  readonly seconds: number;
  /** From 0 to 999999. */
  readonly microseconds: number;

  /** @throws TypeError for parts outside of their ranges. */
  constructor(days: number, seconds = 0, microseconds = 0) {
    if (
      !isWithin(days, -999_999_999, 999_999_999) ||
      !isWithin(seconds, 0, 86_399) ||
      !isWithin(microseconds, 0, 999_999)
    )
      throw new TypeError(`PythonTimedelta: ${days}, ${seconds}, ${microseconds} is no timedelta in normal form.`);
    this.days = days;
    this.seconds = seconds;
    this.microseconds = microseconds;
  }

  /** The duration in milliseconds, with a fraction. */
  toMilliseconds(): number {
    return (this.days * 86_400 + this.seconds) * 1000 + this.microseconds / 1000;
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
