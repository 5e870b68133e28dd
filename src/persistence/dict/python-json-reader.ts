import { PythonFloat } from "./python-float.ts";
import { maxRecordDepth, type PythonDict, type PythonJson } from "./python-json.ts";

/** A record stands in at most three lists or dicts: callback data in [[[id, time, record]]]. */
const maxDepth = maxRecordDepth + 3;

/**
 * Reads a text as Python's `json.loads` does: also `NaN`, `Infinity` and `-Infinity`, integers of any size, and the last of
 * keys that stand twice. Everything else that Python refuses is a SyntaxError, and so is what nests too deep.
 */
export function readPythonJson(text: string): PythonJson {
  return new Reader(text).document();
}

const whiteSpace = /[ \t\n\r]*/y;
const numberToken = /(-?(?:0|[1-9][0-9]*))((?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)/y;
/** All but quotes, backslashes and what comes before the space: control characters must be escaped. */
const characters = /[ !#-[\]-\uffff]*/y;
const fourHexDigits = /[0-9a-fA-F]{4}/y;

const words: ReadonlyMap<string, PythonJson> = new Map<string, PythonJson>([
  ["null", null],
  ["true", true],
  ["false", false],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PythonJson {
    this.#skipSpace();
    const value = this.#value(1);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#error("the end of the text was expected");
    return value;
  }

  #value(depth: number): PythonJson {
    switch (this.#text[this.#at]) {
      case "{":
        return this.#dict(depth);
      case "[":
        return this.#list(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #dict(depth: number): PythonDict {
    const dict = new Map<string, PythonJson>();
    this.#enter(depth);
    if (this.#passes("}")) return dict;
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#error("a key in double quotes was expected");
      const key = this.#string();
      this.#skipSpace();
      if (!this.#passes(":")) throw this.#error('":" was expected');
      this.#skipSpace();
      dict.set(key, this.#value(depth + 1));
      this.#skipSpace();
    } while (this.#passes(","));
    if (!this.#passes("}")) throw this.#error('"," or "}" was expected');
    return dict;
  }

  #list(depth: number): PythonJson[] {
    const list: PythonJson[] = [];
    this.#enter(depth);
    if (this.#passes("]")) return list;
    do {
      this.#skipSpace();
      list.push(this.#value(depth + 1));
      this.#skipSpace();
    } while (this.#passes(","));
    if (!this.#passes("]")) throw this.#error('"," or "]" was expected');
    return list;
  }

  #enter(depth: number): void {
    if (depth > maxDepth) throw this.#error(`nested deeper than ${maxDepth} levels`);
    this.#at += 1;
    this.#skipSpace();
  }

  #string(): string {
    let value = "";
    this.#at += 1;
    for (;;) {
      value += this.#match(characters)?.[0] ?? "";
      if (this.#passes('"')) return value;
      if (this.#passes("\\")) value += this.#escaped();
      else throw this.#error(this.#isAtEnd() ? "a string does not end" : "a control character must be escaped");
    }
  }

  #escaped(): string {
    if (this.#passes("u")) {
      const digits = this.#match(fourHexDigits);
      if (digits === undefined) throw this.#error("four hexadecimal digits were expected");
      return String.fromCharCode(Number.parseInt(digits[0], 16));
    }
    const character = escapes.get(this.#text[this.#at] ?? "");
    if (character === undefined) throw this.#error("this escape does not exist");
    this.#at += 1;
    return character;
  }

  #scalar(): PythonJson {
    for (const [word, value] of words) {
      if (this.#passes(word)) return value;
    }
    const token = this.#match(numberToken);
    if (token === undefined) throw this.#error("a value was expected");
    const [all, int = "", fraction] = token;
    return fraction === "" ? readInt(int) : readFloat(all);
  }

  #isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  #skipSpace(): void {
    this.#match(whiteSpace);
  }

  /** Whether the text goes on with this, which is then behind us. */
  #passes(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #error(what: string): SyntaxError {
    return new SyntaxError(`${what} at character ${this.#at}`);
  }
}

function readInt(token: string): number | bigint {
  const number = Number(token);
  // Python's int has no negative zero.
  return Number.isSafeInteger(number) ? number + 0 : BigInt(token);
}

function readFloat(token: string): number | PythonFloat {
  const number = Number(token);
  return Number.isSafeInteger(number) && !Object.is(number, -0) ? new PythonFloat(number) : number;
}
