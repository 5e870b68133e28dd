import type { ContenderName } from "./contenders/all.ts";
import type { Plan, Scenario } from "./plan.ts";
import { sizes } from "./parts/growth.ts";
import { manyChats, scenarioName } from "./parts/updates.ts";
import type { RunFigures, Written } from "./processes/job.ts";
import { count, figure, ratio } from "./report/figures.ts";
import type { BarResult, Figures } from "./results.ts";
import { pairedRatios, spreadOf, type Spread } from "./statistics.ts";

type Verdict = Omit<BarResult, "what" | "bar">;

const NOT_MEASURED: Verdict = { measured: "–", verdict: "not measured" };

/** Every bar that the design sets, with what this run says of it: the median of the repetitions' own ratios. */
export function barResults(figures: Figures, plan: Pick<Plan, "isQuick">): BarResult[] {
  const many = manyChats(plan);
  const at = (inFlight: number, touch: Scenario["touch"]): Record<string, RunFigures[]> =>
    figures.updates?.[scenarioName({ inFlight, chats: many, distribution: "uniform", touch })] ?? {};
  const [busy, alone] = [at(64, "both"), at(1, "both")];
  const durable = `durable update, 64 in flight, ${count(many)} chats`;
  return [
    bar(durable, "at most 2 × SQLite alone", atMost(2, timesAs(busy, "perdure-disk", "raw"))),
    bar(
      durable,
      "1.5 × as fast as Redis everysec",
      atLeast(1.5, timesAs(busy, "session-redis-everysec", "perdure-disk")),
    ),
    bar(durable, "15 × as fast as file storage", atLeast(15, timesAs(busy, "session-file", "perdure-disk"))),
    bar(durable, "15 × as fast as PostgreSQL", atLeast(15, timesAs(busy, "session-postgres", "perdure-disk"))),
    bar(
      "durable update, one at a time",
      "at most 1.3 × two raw commits",
      atMost(1.3, timesAs(alone, "perdure-disk", "raw")),
    ),
    bar(
      "update that changes nothing",
      "at most 2 × the floor beyond accepting",
      atMost(2, beyondAccepting(at(64, "none"))),
    ),
    bar(`${growthText(plan)}, disk`, "within 1.3 ×", atMost(1.3, grown(figures, plan, "perdure-disk"))),
    bar(`${growthText(plan)}, os`, "within 1.3 ×", atMost(1.3, grown(figures, plan, "perdure-os"))),
    ...startBars(figures, plan),
    bar("conversation, step 5 and step 500", "same bytes and rows", sameSteps(figures)),
    bar("codec, plain data", "at most 3 × JSON", atMost(3, slowestCodec(figures))),
  ];
}

function bar(what: string, text: string, verdict: Verdict): BarResult {
  return { what, bar: text, ...verdict };
}

function atMost(limit: number, measured: Spread | undefined): Verdict {
  if (measured === undefined) return NOT_MEASURED;
  return { measured: shown(measured), verdict: measured.median <= limit ? "met" : "missed" };
}

function atLeast(limit: number, measured: Spread | undefined): Verdict {
  if (measured === undefined) return NOT_MEASURED;
  return { measured: shown(measured), verdict: measured.median >= limit ? "met" : "missed" };
}

function shown({ median, lower, upper }: Spread): string {
  return `${ratio(median)} (${lower.toFixed(2)}–${upper.toFixed(2)})`;
}

/** How many times the time of `base` the time of `name` is. */
function timesAs(measured: Record<string, RunFigures[]>, name: string, base: string): Spread | undefined {
  const [values, bases] = [times(measured[name]), times(measured[base])];
  return values.length === 0 || bases.length === 0 ? undefined : spreadOf(pairedRatios(values, bases));
}

function times(runs: readonly RunFigures[] | undefined): number[] {
  return (runs ?? []).map(({ time }) => time);
}

/** What an untouched update takes beyond what SQLite alone needs to accept it and mark it done, in times of the floor. */
function beyondAccepting(measured: Record<string, RunFigures[]>): Spread | undefined {
  const [own, raw, floor] = [times(measured["perdure-disk"]), times(measured["raw"]), times(measured["floor"])];
  if (own.length === 0) return undefined;
  return spreadOf(own.map((time, index) => (time - (raw[index] ?? Number.NaN)) / (floor[index] ?? Number.NaN)));
}

function grown({ growth }: Figures, plan: Pick<Plan, "isQuick">, contender: ContenderName): Spread | undefined {
  const bySize = growth?.["1"]?.[contender];
  if (bySize === undefined) return undefined;
  const [fewest, most] = [sizes(plan)[0], sizes(plan).at(-1)];
  return spreadOf(pairedRatios(times(bySize[String(most)]), times(bySize[String(fewest)])));
}

function growthText(plan: Pick<Plan, "isQuick">): string {
  return `one changed chat, ${count(sizes(plan)[0] ?? 0)} and ${count(sizes(plan).at(-1) ?? 0)} chats kept`;
}

function startBars({ start }: Figures, plan: Pick<Plan, "isQuick">): BarResult[] {
  const most = sizes(plan).at(-1) ?? 0;
  const what = `start with ${count(most)} chats kept`;
  const [runs = [], empty = []] = [start?.["perdure-disk"]?.[String(most)], start?.["perdure-disk"]?.["0"]];
  if (runs.length === 0) return [bar(what, "under 100 ms, under 64 MB more than empty", NOT_MEASURED)];
  const open = spreadOf(runs.map((run) => run.open)).median;
  const more = spreadOf(runs.map(({ memory }) => memory)).median - spreadOf(empty.map(({ memory }) => memory)).median;
  return [
    bar(what, "under 100 ms", { measured: `${figure(open)} ms`, verdict: open < 100 ? "met" : "missed" }),
    bar(what, "under 64 MB more than empty", { measured: `${figure(more)} MB`, verdict: more < 64 ? "met" : "missed" }),
  ];
}

function sameSteps({ conversation = [] }: Figures): Verdict {
  const [first, last] = [conversation[0]?.written, conversation.at(-1)?.written];
  if (first === undefined || last === undefined) return NOT_MEASURED;
  const isSame = first.rows === last.rows && first.bytes === last.bytes;
  const shown = ({ rows, bytes }: Written): string => `${rows} rows, ${figure(bytes)} bytes`;
  return { measured: `${shown(first)}; ${shown(last)}`, verdict: isSame ? "met" : "missed" };
}

function slowestCodec({ codec }: Figures): Spread | undefined {
  const spreads = (codec ?? [])
    .filter(({ isPlain }) => isPlain)
    .map((one) => spreadOf(pairedRatios(one.codec, one.json)))
    .sort((a, b) => b.median - a.median);
  return spreads[0];
}
