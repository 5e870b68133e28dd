import { PythonDate } from "../../../data/python/python-date.ts";
import { PythonDecimal } from "../../../data/python/python-decimal.ts";
import { PythonDeque } from "../../../data/python/python-deque.ts";
import { PythonDict } from "../../../data/python/python-dict.ts";
import { PythonEnum } from "../../../data/python/python-enum.ts";
import { PythonGlobal } from "../../../data/python/python-global.ts";
import { PythonObject } from "../../../data/python/python-object.ts";
import { PythonTime } from "../../../data/python/python-time.ts";
import { PythonTimedelta } from "../../../data/python/python-timedelta.ts";
import { PythonTimezone } from "../../../data/python/python-timezone.ts";
import { PythonTuple } from "../../../data/python/python-tuple.ts";
import { PythonUuid } from "../../../data/python/python-uuid.ts";
import { clockTextOf, dateTextOf, datetimeOf } from "./packed-clock.ts";

/** Gives a part of an object as the value that it becomes. */
export type Convert = (part: unknown) => unknown;

/** A value, and how it gets its content where that may refer to it. */
export interface KnownValue {
  readonly made: object;
  readonly fill?: (() => void) | undefined;
}

/**
 * What the description of an object of a known class becomes; undefined for any other, also for a known class of which something is there that
 * is not expected: that stays a description.
 */
export function knownValue(object: PythonObject, convert: Convert): KnownValue | undefined {
  try {
    const container = CONTAINERS.get(makerOf(object));
    if (container !== undefined) return container(object, convert);
    const read = KNOWN.get(makerOf(object)) ?? enumMember;
    const made = read(object, convert);
    return made && { made };
  } catch (error) {
    // A constructor refuses what Python would refuse as well.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The name of what is called, or that an instance is made: `collections.deque()`, `new uuid.UUID`. */
function makerOf({ from, called }: PythonObject): string {
  return called ? `${nameOf(from)}()` : `new ${nameOf(from)}`;
}

function nameOf(from: unknown): string {
  return from instanceof PythonGlobal ? from.toString() : "";
}

function isGetattr({ from, called }: PythonObject): boolean {
  return called && from instanceof PythonGlobal && from.toString() === "builtins.getattr";
}

type Reading = (object: PythonObject, convert: Convert) => object | undefined;
type ContainerReading = (object: PythonObject, convert: Convert) => KnownValue | undefined;

const KNOWN: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ["datetime.datetime()", withArgs(1, 2, ([packed, zone], convert) => datetimeOf(packed, zoneOf(zone, convert)))],
  ["datetime.date()", withArgs(1, 1, ([packed]) => new PythonDate(dateTextOf(packed)))],
  [
    "datetime.time()",
    withArgs(1, 2, ([packed, zone], convert) => {
      const { text, fold } = clockTextOf(packed);
      return new PythonTime(text, zoneOf(zone, convert), fold);
    }),
  ],
  ["datetime.timedelta()", withArgs(3, 3, (args) => new PythonTimedelta(...(args as [number, number, number])))],
  ["datetime.timezone()", withArgs(1, 2, fixedOffset)],
  ["zoneinfo.ZoneInfo._unpickle()", withArgs(2, 2, ([name, cached]) => zoneInfo(name, cached))],
  ["pytz._UTC()", withArgs(0, 0, () => new PythonTimezone("pytz", { name: "UTC", offset: 0 }))],
  ["pytz._p()", withArgs(1, 4, pytzZone)],
  ["pytz._FixedOffset()", withArgs(1, 1, pytzOffset)],
  ["pytz.FixedOffset()", withArgs(1, 1, pytzOffset)],
  ["decimal.Decimal()", withArgs(1, 1, ([text]) => (typeof text === "string" ? new PythonDecimal(text) : undefined))],
  ["new uuid.UUID", uuid],
]);

const CONTAINERS: ReadonlyMap<string, ContainerReading> = new Map([
  ["collections.deque()", deque],
  ["collections.OrderedDict()", orderedDict],
  ["collections.defaultdict()", defaultdict],
  ["collections.Counter()", counter],
]);

/** For what consists of its arguments only. */
function withArgs(
  least: number,
  most: number,
  read: (args: readonly unknown[], convert: Convert) => object | undefined,
): Reading {
  return (object, convert) => {
    const { args } = object;
    if (args.length < least || args.length > most || !isOnlyArgs(object)) return undefined;
    return read(args, convert);
  };
}

function isOnlyArgs({ kwargs, state, items, entries }: PythonObject): boolean {
  return kwargs === undefined && state === undefined && items.length === 0 && entries.size === 0;
}

function zoneOf(zone: unknown, convert: Convert): object | null {
  if (zone === undefined) return null;
  const converted = convert(zone);
  if (converted instanceof PythonTimezone || converted instanceof PythonObject) return converted;
  throw new TypeError("it is no time zone");
}

function fixedOffset([delta, name]: readonly unknown[], convert: Convert): PythonTimezone | undefined {
  const offset = convert(delta);
  if (!(offset instanceof PythonTimedelta) || offset.microseconds !== 0) return undefined;
  if (name !== undefined && typeof name !== "string") return undefined;
  return new PythonTimezone("datetime", { name, offset: offset.days * 86_400 + offset.seconds });
}

