/** A bar of the picture. */
interface ChartBar {
  readonly label: string;
  /** Above 0. */
  readonly value: number;
  /** What is written at its end. */
  readonly text: string;
  readonly isOurs: boolean;
}

/** A group of bars. */
export interface ChartGroup {
  readonly title: string;
  readonly bars: readonly ChartBar[];
}

const WIDTH = 860;
const LEFT = 260;
const RIGHT = 140;
const ROW = 24;
const TITLE = 44;

/** Colours for a light page, and where the reader prefers it, for a dark one. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; stroke: #ffffff; stroke-width: 4px; paint-order: stroke; }
  .title { font-weight: 600; }
  .axis { stroke: #d0d7de; stroke-width: 1; }
  .tick { fill: #59636e; font-size: 11px; text-anchor: middle; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; stroke: #0d1117; }
    .axis { stroke: #3d444d; }
    .tick { fill: #9198a1; }
    .bar { fill: #656c76; }
    .ours { fill: #4493f8; }
  }`;

/** Horizontal bars on one logarithmic axis, as SVG: so that a contender that takes a thousand times as long fits. */
export function chart(title: string, groups: readonly ChartGroup[]): string {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const decades = Math.max(1, Math.log10(most));
  const x = (value: number): number => LEFT + (Math.log10(Math.max(1, value)) / decades) * (WIDTH - LEFT - RIGHT);
  const height = 40 + groups.reduce((sum, { bars }) => sum + TITLE + bars.length * ROW, 0) + 24;
  const parts: string[] = [`<text class="title" x="12" y="26">${escape(title)}</text>`];
  for (let decade = 0; decade <= decades; decade += 1) {
    const at = x(10 ** decade).toFixed(1);
    parts.push(`<line class="axis" x1="${at}" y1="48" x2="${at}" y2="${height - 22}"/>`);
    parts.push(`<text class="tick" x="${at}" y="${height - 8}">${10 ** decade} ×</text>`);
  }
  let top = 40;
  for (const group of groups) {
    parts.push(`<text class="title" x="12" y="${top + 30}">${escape(group.title)}</text>`);
    top += TITLE;
    for (const bar of group.bars) {
      parts.push(barText(bar, top, x(bar.value)));
      top += ROW;
    }
  }
  const box = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  const label = `role="img" aria-label="${escape(title)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} ${label}>\n<style>${STYLE}\n</style>\n${parts.join("\n")}\n</svg>\n`;
}

function barText({ label, text, isOurs }: ChartBar, top: number, end: number): string {
  const width = Math.max(2, end - LEFT).toFixed(1);
  return [
    `<text x="${LEFT - 8}" y="${top + 15}" text-anchor="end">${escape(label)}</text>`,
    `<rect class="${isOurs ? "ours" : "bar"}" x="${LEFT}" y="${top + 3}" width="${width}" height="${ROW - 8}" rx="2"/>`,
    `<text x="${(end + 6).toFixed(1)}" y="${top + 15}">${escape(text)}</text>`,
  ].join("\n");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
