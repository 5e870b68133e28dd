import { PickleDataError } from "../pickle-data-error.ts";
import { exactFloat } from "../python/whole-float.ts";
import type { Operation } from "./operation.ts";
import { asciiOnly, type PickleSource } from "./pickle-source.ts";
import { readStringLiteral, readUnicodeEscapes } from "./text-literals.ts";

/** Python reads no more digits of an int (since 3.11): the time that it takes grows with their square. */
const MOST_DIGITS = 4300;

/** Opcodes that push a value without content. */
export const scalarOpcodes: readonly (readonly [string, Operation])[] = [
  ["N", (stack) => stack.push(null)],
  ["\x88", (stack) => stack.push(true)],
  ["\x89", (stack) => stack.push(false)],
  ["I", (stack, source) => stack.push(intLine(source.line()))],
  ["J", (stack, source) => stack.push(source.int32())],
  ["K", (stack, source) => stack.push(source.uint8())],
  ["M", (stack, source) => stack.push(source.uint16())],
  ["L", (stack, source) => stack.push(intOf(digits(source.line().replace(/L$/, ""))))],
  ["\x8a", (stack, source) => stack.push(intOf(source.integer(source.uint8())))],
  // Python writes it for what has more than 255 bytes, and our writer for every bigint that would pass as a number.
  ["\x8b", (stack, source) => stack.push(source.integer(lengthOf(source.int32())))],
  ["F", (stack, source) => stack.push(exactFloat(floatLine(source.line())))],
  ["G", (stack, source) => stack.push(exactFloat(source.float64()))],
  ["S", (stack, source) => stack.push(asciiOnly(readStringLiteral(source.line())))],
  ["T", (stack, source) => stack.push(source.ascii(lengthOf(source.int32())))],
  ["U", (stack, source) => stack.push(source.ascii(source.uint8()))],
  ["V", (stack, source) => stack.push(readUnicodeEscapes(source.line()))],
  ["X", (stack, source) => stack.push(source.utf8(source.uint32()))],
  ["\x8c", (stack, source) => stack.push(source.utf8(source.uint8()))],
  ["\x8d", (stack, source) => stack.push(utf8WithLongLength(source))],
  ["B", (stack, source) => stack.push(source.bytes(source.uint32()))],
  ["C", (stack, source) => stack.push(source.bytes(source.uint8()))],
  ["\x8e", (stack, source) => stack.push(source.bytes(source.length64()))],
];

function utf8WithLongLength(source: PickleSource): string {
  return source.utf8(source.length64());
}

function lengthOf(length: number): number {
  if (length >= 0) return length;
  throw new PickleDataError("no pickle", "a length in it is negative");
}

/** An int is a number as long as numbers are exact. */
function intOf(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function intLine(line: string): unknown {
  if (line === "00") return false;
  if (line === "01") return true;
  return intOf(digits(line));
}

function digits(line: string): bigint {
  const text = line.trim();
  if (/^[+-]?\d+$/.test(text) && text.length <= MOST_DIGITS)
    return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text.replace("+", ""));
  throw new PickleDataError("not understood", `${JSON.stringify(line.slice(0, 20))} is no int, or has too many digits`);
}

function floatLine(line: string): number {
  const text = line.trim().toLowerCase();
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(text)) return Number(text);
  if (/^[+-]?inf(?:inity)?$/.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^[+-]?nan$/.test(text)) return Number.NaN;
  throw new PickleDataError("not understood", `${JSON.stringify(line.slice(0, 20))} is no float`);
}
