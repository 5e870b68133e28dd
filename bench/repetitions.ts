/** Something to be measured, under the name that its results are kept under. */
export interface Measurement<T> {
  readonly name: string;
  readonly measure: () => Promise<T>;
}

/** Measures each so often. They take turns, every second time backwards, so that a busy machine disturbs all of them. */
export async function interleaved<T>(
  measurements: readonly Measurement<T>[],
  repetitions: number,
): Promise<Record<string, T[]>> {
  const results: Record<string, T[]> = Object.fromEntries(measurements.map(({ name }) => [name, []]));
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const round = repetition % 2 === 0 ? measurements : measurements.toReversed();
    for (const { name, measure } of round) results[name]?.push(await measure());
  }
  return results;
}
