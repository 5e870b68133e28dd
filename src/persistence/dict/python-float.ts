/** A Python float that is an integer, such as `1.0`, which a JavaScript number does not tell apart from the int `1`. */
export class PythonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A number as Python's `repr` writes a float, with the names that Python's json gives to what JSON has no form for. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${mantissa}e${exponent.replace(/\d+/, (digits) => digits.padStart(2, "0"))}`;
  const digits = mantissa.replace(/[.-]/g, "");
  return `${value < 0 ? "-" : ""}${positional(digits, power)}`;
}

/** Digits with the point after the first one moved by `power` places. */
function positional(digits: string, power: number): string {
  if (power < 0) return `0.${"0".repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, "0");
  return `${whole}.${digits.slice(power + 1) || "0"}`;
}

/** A number as Python writes what it stands for: an int if it is a safe integer and not -0, otherwise a float. */
export function numberText(value: number): string {
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : floatText(value);
}