function zoneInfo(name: unknown, cached: unknown): PythonTimezone | undefined {
  return typeof name === "string" && cached === 1 ? new PythonTimezone("zoneinfo", { name }) : undefined;
}

function pytzZone([name, offset, dst, abbreviation, ...rest]: readonly unknown[]): PythonTimezone | undefined {
  if (typeof name !== "string" || rest.length > 0) return undefined;
  if (offset === undefined) return new PythonTimezone("pytz", { name });
  if (!Number.isInteger(offset) || !Number.isInteger(dst) || typeof abbreviation !== "string") return undefined;
  return new PythonTimezone("pytz", { name, offset: offset as number, dst: dst as number, abbreviation });
}

function pytzOffset([minutes]: readonly unknown[]): PythonTimezone | undefined {
  return Number.isInteger(minutes) ? new PythonTimezone("pytz", { offset: Number(minutes) * 60 }) : undefined;
}

function uuid({ args, kwargs, state, items, entries }: PythonObject): PythonUuid | undefined {
  const value: unknown = state instanceof Map && state.size === 1 ? state.get("int") : undefined;
  if ((typeof value !== "bigint" && typeof value !== "number") || kwargs !== undefined) return undefined;
  if (args.length > 0 || items.length > 0 || entries.size > 0) return undefined;
  const hex = BigInt(value).toString(16).padStart(32, "0");
  return new PythonUuid(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"));
}

function deque({ args, state, items, entries }: PythonObject, convert: Convert): KnownValue | undefined {
  const [first, maxlen = null] = args;
  const isEmpty = first === undefined || (first instanceof PythonTuple && first.items.length === 0);
  if (!isEmpty || state !== undefined || entries.size > 0 || args.length > 2) return undefined;
  if (maxlen !== null && typeof maxlen !== "number") return undefined;
  const made = new PythonDeque([], maxlen);
  return { made, fill: () => items.forEach((item) => made.items.push(convert(item))) };
}

function orderedDict(object: PythonObject, convert: Convert): KnownValue | undefined {
  if (!isDictOf(object, 0)) return undefined;
  const { entries } = object;
  // Any other Map is written as a plain dict.
  const isMap = [...entries.keys()].every((key) => typeof key === "string");
  if (!isMap) return dictValue(new PythonDict("OrderedDict", []), entries, convert);
  const made = new Map<unknown, unknown>();
  return { made, fill: () => convertAll(entries, made, convert) };
}

function defaultdict(object: PythonObject, convert: Convert): KnownValue | undefined {
  const [factory] = object.args;
  if (!isDictOf(object, 1) || !(factory === undefined || factory instanceof PythonGlobal)) return undefined;
  return dictValue(new PythonDict("defaultdict", [], factory), object.entries, convert);
}

function counter(object: PythonObject, convert: Convert): KnownValue | undefined {
  const [counts = new Map()] = object.args;
  if (!isDictOf(object, 1) || object.entries.size > 0 || !(counts instanceof Map)) return undefined;
  return dictValue(new PythonDict("Counter", []), counts, convert);
}

function dictValue(made: PythonDict, entries: ReadonlyMap<unknown, unknown>, convert: Convert): KnownValue {
  return { made, fill: () => convertAll(entries, made.entries, convert) };
}

function convertAll(from: ReadonlyMap<unknown, unknown>, to: Map<unknown, unknown>, convert: Convert): void {
  for (const [key, value] of from) to.set(convert(key), convert(value));
}

function isDictOf({ args, kwargs, state, items }: PythonObject, mostArgs: number): boolean {
  return args.length <= mostArgs && kwargs === undefined && state === undefined && items.length === 0;
}

/** Modules whose classes are no enums although they are called with one value. */
const NO_ENUMS = new Set([
  "builtins",
  "collections",
  "copyreg",
  "datetime",
  "decimal",
  "fractions",
  "ipaddress",
  "numpy",
]);
for (const module of ["_operator", "array", "dateutil", "functools", "operator", "pandas", "pathlib", "re"])
  NO_ENUMS.add(module);

/** `getattr(Color, "RED")`, as Python 3.11 writes a member of an Enum, or `Color(value)`, as all others do (PTB statement 57). */
function enumMember(object: PythonObject, convert: Convert): PythonEnum | undefined {
  const { from, called, args } = object;
  if (!called || !(from instanceof PythonGlobal) || !isOnlyArgs(object)) return undefined;
  const [first, second] = args;
  if (isGetattr(object)) {
    const isMember = first instanceof PythonGlobal && typeof second === "string" && args.length === 2;
    return isMember ? new PythonEnum(first, { member: second }) : undefined;
  }
  if (args.length !== 1 || NO_ENUMS.has(from.module.split(".", 1)[0] ?? "") || !isEnumValue(first)) return undefined;
  return new PythonEnum(from, { value: convert(first) });
}

function isEnumValue(value: unknown): boolean {
  return ["string", "number", "bigint", "boolean"].includes(typeof value) || value instanceof PythonTuple;
}
