/** UTF-8, with surrogates that stand alone encoded like other characters, as Python's "surrogatepass" reads them. */
export function utf8Of(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, "utf8");
  const parts = text.split(/([\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff])/);
  return Buffer.concat(parts.map((part, index) => (index % 2 === 0 ? Buffer.from(part, "utf8") : surrogate(part))));
}

function surrogate(text: string): Buffer {
  const unit = text.charCodeAt(0);
  return Buffer.from([0xed, 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]);
}
