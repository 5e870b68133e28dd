import { jsonCodec } from "../../src/data/codec.ts";
import type { Plan } from "../plan.ts";
import { withQuartiles } from "../report/figures.ts";
import { pairedRatios, spreadOf } from "../statistics.ts";

/** What was measured of one value, one way. Nanoseconds, each repetition. */
export interface CodecFigures {
  readonly name: string;
  readonly what: "encode" | "decode";
  /** Of the text, in bytes. */
  readonly size: number;
  /** Whether the bar holds for it: it is plain JSON. */
  readonly isPlain: boolean;
  readonly json: readonly number[];
  readonly codec: readonly number[];
}

/** More than elsewhere: one takes milliseconds. */
const REPETITIONS = { quick: 15, full: 41 };

interface Subject {
  readonly name: string;
  readonly value: unknown;
  readonly isPlain: boolean;
  /** Encodings and decodings in one repetition. */
  readonly count: number;
}

type Measured = Pick<CodecFigures, "json" | "codec">;

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

/**
 * The codec against `JSON` on the same data, in this process. What is compared takes turns within each repetition. Values
 * are fresh copies, as they are in a bot, which decodes what it is going to encode.
 */
export async function codecPart(plan: Plan): Promise<CodecFigures[]> {
  const repetitions = plan.isQuick ? REPETITIONS.quick : REPETITIONS.full;
  const figures = subjects.flatMap((subject) => [
    figuresOf(subject, "encode", measureEncode(subject, repetitions)),
    figuresOf(subject, "decode", measureDecode(subject, repetitions)),
  ]);
  const rows = figures.map(({ name, what, size, isPlain, json, codec: own }) => [
    `${name}, ${what}${isPlain ? "" : " (tagged values: for information)"}`,
    String(size),
    withQuartiles(spreadOf(json.map(toMicroseconds))),
    withQuartiles(spreadOf(own.map(toMicroseconds))),
    `${spreadOf(pairedRatios(own, json)).median.toFixed(2)} ×`,
  ]);
  const title = "The codec beside JSON";
  plan.show({ title, note: "µs.", head: ["", "bytes", "JSON", "codec", "× JSON"], rows });
  return figures;
}

function figuresOf({ name, value, isPlain }: Subject, what: CodecFigures["what"], measured: Measured): CodecFigures {
  return { name, what, size: codec.encode(value).length, isPlain, ...measured };
}

function toMicroseconds(nanoseconds: number): number {
  return nanoseconds / 1000;
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

function measure<T>(
  repetitions: number,
  fresh: () => readonly T[],
  json: (item: T) => unknown,
  own: (item: T) => unknown,
): Measured {
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

function measureEncode({ value, count }: Subject, repetitions: number): Measured {
  const text = codec.encode(value);
  const fresh = (): unknown[] => Array.from({ length: count }, () => codec.decode(text));
  return measure(
    repetitions,
    fresh,
    (item) => JSON.stringify(item),
    (item) => codec.encode(item),
  );
}

function measureDecode({ value, count }: Subject, repetitions: number): Measured {
  const text = codec.encode(value);
  const fresh = (): string[] => Array.from({ length: count }, () => text);
  return measure(
    repetitions,
    fresh,
    (item) => JSON.parse(item) as unknown,
    (item) => codec.decode(item),
  );
}
