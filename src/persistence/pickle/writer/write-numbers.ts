import type { PickleSink } from "./pickle-sink.ts";

/** A safe integer is an int of Python, any other number a float. */
export function writeNumber(value: number, sink: PickleSink): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return writeFloat(value, sink);
  if (value >= 0 && value < 0x100) {
    sink.opcodes("K");
    sink.byte(value);
  } else if (value >= 0 && value < 0x1_0000) {
    sink.opcodes("M");
    sink.uint16(value);
  } else if (value === (value | 0)) {
    sink.opcodes("J");
    sink.int32(value);
  } else {
    const bytes = twosComplement(BigInt(value));
    sink.lengthAndBytes(bytes, "\x8a", "\x8b");
  }
}

export function writeFloat(value: number, sink: PickleSink): void {
  sink.opcodes("G");
  sink.float64(value);
}

/**
 * Python has one kind of int. A bigint that would pass as a number is written in the long form, which Python uses for numbers of more than 255 bytes only
 * and reads all the same: so it comes back here as a bigint.
 */
export function writeBigint(value: bigint, sink: PickleSink): void {
  const bytes = twosComplement(value);
  if (Number.isSafeInteger(Number(value)) || bytes.length >= 0x100) {
    sink.opcodes("\x8b");
    sink.int32(bytes.length);
    sink.bytes(bytes);
  } else {
    sink.lengthAndBytes(bytes, "\x8a", "\x8b");
  }
}

/** As few little-endian bytes as there can be. */
function twosComplement(value: bigint): Buffer {
  const magnitude = value < 0n ? -value - 1n : value;
  const length = (magnitude.toString(16).length * 4) / 8 + 1;
  const hex = BigInt.asUintN(Math.floor(length) * 8, value)
    .toString(16)
    .padStart(Math.floor(length) * 2, "0");
  return Buffer.from(hex, "hex").reverse();
}
