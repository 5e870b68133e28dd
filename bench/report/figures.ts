import type { Spread } from "../statistics.ts";

/** A figure with as many digits as it deserves: `0.85`, `4.2`, `63`, `12 400`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) < 1 ? 2 : Math.abs(value) < 20 ? 1 : 0;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** The median, with the quartiles: `63 (60–71)`. */
export function withQuartiles({ median, lower, upper }: Spread): string {
  return `${figure(median)} (${figure(lower)}–${figure(upper)})`;
}

/** A ratio: `1.25 ×`. */
export function ratio(value: number): string {
  return `${value.toFixed(value < 100 ? 2 : 0)} ×`;
}

/** How many: `100 000`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}
