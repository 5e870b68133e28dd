import { setOwn } from "./set-own.ts";

/** A string of a JSON text, and the colon that makes it a key. */
const stringToken = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g;

/**
 * `JSON.parse`, with keys as they are written. V8 (seen in 13.6, Node 24.21) compares the text of a key, escapes and all, with
 * the keys that it has seen at that place before: after an object with the key `\`, `{"\n":1}` gets the key `\` as well.
 * So keys with escapes are parsed on their own, as strings, and stand under names without any meanwhile.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return text.includes("\\") ? withExactKeys(text, value) : value;
}

function withExactKeys(text: string, value: unknown): unknown {
  const keys = new Map<string, string>();
  const mark = unusedMark(text);
  const safe = text.replace(stringToken, (token, colon: string | undefined) => {
    if (colon === undefined || !token.includes("\\")) return token;
    const name = `${mark}${keys.size}`;
    keys.set(name, JSON.parse(token.slice(0, -colon.length)) as string);
    return `"${name}"${colon}`;
  });
  return keys.size === 0 ? value : renamed(JSON.parse(safe), keys);
}

/** Characters for private use that stand nowhere in the text. */
function unusedMark(text: string): string {
  let mark = "\ue000";
  while (text.includes(mark)) mark += "\ue000";
  return mark;
}

/** Gives the objects of a document their keys back. What is still to be done is in a list, not on the call stack. */
function renamed(document: unknown, keys: ReadonlyMap<string, string>): unknown {
  const root = [document];
  const open: unknown[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const container = node as Record<string, unknown>;
    for (const [key, child] of Object.entries(container)) {
      const exact = withKeys(child, keys);
      setOwn(container, key, exact);
      if (typeof exact === "object" && exact !== null) open.push(exact);
    }
  }
  return root[0];
}

function withKeys(value: unknown, keys: ReadonlyMap<string, string>): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (!Object.keys(value).some((key) => keys.has(key))) return value;
  const exact: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) setOwn(exact, keys.get(key) ?? key, child);
  return exact;
}
