import { endianness } from "node:os";
import { builtIn, type BinaryName } from "./object-kind.ts";

/** The bytes of a typed array, DataView, ArrayBuffer or Buffer as base64, little endian on every machine. */
export function toBase64(object: ArrayBuffer | NodeJS.ArrayBufferView): string {
  return littleEndian(bytesOf(object), elementSize(object)).toString("base64");
}

/**
 * The object that {@link toBase64} wrote; undefined if the text is not base64, or if this Node has no such class.
 * A number of bytes that does not fit the class gives the RangeError of its constructor.
 */
export function fromBase64(name: BinaryName, base64: string): object | undefined {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64") !== base64) return undefined;
  if (name === "Buffer") return bytes;
  // A copy in memory of its own: small Buffers are views of a pool.
  const memory = new Uint8Array(bytes).buffer;
  return name === "ArrayBuffer" ? memory : viewOf(name, memory);
}

type ViewClass = new (memory: ArrayBuffer) => NodeJS.ArrayBufferView;

function viewOf(name: BinaryName, memory: ArrayBuffer): object | undefined {
  const View = builtIn(name) as ViewClass | undefined;
  if (View === undefined) return undefined;
  const view = new View(memory);
  littleEndian(bytesOf(view), elementSize(view)).copy(bytesOf(view));
  return view;
}

function bytesOf(object: ArrayBuffer | NodeJS.ArrayBufferView): Buffer<ArrayBuffer> {
  return ArrayBuffer.isView(object)
    ? Buffer.from(object.buffer as ArrayBuffer, object.byteOffset, object.byteLength)
    : Buffer.from(object);
}

function elementSize(object: ArrayBuffer | NodeJS.ArrayBufferView): number {
  return "BYTES_PER_ELEMENT" in object ? (object.BYTES_PER_ELEMENT as number) : 1;
}

/** The same elements in little endian order: the bytes themselves on nearly every machine, else a swapped copy. */
function littleEndian(bytes: Buffer, size: number): Buffer {
  if (size === 1 || endianness() === "LE") return bytes;
  const copy = Buffer.from(bytes);
  return size === 2 ? copy.swap16() : size === 4 ? copy.swap32() : copy.swap64();
}
