import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pythonInt } from "./python-int.ts";
import { floatText } from "./python-float.ts";
import { readPythonJson } from "./python-json-reader.ts";
import { writePythonJson } from "./python-json-writer.ts";

const hasPython = spawnSync("python3", ["--version"]).status === 0;

/** Says when the tests do not run, and why. */
const skipped = hasPython ? "" : " (skipped: there is no python3 here)";

/** What an expression of Python makes of each text `s`; null where it raises ValueError. Works on UTF-16 code units. */
function inPython(expression: string, texts: readonly string[]): (string | null)[] {
  const program = `
import json, struct, sys
def text(units):
    return struct.pack("<%dH" % len(units), *units).decode("utf-16-le", "surrogatepass")
def result(s):
    try:
        return ${expression}
    except ValueError:
        return None
json.dump([result(text(units)) for units in json.load(sys.stdin)], sys.stdout)
`;
  const input = JSON.stringify(
    texts.map((text) => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))),
  );
  const { status, stdout, stderr } = spawnSync("python3", ["-c", program], { input, maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`python3 failed: ${stderr.toString()}`);
  return JSON.parse(stdout.toString()) as (string | null)[];
}

const digitsOfScripts = ["0", "1", "7", "٠", "٧", "०", "९", "𝟎", "𝟏", "𝟙", "𝟿", "０", "９"];
const spaces = [" ", "\t", "\v", "\x1c", "\x1f", "\x85", "\xa0", "\u1680", "\u2003", "\u2028", "\u3000"];
const others = ["_", "_", "_", "+", "-", "\u180e", "\u200b", "\ufeff", "\0", "\ud835", "²", "Ⅷ", "x", "."];

/** Each run is a process: few runs with many texts. */
function many<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(arbitrary, { minLength: 1000, maxLength: 1000, size: "max" });
}

const runs = { numRuns: 3, endOnFailure: true };

const anyString = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("__proto__", "", "1", '"', "\\", "\u007f", "\u0080", "\ud83d\ude00", "\ud800"),
);

const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(
      anyString,
      fc.double(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.bigInt(),
      fc.constantFrom(null, true, false, -0, 1e16, 1e-5, 123456789012345.6, 2 ** 53, Number.NaN, Infinity, -Infinity),
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(anyString, tie("value"), { maxKeys: 4 }),
    fc.array(fc.tuple(anyString, tie("value")), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
})).value;

/** A text that is JSON nearly always: tokens as Python accepts and refuses them, with white space between them. */
const anyText = fc.letrec<{ text: string; space: string }>((tie) => {
  const space = fc.constantFrom("", "", " ", "\n", "\t\r");
  const digits = fc.constantFrom("0", "1", "12", "01", "9007199254740993", "123456789012345678901234567890", "");
  const number = fc
    .tuple(
      fc.constantFrom("", "-", "+"),
      digits,
      fc.constantFrom("", ".0", ".5", ".", ".10"),
      fc.constantFrom("", "e1", "E+2", "e-7", "e400", "e"),
    )
    .map((parts) => parts.join(""));
  const character = fc.constantFrom(
    "a",
    "\\n",
    "\\u00e9",
    "\\uD83D",
    "\\ude00",
    "\\/",
    "é",
    "\u2028",
    "\u007f",
    "\n",
    "\\x",
  );
  const string = fc
    .array(fc.oneof({ weight: 20, arbitrary: fc.constant("b") }, character))
    .map((all) => `"${all.join("")}"`);
  const word = fc.constantFrom(
    "null",
    "true",
    "false",
    "NaN",
    "Infinity",
    "-Infinity",
    "-NaN",
    "None",
    "nul",
    "\ufeff1",
    "'a'",
  );
  const wrapped = (open: string, close: string, item: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc
      .tuple(fc.array(item, { maxLength: 3 }), space, fc.constantFrom("", "", "", "", "", ","))
      .map(([items, white, last]) => `${open}${white}${items.join(",")}${last}${close}`);
  const pair = fc
    .tuple(space, string, space, tie("text"))
    .map(([before, key, after, text]) => `${before}${key}${after}:${text}`);
  return {
    space,
    text: fc
      .tuple(
        space,
        fc.oneof(
          { depthSize: "small" },
          { weight: 2, arbitrary: number },
          { weight: 3, arbitrary: string },
          { weight: 1, arbitrary: word },
          { weight: 3, arbitrary: wrapped("[", "]", tie("text")) },
          { weight: 3, arbitrary: wrapped("{", "}", pair) },
        ),
        space,
      )
      .map((parts) => parts.join("")),
  };
}).text;

/** Our `json.dumps(json.loads(text))`. */
function rewritten(text: string): string | null {
  try {
    return writePythonJson(readPythonJson(text), "text");
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

describe.skipIf(!hasPython)(`as Python does${skipped}`, () => {
  test("70-72: what is written is what json.dumps writes", () => {
    fc.assert(
      fc.property(many(anyValue), (values) => {
        const texts = values.map((value) => writePythonJson(value, "value"));
        expect(inPython("json.dumps(json.loads(s))", texts)).toEqual(texts.map(rewritten));
        expect(texts.map(rewritten)).toEqual(texts);
      }),
      runs,
    );
  });

  test("70-72: any text is read to the same value, or refused by both", () => {
    fc.assert(
      fc.property(many(anyText), (texts) => {
        const ours = texts.map(rewritten);
        expect(inPython("json.dumps(json.loads(s))", texts)).toEqual(ours);
        expect(ours).toContain(null);
        expect(ours.filter((text) => text !== null).length).toBeGreaterThan(200);
      }),
      runs,
    );
  });

  test("71: floats are repr's", () => {
    fc.assert(
      fc.property(many(fc.double()), (values) => {
        const python = inPython(
          "json.dumps(float(s))",
          values.map((value) => (Object.is(value, -0) ? "-0" : String(value))),
        );
        expect(values.map(floatText)).toEqual(python);
      }),
      runs,
    );
  });

  test("75: int keys are what int() reads", () => {
    const part = fc.oneof(fc.constantFrom(...digitsOfScripts), fc.constantFrom(...spaces), fc.constantFrom(...others));
    const text = fc.array(part, { minLength: 0, maxLength: 5 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(many(text), (texts) => {
        const ours = texts.map((each) => pythonInt(each)?.toString() ?? null);
        expect(ours).toEqual(inPython("str(int(s))", texts));
        expect(ours.filter((each) => each !== null).length).toBeGreaterThan(20);
      }),
      runs,
    );
  });
});
