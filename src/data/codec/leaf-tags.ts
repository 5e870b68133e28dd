import { fromBase64, toBase64 } from "./binary.ts";
import { isBinaryName, type BinaryName } from "./object-kind.ts";

/** The text of anything but an object; undefined for a function or a symbol. */
export function scalarText(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "number":
      return numberText(value);
    case "undefined":
      return `{"$undefined":true}`;
    case "bigint":
      return `{"$bigint":"${value}"}`;
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return "null";
    default:
      return undefined;
  }
}

const mustBeEscaped = /["\\\p{Cc}\p{Cs}]/u;

/** A string in quotes. For keys and short texts this takes half as long as `JSON.stringify`. */
export function quoted(text: string): string {
  return text.length > 100 || mustBeEscaped.test(text) ? JSON.stringify(text) : `"${text}"`;
}

function numberText(value: number): string {
  if (Object.is(value, -0)) return `{"$number":"-0"}`;
  return Number.isFinite(value) ? String(value) : `{"$number":"${value}"}`;
}

export function dateText(date: Date): string {
  return `{"$date":${Number.isNaN(date.getTime()) ? "null" : `"${date.toISOString()}"`}}`;
}

export function binaryText(name: BinaryName, object: ArrayBuffer | NodeJS.ArrayBufferView): string {
  const base64 = toBase64(object);
  return name === "Uint8Array" ? `{"$bytes":"${base64}"}` : `{"$typed":["${name}","${base64}"]}`;
}

/** How the tags are read whose content holds no further values. Each throws if the content is not what it writes. */
export const leafTags: ReadonlyMap<string, (content: unknown) => unknown> = new Map<
  string,
  (content: unknown) => unknown
>([
  ["$undefined", readUndefined],
  ["$number", readNumber],
  ["$bigint", readBigint],
  ["$date", readDate],
  ["$bytes", (content) => readBinary("Uint8Array", content)],
  ["$typed", readTyped],
]);

function readUndefined(content: unknown): undefined {
  if (content !== true) throw new Error("it is not true");
}

const numbers: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

function readNumber(content: unknown): number {
  const number = numbers.get(content);
  if (number === undefined) throw new Error('it is none of "NaN", "Infinity", "-Infinity" and "-0"');
  return number;
}

function readBigint(content: unknown): bigint {
  if (typeof content !== "string" || !/^-?\d+$/.test(content)) throw new Error("it is no string of decimal digits");
  return BigInt(content);
}

function readDate(content: unknown): Date {
  if (content === null) return new Date(Number.NaN);
  const date = new Date(typeof content === "string" ? content : Number.NaN);
  if (Number.isNaN(date.getTime())) throw new Error("it is neither a date as a string nor null");
  return date;
}

function readTyped(content: unknown): object {
  const [name, base64, ...rest]: unknown[] = Array.isArray(content) ? content : [];
  if (!isBinaryName(name) || rest.length > 0)
    throw new Error("it is no pair of the name of a built-in class and base64");
  return readBinary(name, base64);
}

function readBinary(name: BinaryName, content: unknown): object {
  const object = typeof content === "string" ? fromBase64(name, content) : undefined;
  if (object === undefined) throw new Error(`it is no base64 that makes a ${name} in this version of Node`);
  return object;
}
