/** A table of a report. The first column is text, the others are aligned right. */
export interface Table {
  readonly title: string;
  /** What the figures are, in a sentence or two. */
  readonly note?: string | undefined;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** As Markdown that is also readable as it is. */
export function tableText({ title, note, head, rows }: Table): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  const parts = [`### ${title}`, note, [line(head), rule, ...rows.map(line)].join("\n")];
  return parts.filter((part) => part !== undefined).join("\n\n");
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
