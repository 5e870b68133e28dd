/** Unicode's white space without the separators 0x1c to 0x1f: what Python's `int()` strips. */
const space = "[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*";

const integer = new RegExp(`^${space}([+-]?)([0-9]+(?:_[0-9]+)*)${space}$`);

const decimalDigit = /\p{Nd}/u;

/** Python refuses to read an integer of more digits from a string. */
const mostDigits = 4300;

/**
 * The integer that Python's `int(text)` reads, `undefined` where it raises ValueError: with a sign, white space around it, leading
 * zeros, `_` between digits and the decimal digits of all scripts (PTB statement 75).
 */
export function pythonInt(text: string): bigint | undefined {
  const ascii = text.replace(/(?![0-9])\p{Nd}/gu, (digit) => String(digitValue(digit)));
  const [, sign, grouped = ""] = integer.exec(ascii) ?? [];
  const digits = grouped.replaceAll("_", "");
  if (digits === "" || digits.length > mostDigits) return undefined;
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
}

/** Unicode keeps the digits of a script together, from zero to nine, so that their runs are tens. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) as number;
  let zero = code;
  while (decimalDigit.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return (code - zero) % 10;
}
