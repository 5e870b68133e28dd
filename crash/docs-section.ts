import { readFileSync, writeFileSync } from "node:fs";

const PAGE = new URL("../docs/reliability.md", import.meta.url);

/** Puts a text between the markers `<!-- name -->` and `<!-- end of name -->` of docs/reliability.md. */
export function writeDocsSection(name: string, text: string): void {
  const page = readFileSync(PAGE, "utf8");
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`docs/reliability.md has no ${begin} ... ${end}.`);
  writeFileSync(PAGE, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`);
}

/** On what something was measured. */
export function measuredOn(): string {
  return `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}
