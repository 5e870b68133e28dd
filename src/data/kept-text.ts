/** Whether a text comes back as it went in: SQLite keeps UTF-8, and what follows U+0000 is cut off when older versions of Node read it. */
export function isKeptText(text: unknown): text is string {
  return typeof text === "string" && text.isWellFormed() && !text.includes("\0");
}
