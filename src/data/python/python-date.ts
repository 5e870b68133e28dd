import { datePartsOf } from "./wall-clock-text.ts";

/** A `datetime.date` of Python: a day of the calendar. */
export class PythonDate {
  /** `"2024-02-29"`. */
  readonly text: string;

  /** @throws TypeError for a text that is no date. */
  constructor(text: string) {
    if (datePartsOf(text) === undefined) throw new TypeError(`PythonDate: ${JSON.stringify(text)} is no date.`);
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}
