/**
 * The codec against `JSON` on the same data: `npx node bench/codec.ts`. Exits with 1 if plain data is over the bar.
 *
 * What is compared takes turns within each repetition, so that a busy machine disturbs both. Values are fresh copies, as
 * they are in a bot, which decodes what it is going to encode.
 */
import { jsonCodec } from "../src/data/codec.ts";

/** The most that encoding and decoding plain data may cost, as a multiple of `JSON`. */
const bar = 3;
const repetitions = 41;

interface Subject {
  readonly name: string;
  readonly value: unknown;
  /** Whether the bar holds for it. Anything else is shown for information. */
  readonly isPlain: boolean;
  /** Encodings and decodings in one repetition. */
  readonly count: number;
}

interface Measured {
  readonly json: readonly number[];
  readonly codec: readonly number[];
}

const codec = jsonCodec();

function chat(index: number): object {
  return {
    messages: 40 + index,
    name: "Ada Lovelace",
    language: "en-GB",
    settings: { notify: true, mute: null, tags: ["a", "b"] },
    last: { id: 123_456 + index, text: "hello there, how are you today?", at: 1_700_000_000_000 },
    cart: [{ sku: "x1", quantity: 24 }],
  };
}

function rich(): object {
  return {
    joined: new Date(1_700_000_000_000),
    scores: new Map(
      Array.from({ length: 20 }, (_, index) => [`player ${index}`, { points: index, at: new Date(index) }]),
    ),
    seen: new Set(Array.from({ length: 20 }, (_, index) => index)),
    chats: Array.from({ length: 4 }, (_, index) => chat(index)),
    nickname: undefined,
  };
}

const subjects: readonly Subject[] = [
  { name: "chat", value: chat(0), isPlain: true, count: 2000 },
  { name: "2 KB", value: Array.from({ length: 9 }, (_, index) => chat(index)), isPlain: true, count: 250 },
  {
    name: "1 MB",
    value: Object.fromEntries(Array.from({ length: 4600 }, (_, index) => [`chat ${index}`, chat(index)])),
    isPlain: true,
    count: 1,
  },
  { name: "rich", value: rich(), isPlain: false, count: 250 },
];

function nanoseconds<T>(items: readonly T[], run: (item: T) => unknown): number {
  const start = process.hrtime.bigint();
  for (const item of items) run(item);
  return Number(process.hrtime.bigint() - start) / items.length;
}

function measure<T>(fresh: () => readonly T[], json: (item: T) => unknown, own: (item: T) => unknown): Measured {
  const measured = { json: [] as number[], codec: [] as number[] };
  const contenders = [
    [measured.json, json],
    [measured.codec, own],
  ] as const;
  const warmUp = 10;
  for (let repetition = -warmUp; repetition < repetitions; repetition += 1) {
    for (const [times, run] of repetition % 2 === 0 ? contenders : contenders.toReversed()) {
      const time = nanoseconds(fresh(), run);
      if (repetition >= 0) times.push(time);
    }
  }
  return measured;
}

function measureEncode({ value, count }: Subject): Measured {
  const text = codec.encode(value);
  const fresh = (): unknown[] => Array.from({ length: count }, () => codec.decode(text));
  return measure(
    fresh,
    (item) => JSON.stringify(item),
    (item) => codec.encode(item),
  );
}

function measureDecode({ value, count }: Subject): Measured {
  const text = codec.encode(value);
  const fresh = (): string[] => Array.from({ length: count }, () => text);
  return measure(
    fresh,
    (item) => JSON.parse(item) as unknown,
    (item) => codec.decode(item),
  );
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

function shown(times: readonly number[]): string {
  const format = (time: number): string => (time / 1000).toFixed(time < 100_000 ? 2 : 0);
  return `${format(median(times))} (${format(Math.min(...times))}-${format(Math.max(...times))})`;
}

function report(subject: Subject, what: "encode" | "decode", { json, codec: own }: Measured): boolean {
  const ratio = median(own) / median(json);
  const isOver = subject.isPlain && ratio > bar;
  const size = `${codec.encode(subject.value).length} B`;
  const cells = [subject.name.padEnd(5), size.padStart(10), what, shown(json).padStart(26), shown(own).padStart(26)];
  const verdict = subject.isPlain ? (isOver ? "OVER THE BAR" : "") : "for information";
  console.log(`${cells.join("  ")}  ${ratio.toFixed(2)} x  ${verdict}`.trimEnd());
  return isOver;
}

console.log(
  `Node ${process.versions.node}; µs, median (min-max) of ${repetitions}; the bar for plain data is ${bar} x JSON`,
);
console.log(`${"".padEnd(25)}${"JSON".padStart(28)}${"codec".padStart(28)}`);
const results = subjects.flatMap((subject) => [
  report(subject, "encode", measureEncode(subject)),
  report(subject, "decode", measureDecode(subject)),
]);
if (results.includes(true)) {
  console.error(`The codec is over the bar of ${bar} x JSON for plain data.`);
  process.exitCode = 1;
}
