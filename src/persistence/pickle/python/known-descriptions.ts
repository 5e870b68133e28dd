import { PythonDate } from "../../../data/python/python-date.ts";
import { PythonDatetime } from "../../../data/python/python-datetime.ts";
import { PythonDecimal } from "../../../data/python/python-decimal.ts";
import type { PythonDeque } from "../../../data/python/python-deque.ts";
import type { PythonDict } from "../../../data/python/python-dict.ts";
import { PythonEnum } from "../../../data/python/python-enum.ts";
import { PythonGlobal } from "../../../data/python/python-global.ts";
import { PythonObject, type PythonObjectParts } from "../../../data/python/python-object.ts";
import { PythonTime } from "../../../data/python/python-time.ts";
import { PythonTimedelta } from "../../../data/python/python-timedelta.ts";
import { PythonTimezone } from "../../../data/python/python-timezone.ts";
import { PythonTuple } from "../../../data/python/python-tuple.ts";
import { PythonUuid } from "../../../data/python/python-uuid.ts";
import type { Convert } from "./known-objects.ts";
import { packDate, packDatetime, packTime } from "./packed-clock.ts";

/** The description of a value of a known class, the reverse of `knownValue`; undefined for anything else. */
export function descriptionOf(value: object, describe: Convert): PythonObject | undefined {
  if (value instanceof Date) return dateDescription(value);
  if (value instanceof PythonDatetime)
    return call("datetime", "datetime", [packDatetime(value.text, value.fold), ...zoneArgs(value.zone, describe)]);
  if (value instanceof PythonDate) return call("datetime", "date", [packDate(value.text)]);
  if (value instanceof PythonTime)
    return call("datetime", "time", [packTime(value.text, value.fold), ...zoneArgs(value.zone, describe)]);
  if (value instanceof PythonTimedelta)
    return call("datetime", "timedelta", [value.days, value.seconds, value.microseconds]);
  if (value instanceof PythonTimezone) return zoneDescription(value);
  if (value instanceof PythonDecimal) return call("decimal", "Decimal", [value.text]);
  if (value instanceof PythonUuid) return uuidDescription(value);
  if (value instanceof PythonEnum) return enumDescription(value, describe);
  return undefined;
}

/** An OrderedDict: what a Map is whose keys are all texts, since a plain dict of such keys is a plain object. */
export function orderedDictOf(entries: ReadonlyMap<unknown, unknown>): PythonObject {
  return call("collections", "OrderedDict", [], { entries });
}

/** A deque, still without its items. */
export function emptyDeque({ maxlen }: PythonDeque): PythonObject {
  return call("collections", "deque", maxlen === null ? [] : [new PythonTuple([]), maxlen]);
}

/** A dict of one of the classes of `collections`, and the dict in it, still empty, that has its entries. */
export function emptyDict({ type, factory }: PythonDict): readonly [PythonObject, Map<unknown, unknown>] {
  const counts = new Map<unknown, unknown>();
  const described = call("collections", type, type === "Counter" ? [counts] : factory === undefined ? [] : [factory]);
  return [described, type === "Counter" ? counts : described.entries];
}

function call(
  module: string,
  name: string,
  args: readonly unknown[],
  more: Omit<PythonObjectParts, "from"> = {},
): PythonObject {
  return new PythonObject({ ...more, from: new PythonGlobal(module, name), called: true, args });
}

function dateDescription(date: Date): PythonObject {
  const text = `${date.toISOString().slice(0, 23)}000`;
  return call("datetime", "datetime", [packDatetime(text, 0), offsetDescription(0, null)]);
}

function zoneArgs(zone: object | null, describe: Convert): unknown[] {
  return zone === null ? [] : [describe(zone)];
}

function zoneDescription({ type, name, offset, dst, abbreviation }: PythonTimezone): PythonObject {
  if (type === "datetime") return offsetDescription(offset ?? 0, name);
  if (type === "zoneinfo") return call("zoneinfo", "ZoneInfo._unpickle", [name, 1]);
  if (name === null) return call("pytz", "FixedOffset", [(offset ?? 0) / 60]);
  if (name === "UTC" && offset === 0 && dst === null) return call("pytz", "_UTC", []);
  return call("pytz", "_p", offset === null ? [name] : [name, offset, dst ?? 0, abbreviation ?? ""]);
}

function offsetDescription(offset: number, name: string | null): PythonObject {
  const days = Math.floor(offset / 86_400);
  const delta = call("datetime", "timedelta", [days, offset - days * 86_400, 0]);
  return call("datetime", "timezone", name === null ? [delta] : [delta, name]);
}

function uuidDescription({ text }: PythonUuid): PythonObject {
  const value = BigInt(`0x${text.replaceAll("-", "")}`);
  const int = Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return new PythonObject({ from: new PythonGlobal("uuid", "UUID"), state: new Map([["int", int]]) });
}

function enumDescription({ type, member, value }: PythonEnum, describe: Convert): PythonObject {
  if (member !== undefined) return call("builtins", "getattr", [type, member]);
  return new PythonObject({ from: type, called: true, args: [describe(value)] });
}
