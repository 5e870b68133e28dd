import type { FilledClass, RegisteredClass } from "../codec/classes.ts";
import { PythonDate } from "./python-date.ts";
import { PythonDatetime } from "./python-datetime.ts";
import { PythonDecimal } from "./python-decimal.ts";
import { PythonDeque } from "./python-deque.ts";
import { PythonDict, type PythonDictType } from "./python-dict.ts";
import { PythonEnum } from "./python-enum.ts";
import { PythonFrozenset } from "./python-frozenset.ts";
import { PythonGlobal } from "./python-global.ts";
import { PythonObject, type PythonObjectParts } from "./python-object.ts";
import { PythonTime } from "./python-time.ts";
import { PythonTimedelta } from "./python-timedelta.ts";
import { PythonTimezone, type PythonTimezoneType } from "./python-timezone.ts";
import { PythonTuple } from "./python-tuple.ts";
import { PythonUuid } from "./python-uuid.ts";

type Prototyped<T extends object> = { readonly prototype: T };
type ClassWithPrototype = readonly [prototype: object, how: RegisteredClass | FilledClass];

/** How values of Python are kept by every codec of ours, by the prototypes of their classes. */
export const PYTHON_CLASSES: readonly ClassWithPrototype[] = [
  filled(
    "python.tuple",
    PythonTuple,
    ({ items }) => [...items],
    (items) => new PythonTuple(list(items)),
  ),
  filled(
    "python.frozenset",
    PythonFrozenset,
    ({ items }) => [...items],
    (items) => new PythonFrozenset(list(items)),
  ),
  filled(
    "python.deque",
    PythonDeque,
    ({ items, maxlen }) => [maxlen, ...items],
    (content) => {
      const [maxlen, ...items] = list(content);
      return new PythonDeque(items, maxlen === null ? null : whole(maxlen));
    },
  ),
  filled(
    "python.dict",
    PythonDict,
    ({ type, factory, entries }) => [type, factory ?? null, ...entries],
    (content) => {
      const [type, factory, ...entries] = list(content);
      return new PythonDict(oneOf(DICTS, type), pairs(entries), (factory ?? undefined) as PythonGlobal | undefined);
    },
  ),
  filled("python.object", PythonObject, partsOf, (parts) => new PythonObject(objectParts(parts))),
  kept(
    "python.global",
    PythonGlobal,
    ({ module, name }) => [module, name],
    (content) => {
      const [module, name] = list(content);
      return new PythonGlobal(text(module), text(name));
    },
  ),
  kept(
    "python.enum",
    PythonEnum,
    ({ type, member, value }) => (member === undefined ? { type, value } : { type, member }),
    (content) => {
      const { type, member, value } = record(content);
      if (!(type instanceof PythonGlobal)) throw new TypeError("its type is no python.global");
      return new PythonEnum(type, member === undefined ? { value } : { member: text(member) });
    },
  ),
  kept("python.decimal", PythonDecimal, String, (content) => new PythonDecimal(text(content))),
  kept("python.uuid", PythonUuid, String, (content) => new PythonUuid(text(content))),
  kept(
    "python.timedelta",
    PythonTimedelta,
    ({ days, seconds, microseconds }) => [days, seconds, microseconds],
    (content) => {
      const [days, seconds, microseconds] = list(content).map(whole);
      return new PythonTimedelta(days ?? Number.NaN, seconds, microseconds);
    },
  ),
  kept("python.date", PythonDate, String, (content) => new PythonDate(text(content))),
  kept("python.time", PythonTime, clockContent, (content) => new PythonTime(...clockArguments(content))),
  kept("python.datetime", PythonDatetime, clockContent, (content) => new PythonDatetime(...clockArguments(content))),
  kept(
    "python.timezone",
    PythonTimezone,
    ({ type, name, offset, dst, abbreviation }) => [type, name, offset, dst, abbreviation],
    (content) => {
      const [type, name, offset, dst, abbreviation] = list(content);
      return new PythonTimezone(oneOf(TIMEZONES, type), {
        name: orNull(text, name),
        offset: orNull(whole, offset),
        dst: orNull(whole, dst),
        abbreviation: orNull(text, abbreviation),
      });
    },
  ),
];

const DICTS: readonly PythonDictType[] = ["Counter", "OrderedDict", "defaultdict"];
const TIMEZONES: readonly PythonTimezoneType[] = ["datetime", "pytz", "zoneinfo"];

/** A class whose instances hold nothing that could refer back to them. */
function kept<T extends object>(
  name: string,
  { prototype }: Prototyped<T>,
  encode: (instance: T) => unknown,
  decode: (content: unknown) => T,
): ClassWithPrototype {
  return [prototype, { name, encode: (instance) => encode(instance as T), decode }];
}

/** A class whose instances may be part of a circle: made empty, and given their content when that is read. */
function filled<T extends object>(
  name: string,
  { prototype }: Prototyped<T>,
  encode: (instance: T) => unknown,
  make: (content: unknown) => T,
): ClassWithPrototype {
  return [
    prototype,
    {
      name,
      encode: (instance) => encode(instance as T),
      create: () => Object.create(prototype) as T,
      fill: (instance, content) => void Object.assign(instance, make(content)),
    },
  ];
}

function partsOf({ from, called, args, kwargs, state, items, entries }: PythonObject): object {
  return {
    from,
    ...(called && { called }),
    ...(args.length > 0 && { args }),
    ...(kwargs !== undefined && { kwargs }),
    ...(state !== undefined && { state }),
    ...(items.length > 0 && { items }),
    ...(entries.size > 0 && { entries }),
  };
}

function objectParts(content: unknown): PythonObjectParts {
  const { from, called, args, kwargs, state, items, entries = new Map() } = record(content);
  if (typeof from !== "object" || from === null) throw new TypeError("it is made from nothing");
  if (!(entries instanceof Map)) throw new TypeError("its entries are no Map");
  return {
    from,
    called: called === true,
    args: args === undefined ? [] : list(args),
    kwargs,
    state,
    items: items === undefined ? [] : list(items),
    entries,
  };
}

function clockContent({ text: shown, zone, fold }: PythonDatetime | PythonTime): unknown[] {
  return [shown, zone, fold];
}

function clockArguments(content: unknown): [string, object | null, 0 | 1] {
  const [shown, zone, fold] = list(content);
  if (typeof zone !== "object" || (fold !== 0 && fold !== 1)) throw new TypeError("it has no zone or no fold");
  return [text(shown), zone, fold];
}

function list(content: unknown): unknown[] {
  if (Array.isArray(content)) return content;
  throw new TypeError("it is no list");
}

function pairs(content: readonly unknown[]): (readonly [unknown, unknown])[] {
  if (content.every((pair) => Array.isArray(pair) && pair.length === 2)) return content as [unknown, unknown][];
  throw new TypeError("its entries are no pairs");
}

function record(content: unknown): Readonly<Record<string, unknown>> {
  if (typeof content === "object" && content !== null) return content as Readonly<Record<string, unknown>>;
  throw new TypeError("it is no object");
}

function text(content: unknown): string {
  if (typeof content === "string") return content;
  throw new TypeError("it has no text where it needs one");
}

function whole(content: unknown): number {
  if (typeof content === "number" && Number.isSafeInteger(content)) return content;
  throw new TypeError("it has no whole number where it needs one");
}

function orNull<T>(read: (content: unknown) => T, content: unknown): T | null {
  return content === null ? null : read(content);
}

function oneOf<T>(all: readonly T[], content: unknown): T {
  if (all.includes(content as T)) return content as T;
  throw new TypeError(`it is none of ${all.join(", ")}`);
}
