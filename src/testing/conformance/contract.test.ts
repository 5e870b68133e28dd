import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ATOMIC, PLAIN } from "./contract.ts";

/** The prose of a file: its comments without their frames, in one line. */
function prose(file: string): string {
  const text = readFileSync(new URL(`../../persistence/${file}`, import.meta.url), "utf8");
  return text
    .replaceAll(/^\s*(?:\/\*\*|\*\/|\*)?/gm, " ")
    .replaceAll("**", "")
    .replaceAll(/\s+/g, " ");
}

describe("the sentences that cases quote stand in the contract", () => {
  test.each(Object.values(PLAIN))("%s", (sentence) => {
    expect(prose("base-persistence.ts")).toContain(sentence);
  });

  test.each(Object.values(ATOMIC))("%s", (sentence) => {
    expect(`${prose("atomic-persistence.ts")} ${prose("../data/record.ts")}`).toContain(sentence);
  });
});
