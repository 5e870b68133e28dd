const decimal = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|s?nan\d*)$/i;

/** A `decimal.Decimal` of Python. */
export class PythonDecimal {
  /** As Python writes it, every digit kept: `"1.10"`, `"1E+5"`, `"NaN"`, `"-Infinity"`. */
  readonly text: string;

  /** @throws TypeError for a text that is no decimal number. */
  constructor(text: string) {
    if (!decimal.test(text)) throw new TypeError(`PythonDecimal: ${JSON.stringify(text)} is no decimal number.`);
    this.text = text;
  }

  /** The nearest number. */
  toNumber(): number {
    const text = this.text.toLowerCase();
    if (text.includes("inf")) return text.startsWith("-") ? -Infinity : Infinity;
    return Number(text);
  }

  toString(): string {
    return this.text;
  }
}
