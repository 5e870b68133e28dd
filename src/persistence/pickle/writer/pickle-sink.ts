import { utf8Of } from "./write-utf8.ts";

/** The bytes of a pickle that is being written. */
export class PickleSink {
  #bytes: Buffer = Buffer.allocUnsafe(1 << 16);
  #length = 0;

  /** What was written. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    this.#bytes[this.#room(1)] = value;
  }

  /** An opcode, and perhaps further ones. */
  opcodes(codes: string): void {
    const at = this.#room(codes.length);
    for (let index = 0; index < codes.length; index += 1) this.#bytes[at + index] = codes.charCodeAt(index);
  }

  uint16(value: number): void {
    const at = this.#room(2);
    this.#bytes.writeUInt16LE(value, at);
  }

  int32(value: number): void {
    const at = this.#room(4);
    this.#bytes.writeInt32LE(value, at);
  }

  uint32(value: number): void {
    const at = this.#room(4);
    this.#bytes.writeUInt32LE(value, at);
  }

  float64(value: number): void {
    const at = this.#room(8);
    this.#bytes.writeDoubleBE(value, at);
  }

  /** A text in UTF-8, after the opcode for its length. */
  text(text: string): void {
    // Three bytes for a code unit at most: then there is no need to know the length before.
    if (text.length < 0x55) this.#shortText(text);
    else this.lengthAndBytes(utf8Of(text), "\x8c", "X");
  }

  /** Bytes, after one of two opcodes, with one byte or four for the length. */
  lengthAndBytes(bytes: Uint8Array, short: string, long: string): void {
    if (bytes.length < 0x100) {
      this.opcodes(short);
      this.byte(bytes.length);
    } else {
      this.opcodes(long);
      this.uint32(bytes.length);
    }
    this.bytes(bytes);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  #shortText(text: string): void {
    if (!text.isWellFormed()) return this.lengthAndBytes(utf8Of(text), "\x8c", "X");
    const at = this.#room(2 + 3 * text.length);
    const length = this.#bytes.write(text, at + 2, "utf8");
    this.#bytes[at] = 0x8c;
    this.#bytes[at + 1] = length;
    this.#length = at + 2 + length;
  }

  /** Makes room for so many bytes. Answers where they go. */
  #room(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }
}
