import { PickleDataError } from "../pickle-data-error.ts";

/** UTF-8 as Python's pickle writes it: surrogates that stand alone are encoded like other characters ("surrogatepass"). */
export function readUtf8(bytes: Buffer, start: number, end: number): string {
  const short = end - start <= SHORT ? shortAscii(bytes, start, end) : undefined;
  if (short !== undefined) return short;
  const text = bytes.toString("utf8", start, end);
  return text.includes("\ufffd") ? readWithSurrogates(bytes.subarray(start, end)) : text;
}

/** Up to so many bytes a loop is faster than a call. */
const SHORT = 24;

function shortAscii(bytes: Buffer, start: number, end: number): string | undefined {
  let text = "";
  for (let at = start; at < end; at += 1) {
    const code = bytes[at] as number;
    if (code >= 0x80) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Surrogates are 0xED, 0xA0 to 0xBF, 0x80 to 0xBF, which nothing else is. */
function readWithSurrogates(bytes: Buffer): string {
  let text = "";
  let start = 0;
  for (let at = bytes.indexOf(0xed); at !== -1; at = bytes.indexOf(0xed, at + 1)) {
    const [, second = 0, third = 0] = bytes.subarray(at, at + 3);
    if (second < 0xa0 || second > 0xbf || third < 0x80 || third > 0xbf) continue;
    text += decoded(bytes.subarray(start, at)) + String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f));
    start = at + 3;
  }
  return text + decoded(bytes.subarray(start));
}

function decoded(bytes: Buffer): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw new PickleDataError("not understood", "a text in it is no UTF-8");
  }
}
