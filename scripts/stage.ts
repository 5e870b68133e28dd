import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colours where standard output is a terminal that wants them, plain text elsewhere. */
function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** A heading. */
export function heading(text: string): void {
  console.log(`\n${styled("bold", text)}\n`);
}

/** What somebody says. */
export function says(who: string, text: string, remark = ""): void {
  const name = styled(who === "bot" ? "cyan" : "green", who.padEnd(4));
  console.log(`  ${name} ${text}${remark === "" ? "" : styled("dim", `   ${remark}`)}`);
}

/** What happens, told by the narrator. */
export function tell(text: string): void {
  console.log(styled("dim", `  ${text}`));
}

/** What is violent. */
export function shout(text: string): void {
  console.log(styled("red", `  ${text}`));
}

/** A row of the final table. `right` is missing where there is nothing to be right or wrong. */
export function row(what: string, value: string | number, right?: boolean): void {
  const mark = right === undefined ? " " : right ? styled("green", "✓") : styled("red", "✗");
  console.log(`  ${mark} ${what.padEnd(50)} ${String(value)}`);
}
