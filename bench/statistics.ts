/** How values lie: half of them between the quartiles. */
export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  readonly least: number;
  readonly most: number;
}

/** Throws a `RangeError` for no values: where nothing was measured there is no figure. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("There is nothing to take the median of.");
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => quantile(sorted, part);
  return { median: at(0.5), lower: at(0.25), upper: at(0.75), least: at(0), most: at(1) };
}

/** The ratios of what was measured in the same repetition, so that a disturbance that meets both counts for neither. */
export function pairedRatios(values: readonly number[], bases: readonly number[]): number[] {
  if (values.length !== bases.length) throw new RangeError("Only what was measured equally often can be paired.");
  return values.map((value, index) => value / (bases[index] as number));
}

function quantile(sorted: readonly number[], part: number): number {
  const position = part * (sorted.length - 1);
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (above - below) * (position - Math.floor(position));
}
