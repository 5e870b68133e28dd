import { PickleDataError } from "../pickle-data-error.ts";

/** The "raw-unicode-escape" of protocol 0: Latin-1 with \uXXXX and \UXXXXXXXX. A backslash before anything else is one. */
export function readUnicodeEscapes(line: string): string {
  return line.replace(/(\\+)(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/g, (all, backslashes: string, escape: string) => {
    // Only an odd number of backslashes makes an escape of the last.
    if (backslashes.length % 2 === 0) return all;
    return backslashes.slice(1) + character(Number.parseInt(escape.slice(1), 16));
  });
}

function character(codePoint: number): string {
  if (codePoint <= 0x10ffff) return String.fromCodePoint(codePoint);
  throw new PickleDataError("not understood", "a text in it has a character beyond Unicode");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** A string literal of Python 2, in single or double quotes. */
export function readStringLiteral(line: string): string {
  const literal = line.trimEnd();
  const quote = literal[0];
  if (literal.length < 2 || (quote !== "'" && quote !== '"') || !literal.endsWith(quote))
    throw new PickleDataError("no pickle", "the STRING opcode argument must be quoted");
  return literal.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[^])/g, (all, escape: string) => {
    if (escape.length === 3 && escape.startsWith("x")) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8) & 0xff);
    return ESCAPES[escape] ?? all;
  });
}

/** A line of names, which are UTF-8. */
export function utf8Line(line: string): string {
  return Buffer.from(line, "latin1").toString("utf8");
}
