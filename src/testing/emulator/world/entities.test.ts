import { describe, expect, test } from "vitest";
import { findEntities } from "./entities.ts";

function found(text: string): string[] {
  return findEntities(text).map(({ type, offset, length }) => `${type} ${text.slice(offset, offset + length)}`);
}

describe("findEntities", () => {
  test.each([
    ["/start", ["bot_command /start"]],
    ["/start@memory_bot now", ["bot_command /start@memory_bot"]],
    ["please /help, /stop", ["bot_command /help", "bot_command /stop"]],
    ["either/or, a//b", []],
    ["hello @ann and @bob", ["mention @ann", "mention @bob"]],
    ["see https://example.org/a?b=c#d.", ["url https://example.org/a?b=c#d"]],
    ["see example.com/path, please", ["url example.com/path"]],
    ["mail ann@example.org or @ann", ["email ann@example.org", "mention @ann"]],
    ["#news #2025 #Straße", ["hashtag #news", "hashtag #Straße"]],
    ["😀 /start", ["bot_command /start"]],
    ["nothing here", []],
  ])("%s", (text, entities) => {
    expect(found(text)).toEqual(entities);
  });

  test("counts in UTF-16 code units", () => {
    expect(findEntities("😀 /start")).toEqual([{ type: "bot_command", offset: 3, length: 6 }]);
  });
});
