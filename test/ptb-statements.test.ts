import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const VERDICTS = new Set(["match", "adapt", "improve", "superseded", "later"]);

/** How many statements there are. */
const STATEMENTS = 200;

interface Row {
  readonly number: number;
  readonly verdict: string;
  readonly differs: string;
  /** The cell of the tests, and those that it names. */
  readonly cell: string;
  readonly tests: readonly (readonly [file: string, part: string])[];
}

const root = new URL("..", import.meta.url);
const page = readFileSync(new URL("docs/ptb-statements.md", root), "utf8");

function readRows(): Row[] {
  return page
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter(([, number = ""]) => /^\d+$/.test(number))
    .map((cells) => {
      expect(cells, `a row with a | too many or too few: ${cells.join("|")}`).toHaveLength(7);
      const [, number, , verdict = "", differs = "", cell = ""] = cells;
      const tests = Array.from(
        cell.matchAll(/`([^`]+)`: “([^”]+)”/g),
        ([, file = "", part = ""]) => [file, part] as const,
      );
      return { number: Number(number), verdict, differs, cell, tests };
    });
}

/** The names of the tests and groups in a file: the first text in the parentheses after `test`, `describe` or `test.each(...)`. */
function titlesIn(file: string): string[] {
  const source = readFileSync(new URL(file, root), "utf8");
  const titles = source.matchAll(/(?:\btest|\bdescribe|\))\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1\s*,/g);
  return Array.from(titles, ([, , title = ""]) => title);
}

const rows = readRows();

describe("docs/ptb-statements.md", () => {
  test("has each statement once, in order, with a verdict", () => {
    const wanted = Array.from({ length: STATEMENTS }, (_, index) => index + 1);
    expect(rows.map(({ number }) => number)).toEqual(wanted);
    expect(rows.filter(({ verdict }) => !VERDICTS.has(verdict))).toEqual([]);
  });

  test("says what is different wherever something is, and names tests for all that is built", () => {
    expect(rows.filter(({ verdict, differs }) => verdict !== "match" && differs === "")).toEqual([]);
    expect(rows.filter(({ verdict, tests }) => (verdict === "later") !== (tests.length === 0))).toEqual([]);
    expect(rows.filter(({ verdict, differs }) => verdict === "later" && !differs.startsWith("with "))).toEqual([]);
  });

  test.each(rows.filter(({ verdict }) => verdict !== "later"))("$number: its tests exist", ({ cell, tests }) => {
    expect(tests.map(([file, part]) => `\`${file}\`: “${part}”`).join("<br>")).toBe(cell);
    for (const [file, part] of tests) {
      const found = titlesIn(file).filter((title) => title.includes(part));
      expect(found, `tests of ${file} whose names contain “${part}”`).toHaveLength(1);
    }
  });
});
