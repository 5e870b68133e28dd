import { expect, test, vi } from "vitest";
import { jsonCodec } from "./codec.ts";

/** The machine that runs the tests is little endian: told that it is not, the codec must swap. */
vi.mock("node:os", () => ({ endianness: () => "BE" }));

test.each([
  [new Uint8Array([1, 2]), '{"$bytes":"AQI="}'],
  [new Uint16Array([1]), '{"$typed":["Uint16Array","AAE="]}'],
  [new Uint32Array([1]), '{"$typed":["Uint32Array","AAAAAQ=="]}'],
  [new BigUint64Array([1n]), '{"$typed":["BigUint64Array","AAAAAAAAAAE="]}'],
  [new DataView(new Uint8Array([1, 2]).buffer), '{"$typed":["DataView","AQI="]}'],
])("a big endian machine swaps the bytes of elements, and back: %o", (value, text) => {
  expect(jsonCodec().encode(value)).toBe(text);
  expect(jsonCodec().decode(text)).toStrictEqual(value);
});
