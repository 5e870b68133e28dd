import { PickleDataError } from "../pickle-data-error.ts";
import { readUtf8 } from "./read-utf8.ts";

/** The bytes of a pickle, read from the beginning. A length that is announced is believed only as far as there are bytes. */
export class PickleSource {
  readonly #bytes: Buffer;
  #at = 0;
  /** The protocol that the pickle says it has. */
  protocol = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** How many bytes were read. */
  get at(): number {
    return this.#at;
  }

  /** The next opcode; undefined at the end. */
  opcode(): number | undefined {
    return this.#bytes[this.#at++];
  }

  uint8(): number {
    return this.#bytes[this.#skip(1)] as number;
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.#skip(2));
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.#skip(4));
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#skip(4));
  }

  /** A length of eight bytes. What no file can have is as good as any other length that is too great. */
  length64(): number {
    return Number(this.#bytes.readBigUInt64LE(this.#skip(8)));
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#skip(8));
  }

  /** So many bytes, as a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#skip(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length));
  }

  utf8(length: number): string {
    const start = this.#skip(length);
    return readUtf8(this.#bytes, start, start + length);
  }

  /** A text of Python 2, of which only ASCII can be understood. */
  ascii(length: number): string {
    const start = this.#skip(length);
    return asciiOnly(this.#bytes.toString("latin1", start, start + length));
  }

  /** What stands before the next line feed, byte by byte. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end === -1) throw truncated();
    const text = this.#bytes.toString("latin1", this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /** A little-endian integer of so many bytes, in two's complement. */
  integer(length: number): bigint {
    const start = this.#skip(length);
    if (length === 0) return 0n;
    const bigEndian = Buffer.from(this.#bytes.subarray(start, start + length)).reverse();
    return BigInt.asIntN(length * 8, BigInt(`0x${bigEndian.toString("hex")}`));
  }

  /** That there are so many bytes more. */
  require(length: number): void {
    if (length > this.#bytes.length - this.#at) throw truncated();
  }

  #skip(length: number): number {
    this.require(length);
    const start = this.#at;
    this.#at += length;
    return start;
  }
}

export function asciiOnly(text: string): string {
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  throw new PickleDataError("not understood", "a text of Python 2 in it has more than ASCII characters");
}

function truncated(): PickleDataError {
  return new PickleDataError("no pickle", "pickle data was truncated");
}
