import ms, { type StringValue } from "ms";
import { PerdureError } from "../errors.ts";

/** A time span: a number of milliseconds, or text of the `ms` package: `"30m"`, `"1d"`, `"500ms"`. */
export type Duration = number | StringValue;

/** A duration in milliseconds. `option` names it in the error that a wrong one gives (`PERDURE_INVALID_OPTION`). */
export function milliseconds(duration: Duration, option: string): number {
  const value = typeof duration === "string" ? parse(duration) : duration;
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new PerdureError(
    "PERDURE_INVALID_OPTION",
    `${option} is ${JSON.stringify(duration)}, which is no time span. ` +
      `Give a number of milliseconds or text such as "10s", "30m" or "1d".`,
  );
}

function parse(text: StringValue): number | undefined {
  return text.length > 0 && text.length <= 100 ? ms(text) : undefined;
}
