import { parseArgs } from "node:util";

/** The parts, in the order in which they run. */
const partNames = [
  "codec",
  "written",
  "conversation",
  "start",
  "growth",
  "bot-data",
  "buttons",
  "pickle",
  "updates",
] as const;

export type PartName = (typeof partNames)[number];

/** What was asked for on the command line. */
export interface Arguments {
  readonly parts: readonly PartName[];
  readonly isQuick: boolean;
  readonly writesDocs: boolean;
  /** Where the results go, as JSON. */
  readonly out: string;
  readonly seed: number;
  readonly repetitions: number;
}

/** How it is called. */
export const USAGE: string = `npm run bench -- [part ...] [option ...]
parts: ${partNames.join(", ")}; all of them by default
  --quick            fewer chats and repetitions, shorter warm-ups, within two minutes
  --out FILE         the results as JSON, and the picture beside it; default bench/results/latest.json
  --write-docs       also into docs/performance.md and docs/performance.svg
  --seed NUMBER      of the random choices; by default another one each time
  --repetitions N    of each measurement; default 5, with --quick 2`;

/** Throws a `TypeError` that says what is wrong. */
export function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      "write-docs": { type: "boolean", default: false },
      out: { type: "string", default: new URL("results/latest.json", import.meta.url).pathname },
      seed: { type: "string", default: String(1 + Math.floor(Math.random() * 1e6)) },
      repetitions: { type: "string" },
    },
  });
  const isQuick = values.quick;
  return {
    parts: positionals.length === 0 ? partNames : positionals.map(partName),
    isQuick,
    writesDocs: values["write-docs"],
    out: values.out,
    seed: positive(values.seed, "seed"),
    repetitions: positive(values.repetitions ?? (isQuick ? "2" : "5"), "repetitions"),
  };
}

function partName(text: string): PartName {
  const found = partNames.find((name) => name === text);
  if (found === undefined) throw new TypeError(`There is no part "${text}".`);
  return found;
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new TypeError(`--${name} is "${text}": a whole number from 1 on.`);
  return value;
}
