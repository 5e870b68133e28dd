import { readFileSync, writeFileSync } from "node:fs";

const BEGIN = "<!-- bench: begin (written by npm run bench -- --write-docs) -->";
const END = "<!-- bench: end -->";

/** Puts a report between the two marks of a page. Throws when they are not there, once each and in order. */
export function writeBetweenMarks(page: URL, report: string): void {
  const text = readFileSync(page, "utf8");
  const [before, rest, ...more] = text.split(BEGIN);
  const [old, after, ...others] = (rest ?? "").split(END);
  if (before === undefined || old === undefined || after === undefined || more.length + others.length > 0) {
    throw new Error(`${page.pathname} must have the lines "${BEGIN}" and "${END}", once each.`);
  }
  writeFileSync(page, `${before}${BEGIN}\n\n${report}\n\n${END}${after}`);
}
