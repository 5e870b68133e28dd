import { PythonDatetime } from "../../../data/python/python-datetime.ts";
import { PythonTimezone } from "../../../data/python/python-timezone.ts";
import { datePartsOf, timePartsOf } from "../../../data/python/wall-clock-text.ts";

/** Set in the first byte of a time, and in the month of a datetime, for the second of two equal times. */
const FOLD = 0x80;

/** A datetime from Python's ten bytes: a `Date` where that is exactly the same. Throws a TypeError for what is none. */
export function datetimeOf(packed: unknown, zone: object | null): PythonDatetime | Date {
  const bytes = packedBytes(packed, 10);
  const date = Uint8Array.from(bytes.subarray(0, 4));
  const fold = foldIn(date, 2);
  const { text: time } = clockTextOf(bytes.subarray(4));
  const text = `${dateTextOf(date)}T${time}`;
  const isDate = fold === 0 && isUtc(zone) && time.endsWith("000");
  return isDate ? new Date(`${text.slice(0, 23)}Z`) : new PythonDatetime(text, zone, fold);
}

/** A date as text, from Python's four bytes. */
export function dateTextOf(packed: unknown): string {
  const [high = 0, low = 0, month, day] = packedBytes(packed, 4);
  return `${padded(high * 256 + low, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
}

/** A time as text, from Python's six bytes. */
export function clockTextOf(packed: unknown): { readonly text: string; readonly fold: 0 | 1 } {
  const bytes = Uint8Array.from(packedBytes(packed, 6));
  const fold = foldIn(bytes, 0);
  const [hour, minute, second, high = 0, middle = 0, low = 0] = bytes;
  const microsecond = (high * 256 + middle) * 256 + low;
  return { text: `${padded(hour, 2)}:${padded(minute, 2)}:${padded(second, 2)}.${padded(microsecond, 6)}`, fold };
}

/** Takes the fold out of the byte in which it is. */
function foldIn(bytes: Uint8Array, at: number): 0 | 1 {
  const byte = bytes[at] ?? 0;
  bytes[at] = byte & ~FOLD;
  return byte & FOLD ? 1 : 0;
}

function packedBytes(packed: unknown, length: number): Uint8Array {
  if (packed instanceof Uint8Array && packed.length === length) return packed;
  throw new TypeError(`it is not ${length} bytes`);
}

function padded(number: number | undefined, digits: number): string {
  return String(number).padStart(digits, "0");
}

function isUtc(zone: object | null): boolean {
  return zone instanceof PythonTimezone && zone.type === "datetime" && zone.offset === 0 && zone.name === null;
}

/** Python's bytes for a datetime. */
export function packDatetime(text: string, fold: 0 | 1): Uint8Array {
  const [date = "", time = ""] = text.split("T");
  const bytes = Uint8Array.of(...packDate(date), ...packTime(time, 0));
  bytes[2] = (bytes[2] ?? 0) | (fold === 1 ? FOLD : 0);
  return bytes;
}

/** Python's bytes for a date. */
export function packDate(text: string): Uint8Array {
  const [year = 0, month = 0, day = 0] = datePartsOf(text) ?? [];
  return Uint8Array.of(year >> 8, year & 0xff, month, day);
}

/** Python's bytes for a time. */
export function packTime(text: string, fold: 0 | 1): Uint8Array {
  const [hour = 0, minute = 0, second = 0, microsecond = 0] = timePartsOf(text) ?? [];
  const first = hour | (fold === 1 ? FOLD : 0);
  return Uint8Array.of(first, minute, second, microsecond >> 16, (microsecond >> 8) & 0xff, microsecond & 0xff);
}
